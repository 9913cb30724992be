"""What the lake itself says of how sound it is: proofs, cut answers, gaps and unusual volume.

What belongs here: findings about what has landed, from the files' names and footers alone. What
does not: asking the service (``verify``, which counts again), or showing findings to anybody.
"""

from pipelines.soundness.cuts import SuspiciousAnswer, suspicious_answers
from pipelines.soundness.drift import Drift, drifts
from pipelines.soundness.gaps import Gap, gaps
from pipelines.soundness.landed import Landed, WholeAnswer, read_file, read_landed
from pipelines.soundness.proof import contradictions, unproven
from pipelines.soundness.volume import (
    FEWEST_EARLIER,
    Usual,
    Volume,
    usual,
    volumes,
)

__all__ = [
    "FEWEST_EARLIER",
    "Drift",
    "Gap",
    "Landed",
    "SuspiciousAnswer",
    "Usual",
    "Volume",
    "WholeAnswer",
    "contradictions",
    "drifts",
    "gaps",
    "read_file",
    "read_landed",
    "suspicious_answers",
    "unproven",
    "usual",
    "volumes",
]

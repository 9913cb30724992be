"""Late data: what reached the service after its partition was pulled.

What belongs here: counting committed partitions again, pulling again what grew, and whether a
partition is provisional or settled. What does not: when that is done (Dagster), or showing it
(``lake``).
"""

from pipelines.late.freshness import Freshness, freshness
from pipelines.late.record import Recount, Recounts
from pipelines.late.recount import recount

__all__ = ["Freshness", "Recount", "Recounts", "freshness", "recount"]

"""Hunts of every verdict, of the shapes that people publish and of those that invite mistakes.

What belongs here: reading the files beside this one; each file's name says what its hunts are. What
does not: running them (``test_slices``).
"""

import re
from pathlib import Path
from typing import Final

from pipelines.kql import Verdict

_PARTING: Final = re.compile(r"^----\n", re.MULTILINE)
# A file starts with a comment about all of its hunts, and an empty line.
_HEADER: Final = re.compile(r"\A//[^\n]*\n\n")


def hunts(name: str) -> tuple[str, ...]:
    """The hunts of one file."""
    text = Path(__file__).with_name(f"{name}.kql").read_text(encoding="utf-8")
    return tuple(hunt.removesuffix("\n") for hunt in _PARTING.split(_HEADER.sub("", text)))


DAY: Final = {verdict: hunts(verdict) for verdict in Verdict}
"""What a window of a day shows, by verdict."""

CALENDAR: Final = hunts("calendar")
"""Aligned hunts whose edges a day has none of."""

NOT_RUN: Final = {
    Verdict.ROW_WISE: hunts("row-wise-not-run"),
    Verdict.WHOLE: hunts("whole-not-run"),
}
"""More than the stand-in can run: nothing but their verdicts can be tested."""

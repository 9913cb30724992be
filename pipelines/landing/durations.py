"""The two ways in which the service writes a timespan.

What belongs here: reading them, in ticks. What does not: the range of a column (``values``).
"""

import re
from typing import Final

from pipelines.windows import TICKS_PER_SECOND

# `graph`: an ISO 8601 duration, such as -P1DT2H3M4.1234567S.
_ISO: Final = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d{1,19})D)?"
    r"(?P<time>T(?:(?P<hours>\d{1,19})H)?(?:(?P<minutes>\d{1,19})M)?"
    r"(?:(?P<seconds>\d{1,19})(?:\.(?P<fraction>\d{1,7}))?S)?)?",
    re.ASCII,
)
# Elsewhere: .NET's constant form, [-][d.]hh:mm:ss[.fffffff].
_DOTNET: Final = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d{1,19})\.)?(?P<hours>[01]\d|2[0-3]):"
    r"(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)"
    r"(?:\.(?P<fraction>\d{1,7}))?",
    re.ASCII,
)
_UNITS: Final = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def parse_duration_ticks(text: str) -> int | None:
    """Ticks of 100 ns, or ``None`` for a text that is no timespan."""
    match = _ISO.fullmatch(text) or _DOTNET.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    # ISO 8601 wants at least one of its parts, and one after a T.
    if all(parts[unit] is None for unit in _UNITS) or parts.get("time") == "T":
        return None
    seconds = sum(int(parts[unit] or 0) * size for unit, size in _UNITS.items())
    ticks = seconds * TICKS_PER_SECOND + int((parts["fraction"] or "").ljust(7, "0"))
    return -ticks if parts["sign"] else ticks

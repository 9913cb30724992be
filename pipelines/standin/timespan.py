"""Graph's ``Timespan``: how far back a call looks.

What belongs here: ISO 8601 intervals, as far as the service documents them. What does not: the
query's own filter on time, which narrows further.
"""

import re
from fractions import Fraction
from typing import Final

from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

# Years and months have no fixed length; the service's documentation shows days and hours.
_DURATION: Final = re.compile(
    r"P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_SECONDS: Final = (7 * 86_400, 86_400, 3_600, 60, 1)
# A window before any event, for a time span that lies outside the data.
_NOTHING: Final = Window(0, 1)


def visible_window(timespan: str | None, *, held: Window) -> Window:
    """What a call sees of the events that the tenant still holds, which end now.

    Raises ``ValueError`` for a time span that is not ISO 8601.
    """
    if timespan is None:
        return held
    start, end = _interval(timespan, now=held.end)
    start, end = max(start, held.start), min(end, held.end)
    return Window(start, end) if start < end else _NOTHING


def _interval(timespan: str, *, now: int) -> tuple[int, int]:
    first, slash, second = timespan.partition("/")
    if not slash:
        return now - _ticks(first), now
    if first.startswith("P"):
        end = parse_instant(second)
        return end - _ticks(first), end
    start = parse_instant(first)
    return start, start + _ticks(second) if second.startswith("P") else parse_instant(second)


def _ticks(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"The Timespan {duration!r} is not ISO 8601.")
    parts = zip(match.groups(), _SECONDS, strict=True)
    return int(sum(Fraction(part or 0) * each for part, each in parts) * TICKS_PER_SECOND)

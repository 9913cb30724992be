"""Instants in DuckDB's SQL, also those that its nanoseconds can't hold.

What belongs here: a literal for any instant of KQL, and what stands for which. What does not:
finding instants in SQL (``exactness``).

All datetimes must be of one type, since DuckDB refuses to compare two: nanoseconds, for the sake of
ticks. A time that 64 bits of them can't hold, such as the service's sentinels 0001-01-01 and
1601-01-01, stands as a time in 1678 or 2261, where nothing else happens, in the same order.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipelines.windows import TICKS_PER_SECOND, format_instant, parse_instant

# Times that 64-bit nanoseconds can't hold, and what stands for each, in the same order.
OUTLYING: Final[Mapping[int, int]] = MappingProxyType(
    {
        parse_instant(own): parse_instant(held)
        for own, held in (
            ("0001-01-01", "1678-01-01T00:00:00"),
            ("1601-01-01", "1678-01-01T00:00:02"),
            ("9999-12-31T23:59:59.999999", "2261-12-31T00:00:01"),
        )
    }
)
_EARLIEST: Final = parse_instant("1679-01-01")
_LATEST: Final = parse_instant("2261-12-31")


def held_instant(instant: int) -> int:
    """What stands for an instant in the database: itself, unless nanoseconds can't hold it."""
    if _EARLIEST <= instant < _LATEST:
        return instant
    if instant in OUTLYING:
        return OUTLYING[instant]
    # No column holds it, but a query may compare with it: it takes its place between two that do.
    if _LATEST <= instant < max(OUTLYING):
        return _LATEST
    return max(held for own, held in OUTLYING.items() if own < instant) + TICKS_PER_SECOND


def own_time(column: str) -> str:
    """SQL for the time that a column really means, in microseconds, of which all outliers are."""
    cases = " ".join(
        f"WHEN {time_literal(held)} THEN TIMESTAMP '{format_instant(own)}'"
        for own, held in OUTLYING.items()
    )
    return f"CASE {column} {cases} ELSE {column}::TIMESTAMP END"


def time_literal(held: int) -> str:
    """SQL for an instant that the database can hold."""
    return f"TIMESTAMP_NS '{format_instant(held)}'"

"""Instants and windows of time, exact to the service's tick of 100 ns.

What belongs here: the one representation of time that every part shares.
What does not: which windows are partitions or slices (``slicing``); what time it is (``clock``).

An instant is an ``int`` of ticks since the Unix epoch, UTC. ``datetime`` stops at microseconds, so
it appears only at the edges, where a person or a library asks for it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self

TICKS_PER_SECOND: Final = 10_000_000
TICKS_PER_MICROSECOND: Final = 10
NANOSECONDS_PER_TICK: Final = 100

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,7}))?)?(?:Z|\+00:00)?"
)


def instant_from_datetime(moment: datetime) -> int:
    """The ticks of an aware ``datetime``. A naive one is refused: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; huntlake works in UTC")
    return (moment - _EPOCH) // timedelta(microseconds=1) * TICKS_PER_MICROSECOND


def datetime_from_instant(ticks: int) -> datetime:
    """The UTC ``datetime`` at or just before the instant, which may be up to 900 ns later."""
    return _EPOCH + timedelta(microseconds=ticks // TICKS_PER_MICROSECOND)


def instant_from_date(day: date) -> int:
    """The ticks at which a UTC day begins."""
    return instant_from_datetime(datetime.combine(day, time(tzinfo=UTC)))


def parse_instant(text: str) -> int:
    """Ticks of an ISO 8601 date or UTC time with up to seven fraction digits.

    Raises ``ValueError`` for another zone, more digits, or a date that does not exist.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a UTC date or time such as 2026-11-20 or 2026-11-20T06:30:00Z"
        )
    day, hour, fraction = match.groups()
    seconds = instant_from_datetime(datetime.fromisoformat(f"{day}T{hour or '00:00'}+00:00"))
    return seconds + int((fraction or "").ljust(7, "0"))


def format_instant(ticks: int) -> str:
    """``2026-11-20T06:38:35.7664356Z``; a fraction only where there is one, trailing zeros cut."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    digits = f".{fraction:07d}".rstrip("0") if fraction else ""
    return f"{text}{digits}Z"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The instants ``start <= t < end``, in ticks. Half-open, so that neighbours share nothing."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(
                f"a window must end after it starts, not "
                f"[{format_instant(self.start)}, {format_instant(self.end)})"
            )

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Self:
        """The window between two aware datetimes."""
        return cls(instant_from_datetime(start), instant_from_datetime(end))

    @property
    def ticks(self) -> int:
        """How many instants it holds; never less than one."""
        return self.end - self.start

    def __contains__(self, instant: int) -> bool:
        return self.start <= instant < self.end

    def covers(self, other: "Window") -> bool:
        """Whether every instant of ``other`` is in this window."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"[{format_instant(self.start)}, {format_instant(self.end)})"

"""Spans: the parts of an answer that calls bring, in the order of time and, within it, of a hash.

What belongs here: positions, spans, and where an answer may be cut in time. What does not: choosing
the cuts (``slicing``), and the query for a span (``kql``).

An answer lies on a line. Time orders it, in cells: a cell is what time can't divide, be it a tick,
a bin that the hunt aggregates by, or the whole partition. Within a cell a hash orders it, in
buckets. A slice is a half-open span of that line: a window, and where it begins or ends inside a
cell, the bucket there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.windows import (
    TICKS_PER_SECOND,
    Window,
    datetime_from_instant,
    format_instant,
    instant_from_datetime,
    parse_instant,
)

# Fine enough to cut a billion rows of one tick, coarse enough to count in one answer.
BUCKETS: Final = 65_536

# Where KQL's bin() counts from: the first tick of .NET's DateTime.
_ORIGIN: Final = parse_instant("0001-01-01")
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
_WEEK_TICKS: Final = 7 * _DAY_TICKS


@dataclass(frozen=True, slots=True)
class Grid:
    """Where an answer may be cut in time: the edges of its cells.

    Edges lie ``width`` ticks apart, counted from ``origin`` (default: where ``bin()`` counts from);
    those of a ``calendar`` unit lie at the starts of months or years, whatever the width.
    """

    width: int
    origin: int = _ORIGIN
    calendar: Literal["month", "year"] | None = None

    @classmethod
    def weeks(cls) -> "Grid":
        """The edges of ``startofweek()``: Sundays."""
        return cls(_WEEK_TICKS, parse_instant("2026-11-22"))

    @classmethod
    def months(cls) -> "Grid":
        """The edges of ``startofmonth()``."""
        return cls(31 * _DAY_TICKS, calendar="month")

    @classmethod
    def years(cls) -> "Grid":
        """The edges of ``startofyear()``."""
        return cls(366 * _DAY_TICKS, calendar="year")

    def nests_in(self, other: "Grid") -> bool:
        """Whether each cell lies within one cell of the other grid.

        Where it isn't plain, the answer is no: months nest in no grid of even cells.
        """
        if self.calendar is not None:
            return other.calendar in {self.calendar, "year"}
        width = other.width if other.calendar is None else _DAY_TICKS
        return width % self.width == 0 and (other.origin - self.origin) % self.width == 0

    def floor(self, instant: int) -> int:
        """The last edge at or before the instant."""
        if self.calendar is None:
            return instant - (instant - self.origin) % self.width
        moment = datetime_from_instant(instant)
        month = 1 if self.calendar == "year" else moment.month
        first = moment.replace(month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
        return instant_from_datetime(first)

    def ceil(self, instant: int) -> int:
        """The first edge at or after the instant."""
        floor = self.floor(instant)
        return floor if floor == instant else self.after(floor)

    def cell_end(self, instant: int) -> int:
        """Where the cell that holds the instant ends."""
        return self.after(self.floor(instant))

    def after(self, edge: int) -> int:
        """The edge that follows an edge."""
        if self.calendar is None:
            return edge + self.width
        moment = datetime_from_instant(edge)
        if self.calendar == "year":
            return instant_from_datetime(moment.replace(year=moment.year + 1))
        year, month = divmod(moment.year * 12 + moment.month, 12)
        return instant_from_datetime(moment.replace(year=year, month=month + 1))

    def edges(self, window: Window) -> Iterator[int]:
        """The edges strictly within the window."""
        edge = self.cell_end(window.start)
        while edge < window.end:
            yield edge
            edge = self.after(edge)


TICKS: Final = Grid(1)
"""The grid of what may be cut at any instant."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place on the line: before bucket ``bucket`` of the cell that starts at ``instant``."""

    instant: int
    bucket: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bucket < BUCKETS:
            raise ValueError(f"a cell has buckets 0 to {BUCKETS - 1}, not {self.bucket}")

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position whose ``str`` is the text. Raises ``ValueError``."""
        instant, _, bucket = text.partition("#")
        return cls(parse_instant(instant), int(bucket or 0))

    def __str__(self) -> str:
        instant = format_instant(self.instant)
        return f"{instant}#{self.bucket}" if self.bucket else instant


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The part of an answer from ``start`` up to ``end``, half-open."""

    start: Position
    end: Position

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a span must end after it starts, not [{self.start}, {self.end})")

    @classmethod
    def of(cls, window: Window) -> "Span":
        """All that happens in the window."""
        return cls(Position(window.start), Position(window.end))

    def covers(self, other: "Span") -> bool:
        """Whether all of ``other`` is in this span."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"[{self.start}, {self.end})"

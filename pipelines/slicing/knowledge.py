"""What a plan rests on: the caps of one answer, and what counts and answers have taught so far.

What belongs here: the values, and how each answer changes them. What does not: choosing slices by
them (``planner``).
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final, Self

from pipelines.slicing.density import Density
from pipelines.slicing.plan import Slice
from pipelines.slicing.rates import Rates
from pipelines.spans import BUCKETS, Grid, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window

HOUR_TICKS: Final = 3_600 * TICKS_PER_SECOND

# A row's bytes differ from slice to slice, and what is too large is pulled for nothing.
_BYTES_FILLED: Final = 0.9
# The service ends a call at its limit and keeps the running time: stay well below.
_SECONDS_FILLED: Final = 0.5
# How much less is asked for once an answer was too much, where nothing better is known.
_SMALLER: Final = 0.6
# Longer than what the service keeps, and so no limit.
_ANY_WINDOW: Final = 400 * 24 * HOUR_TICKS
# What is asked for is more again after each answer that was not, by so little that few are in vain;
# at first by much, since what a call took too long for may have been a trouble that passes.
_LARGER: Final = 1.05
_RECOVERING: Final = 2.0
# An answer of unknown size is taken to have had at least this part of what it might have had.
_MOST_AT_ONCE: Final = 8
# Rows, as a share of the limit, that don't explain why a slice was too much that began with them.
_NEXT_TO_NOTHING: Final = 0.25
# A burst says nothing of what follows: rows in less time are no pace to plan by.
_TELLING_TICKS: Final = 60 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of one answer: rows, bytes (``None``: not stated) and seconds of running time."""

    rows: int
    response_bytes: int | None
    request_seconds: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of one hunt's answers.

    ``grid`` is where an answer may be cut in time (``None``: nowhere). ``paged``: it holds its
    rows' time, so that its first rows can be had alone. ``hashable``: a hash may split a cell.
    ``unfiltered``: the hunt takes all events of its tables, which may be very many.
    ``pace`` is how many rows an hour the last answer had. ``row_limit`` and ``tick_limit`` are what
    was found to be all that one call can do, and grow again while answers come: once they have been
    found a second time (``settled``), little by little. ``in_crowd``: what is left begins with a
    cell that was found to fill a page, or what the quota left of one. ``reach`` is where the next
    slice must end, after one that went on to ``refused`` was too much.
    """

    grid: Grid | None
    paged: bool
    hashable: bool
    caps: Caps
    unfiltered: bool = False
    rates: Rates = field(default_factory=Rates)
    density: Density | None = None
    pace: float | None = None
    row_limit: int | None = None
    tick_limit: int | None = None
    answered: bool = False
    settled: bool = False
    in_crowd: bool = False
    reach: Position | None = None
    refused: Position | None = None

    @property
    def limit(self) -> int:
        """The rows to ask for at most: the service's cap, or fewer for what they weigh."""
        limits = [self.caps.rows]
        if self.row_limit is not None:
            limits.append(self.row_limit)
        if self.caps.response_bytes is not None and self.rates.bytes_per_row:
            limits.append(int(self.caps.response_bytes * _BYTES_FILLED / self.rates.bytes_per_row))
        # Of a page of one row nothing is ever whole.
        return min(self.caps.rows, max(2, min(limits)))

    @property
    def ticks(self) -> int | None:
        """The longest window for one call, where running time is known to bind."""
        limits = [] if self.tick_limit is None else [self.tick_limit]
        if self.rates.seconds_per_hour:
            hours = self.caps.request_seconds * _SECONDS_FILLED / self.rates.seconds_per_hour
            limits.append(int(max(1.0, hours) * HOUR_TICKS))
        return min(limits) if limits else None

    def expected_rows(self, window: Window) -> float | None:
        """The rows that a window has by the count, or else by the hunt's history."""
        if self.density is not None:
            return self.density.rows_between(Position(window.start), Position(window.end))
        return None if self.hourly_rows is None else self.hourly_rows * window.ticks / HOUR_TICKS

    def expected_bytes(self, window: Window) -> int:
        """About the largest answer that a call for a part of the window may bring."""
        expected = self.expected_rows(window)
        rows = self.limit if expected is None else min(self.limit, expected)
        size = rows * (self.rates.bytes_per_row or 0.0)
        cap = self.caps.response_bytes
        return math.ceil(size if cap is None else min(size, cap))

    @property
    def hourly_rows(self) -> float | None:
        """The rows to expect in an hour without a count: those of the last, or of the history."""
        return self.rates.rows_per_hour if self.pace is None else self.pace

    def supposing(self, window: Window) -> Self:
        """The same, with the rows that the history lets expect where none were counted."""
        hourly = self.rates.rows_per_hour
        if self.density is not None or hourly is None or self.grid is None:
            return self
        rows = round(hourly * window.ticks / HOUR_TICKS)
        return replace(self, density=Density.flat(window, rows, self.grid))

    def cell_end(self, position: Position, whole: Window) -> int:
        """Where the cell that a position lies in ends."""
        if self.grid is None:
            return whole.end
        return min(self.grid.cell_end(position.instant), whole.end)

    def is_one_cell(self, span: Span) -> bool:
        """Whether time can't divide the span."""
        if self.grid is None or span.end.instant == span.start.instant:
            return True
        after = self.grid.cell_end(span.start.instant)
        return span.end <= Position(after)

    def after_landing(self, span: Span, rows: int, *, seconds: float) -> Self:
        """Once a slice is safe: the next may go further, where nothing speaks against it.

        Where a slice was too much and its first part has next to nothing, its other part is too
        much as well, as it would be found out by one more call for nothing.
        """
        ticks = span.end.instant - span.start.instant
        refused = self.refused
        if refused is not None and (refused <= span.end or rows > self.limit * _NEXT_TO_NOTHING):
            refused = None
        quick = seconds < self.caps.request_seconds * _SECONDS_FILLED / 2
        known = self.after_slice()
        return replace(
            known,
            tick_limit=known.tick_limit if quick else self.tick_limit,
            row_limit=known.row_limit if 2 * rows >= self.limit else self.row_limit,
            reach=refused and (self._smaller_reach(Span(span.end, refused)) or refused),
            refused=refused,
            pace=rows * HOUR_TICKS / max(ticks, _TELLING_TICKS) if ticks else self.pace,
            density=self.density and self.density.after(span.start, span.end, rows),
        )

    def after_slice(self) -> Self:
        """Once a slice came without trouble: what was too much once need not be so again."""
        growth = _LARGER if self.settled else _RECOVERING
        ticks = None if self.tick_limit is None else math.ceil(self.tick_limit * growth)
        return replace(
            self,
            in_crowd=False,
            reach=None,
            refused=None,
            answered=True,
            tick_limit=None if ticks is None or ticks > _ANY_WINDOW else ticks,
            row_limit=self.row_limit and math.ceil(self.row_limit * _LARGER),
        )

    def after_too_large(self, asked: Slice) -> Self | None:
        """Once an answer had too many bytes. ``None`` where no smaller one can be asked for."""
        # What was expected may be far from what came.
        rows = max(min(self.limit, int(asked.rows or self.limit)), self.limit // _MOST_AT_ONCE, 1)
        known = replace(self, row_limit=max(1, int(rows * _SMALLER)))
        if self.caps.response_bytes is not None:
            known = replace(
                known, rates=self.rates.at_least_bytes_per_row(self.caps.response_bytes / rows)
            )
        may_page = self.paged and (self.hashable or not self.is_one_cell(asked.span))
        if may_page and known.limit < self.limit:
            return known
        return known.halved(asked.span)

    def after_too_heavy(self, asked: Slice) -> Self | None:
        """Once a call took too long or too much. ``None`` where no smaller one can be asked for."""
        if self.is_one_cell(asked.span):
            return self.halved(asked.span)
        ticks = asked.span.end.instant - asked.span.start.instant
        return replace(
            self,
            tick_limit=max(1, min(ticks // 2, self.ticks or ticks)),
            answered=False,
            settled=self.settled or (self.answered and self.tick_limit is not None),
        )

    def after_too_much(self, asked: Slice) -> Self | None:
        """Once an answer was cut by the service. ``None`` where its span can't be divided.

        A page of which nothing is whole has rows of its first cell alone, and one that came by hash
        has those of a single bucket. Of a page that the quota made smaller that says nothing yet.
        """
        if not self.paged:
            return self.halved(asked.span)
        was_smaller = asked.limit is not None and asked.limit < self.limit
        if not was_smaller and (asked.by_hash or not self.hashable):
            return None
        return replace(self, in_crowd=True)

    def crowded(self, asked: Slice) -> Span:
        """The part of a span that is too much for one answer, once one was cut by the service."""
        start, end = asked.span.start, asked.span.end
        if self.paged and self.grid is not None:
            end = min(end, Position(self.grid.cell_end(start.instant)))
        if self.paged and asked.by_hash and start.bucket + 1 < BUCKETS:
            end = min(end, Position(start.instant, start.bucket + 1))
        return Span(start, end)

    def halved(self, span: Span) -> Self | None:
        """Where a span is known to be too much for one call."""
        reach = self._smaller_reach(span)
        return None if reach is None else replace(self, reach=reach, refused=span.end)

    def _smaller_reach(self, span: Span) -> Position | None:
        """About the middle of a span, where it may be cut."""
        if not self.is_one_cell(span):
            assert self.grid is not None  # noqa: S101 - else it is one cell
            middle = self.grid.floor((span.start.instant + span.end.instant) // 2)
            if middle <= span.start.instant:
                middle = self.grid.cell_end(span.start.instant)
            return Position(middle)
        in_cell = span.end.instant == span.start.instant and span.end.bucket
        last = span.end.bucket if in_cell else BUCKETS
        if not self.hashable or last - span.start.bucket <= 1:
            return None
        return Position(span.start.instant, (span.start.bucket + last) // 2)

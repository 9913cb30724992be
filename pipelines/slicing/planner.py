"""Which slice to pull next: from what is known, and nothing else.

What belongs here: the choice. What does not: what is known (``knowledge``), what to count first
(``counts``), and acting on the choice (``slicer``).

Where an answer holds its rows' time, a slice is asked for as a page: its first so many rows in time
order. A full page is not wasted, since all rows before its last cell are in it, and the next page
starts there; so windows are made to hold a little more than fits, and each call brings a full page.
Counting then only spares the service from sorting windows that are far too large. Where cells have
many rows, and a hash may divide them, a page is asked for by time and hash, and ends within a cell.

Where it does not, a slice must hold less than fits, and counting decides.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pipelines.slicing.density import Density, Piece
from pipelines.slicing.knowledge import HOUR_TICKS, Knowledge
from pipelines.slicing.plan import Plan, Slice
from pipelines.spans import BUCKETS, Position, Span
from pipelines.windows import Window

# Without a count, windows are made for so many pages by the hunt's history.
_PAGES_ASKED: Final = 1.5
# Room for what a count says too much of a window, so that its page comes out full.
_ROOM: Final = 1.05
# A page of fewer rows, as a share of a whole one, costs more than the quota that it would use up.
_LEAST_OF_PAGE: Final = 0.1
# A page of fewer expected rows, as a share of its limit, has its rows all.
_SURELY_WHOLE: Final = 0.8
# The rows of one cell, as a share of a page, that are too many to bring for nothing.
_MANY_IN_CELL: Final = 0.0025


def next_slice(rest: Span, whole: Window, known: Knowledge) -> Slice:
    """The slice to pull first of ``rest``, which is what is left of the partitions in ``whole``."""
    end = _reachable(rest, known)
    if not known.paged and rest.start.bucket:
        # Without times in the answer, part of a cell can't be asked for together with others.
        end = min(end, Position(known.cell_end(rest.start, whole)))
    if known.density is not None:
        end = min(end, _full(rest, whole, known, known.density))
    span = Span(rest.start, end)
    rows = _expected(span, known)
    if not known.paged:
        return Slice(span, rows=rows)
    return Slice(span, known.limit, rows, by_hash=_pays_by_hash(span, rows, known))


def least_seconds(asked: Slice, known: Knowledge) -> float | None:
    """The running time of the smallest page that is worth its call, in place of a slice.

    ``None`` for a slice that is no page: of that nothing can be had alone. Nor of a page that
    begins with so many rows of one cell that a smaller one was filled by them.
    """
    if asked.limit is None or known.in_crowd:
        return None
    rows = max(2.0, asked.limit * _LEAST_OF_PAGE)
    return known.rates.seconds(rows=rows, hours=_hours(asked.span))


def within(asked: Slice, seconds: float, known: Knowledge) -> Slice:
    """The page with so many rows less that it takes no longer."""
    if asked.limit is None or math.isinf(seconds):
        return asked
    rows = known.rates.rows_in(seconds, hours=_hours(asked.span))
    return replace(asked, limit=max(2, min(asked.limit, int(rows))))


def plan(rests: Sequence[Span], whole: Window, known: Knowledge) -> Plan:
    """The slices that pulling ``rests`` would take if all comes as expected.

    The pace of the last answer alone says too little about all that is left.
    """
    known = replace(known, pace=None)
    slices = tuple(each for rest in rests for each in _slices(rest, whole, known))
    seconds = tuple(
        known.rates.seconds(rows=each.expected or 0.0, hours=_hours(each.span)) for each in slices
    )
    return Plan(slices, seconds)


def _slices(rest: Span, whole: Window, known: Knowledge) -> Iterator[Slice]:
    while True:
        first = next_slice(rest, whole, known)
        if first.limit is not None and (first.rows or 0) >= first.limit and known.density:
            # Its page will be full: it ends about where the limit is reached.
            end = _page_end(first, known.density, known)
            first = replace(first, span=Span(first.span.start, end), rows=first.limit - 1.0)
        yield first
        if first.span.end >= rest.end:
            return
        known = known.after_slice()
        rest = Span(first.span.end, rest.end)


def _page_end(asked: Slice, density: Density, known: Knowledge) -> Position:
    assert asked.limit is not None  # noqa: S101 - `_slices` has looked
    # The last row is asked for again, or where nothing divides its cell, all of that.
    rows = max(1, asked.limit - 1)
    crossing = density.crossing(asked.span.start, rows)
    if crossing is None or known.grid is None:
        return asked.span.end
    piece, before = crossing
    start = max(Position(piece.window.start), asked.span.start)
    if not density.is_cell(piece.window):
        ticks = int((rows - before) / piece.rows * piece.window.ticks)
        end = Position(known.grid.floor(start.instant + ticks))
    elif asked.by_hash:
        buckets = start.bucket + int((rows - before) / piece.rows * BUCKETS)
        end = Position(start.instant, min(max(buckets, start.bucket + 1), BUCKETS - 1))
    else:
        end = start
    if end <= asked.span.start:
        end = _next_cell(asked.span.start, known)
    return min(end, asked.span.end)


def _pays_by_hash(span: Span, rows: float | None, known: Knowledge) -> bool:
    """Whether a page is to come by hash: where it may end within a cell that has many rows.

    A page by time alone brings the rows of its last cell for nothing. By hash the service must hash
    each row of the window, and so it is asked for that only where there is reason to.
    """
    if not known.hashable:
        return False
    if span.start.bucket or known.in_crowd or known.is_one_cell(span):
        return True
    if rows is not None and rows < known.limit * _SURELY_WHOLE:
        return False
    usual, many = known.rates.rows_per_cell, max(1.0, known.limit * _MANY_IN_CELL)
    if known.density is not None:
        crossing = known.density.crossing(span.start, known.limit)
        if crossing is None:
            return False
        piece = crossing[0]
        if piece.rows > many and known.density.stands_out(piece):
            return True
    return usual is None or usual > many


def _reachable(rest: Span, known: Knowledge) -> Position:
    """How far one call may go at all: by what was too much before, and by running time."""
    end = rest.end if known.reach is None else min(rest.end, max(known.reach, rest.start))
    if end <= rest.start:
        end = rest.end
    ticks = known.ticks
    if known.density is None and known.hourly_rows and known.paged:
        by_rows = int(_PAGES_ASKED * known.limit / known.hourly_rows * HOUR_TICKS)
        ticks = by_rows if ticks is None else min(ticks, by_rows)
    if ticks is None or known.grid is None:
        return end
    furthest = Position(known.grid.floor(rest.start.instant + ticks))
    return min(end, max(furthest, _next_cell(rest.start, known)))


def _full(rest: Span, whole: Window, known: Knowledge, density: Density) -> Position:
    """Where a slice ends that is filled, by what was counted."""
    if known.paged and known.hashable:
        # It may end anywhere; a little further, so that it comes out full.
        crossing = density.crossing(rest.start, known.limit * _ROOM)
        return rest.end if crossing is None else Position(crossing[0].window.end)
    crossing = density.crossing(rest.start, known.limit, by_chance=True)
    if crossing is None:
        return rest.end
    piece, before = crossing
    begins = Position(max(piece.window.start, whole.start))
    if density.is_cell(piece.window):
        return _end_in_cell(piece, begins, known.limit - before, rest.start, known)
    if known.paged:
        return Position(piece.window.end)
    if begins > rest.start or known.grid is None:
        return max(begins, rest.start)
    ticks = int(piece.window.ticks * (known.limit - before) / piece.rows)
    cut = Position(known.grid.floor(rest.start.instant + ticks))
    return max(cut, _next_cell(rest.start, known))


def _end_in_cell(
    cell: Piece, begins: Position, room: float, start: Position, known: Knowledge
) -> Position:
    """The same within a cell: between its buckets, or else before it."""
    assert known.density is not None  # noqa: S101 - `_full` has looked
    if known.hashable and begins <= start:
        bucket = known.density.bucket_before(cell, start.bucket, room)
        if bucket > start.bucket:
            return Position(begins.instant, bucket)
    return begins if begins > start else Position(cell.window.end)


def _next_cell(position: Position, known: Knowledge) -> Position:
    assert known.grid is not None  # noqa: S101 - cells without a grid have no next
    return Position(known.grid.cell_end(position.instant))


def _expected(span: Span, known: Knowledge) -> float | None:
    if known.density is not None:
        return known.density.rows_between(span.start, span.end)
    return None if known.hourly_rows is None else known.hourly_rows * _hours(span)


def _hours(span: Span) -> float:
    return max(0, span.end.instant - span.start.instant) / HOUR_TICKS

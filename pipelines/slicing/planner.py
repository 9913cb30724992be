"""Which slice to pull next: from what is known, and nothing else.

What belongs here: the choice. What does not: what is known (``knowledge``), what to count first
(``counts``), and acting on the choice (``slicer``).

Where an answer holds its rows' time, a slice is asked for as a page: its first so many rows in time
order. A full page is not wasted, since all rows before its last cell are in it, and the next page
starts there; so windows are made to hold a little more than fits, and each call brings a full page.
Counting then only spares the service from sorting windows that are far too large, and tells the
cells apart that hold so many rows that a page's end must not fall among them.

Where it does not, a slice must hold less than fits, and counting decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pipelines.slicing.density import Density, Piece
from pipelines.slicing.knowledge import HOUR_TICKS, Knowledge
from pipelines.slicing.plan import Plan, Slice
from pipelines.spans import Position, Span
from pipelines.windows import Window

# Without a count, windows are made for so many pages by the hunt's history.
_PAGES_ASKED: Final = 1.5
# Room for what chance adds to a page that begins within a cell.
_ROOM: Final = 1.05


def next_slice(rest: Span, whole: Window, known: Knowledge) -> Slice:
    """The slice to pull first of ``rest``, which is what is left of the partitions in ``whole``."""
    end = _reachable(rest, known)
    if not known.paged and rest.start.bucket:
        # Without times in the answer, part of a cell can't be asked for together with others.
        end = min(end, Position(known.cell_end(rest.start, whole)))
    limit = known.limit
    if known.density is not None:
        crossing = known.density.crossing(rest.start, limit)
        if crossing is not None:
            piece, before = crossing
            fitting = _end_in(piece, limit - before, rest, whole, known)
            end = min(end, _with_room(fitting, rest, known))
    span = Span(rest.start, end)
    return Slice(span, limit if known.paged else None, _expected(span, known))


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
    # The last row's cell is asked for again.
    rows = max(1, asked.limit - 1)
    crossing = density.crossing(asked.span.start, rows)
    if crossing is None or density.is_cell(crossing[0].window) or known.grid is None:
        return asked.span.end
    piece, before = crossing
    start = max(piece.window.start, asked.span.start.instant)
    share = (rows - before) / piece.rows
    end = known.grid.floor(start + int(share * piece.window.ticks))
    return min(max(Position(end), _next_cell(asked.span.start, known)), asked.span.end)


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


def _end_in(piece: Piece, room: float, rest: Span, whole: Window, known: Knowledge) -> Position:
    """Where a slice ends whose limit is reached in ``piece``, with ``room`` rows left for it."""
    assert known.density is not None  # noqa: S101 - a crossing is one of a density
    begins = Position(max(piece.window.start, whole.start))
    if known.density.is_cell(piece.window):
        return _end_in_cell(piece, begins, room, rest.start, known)
    if known.paged:
        return Position(piece.window.end)
    if begins > rest.start or known.grid is None:
        return max(begins, rest.start)
    ticks = int(piece.window.ticks * room / piece.rows)
    cut = Position(known.grid.floor(rest.start.instant + ticks))
    return max(cut, _next_cell(rest.start, known))


def _end_in_cell(
    cell: Piece, begins: Position, room: float, start: Position, known: Knowledge
) -> Position:
    """The same within a cell: between its buckets, or else before it."""
    assert known.density is not None  # noqa: S101 - `_end_in` has looked
    if known.hashable and (known.paged or begins <= start):
        first = start.bucket if start >= begins else 0
        bucket = known.density.bucket_before(cell, first, room)
        if bucket > first:
            return Position(begins.instant, bucket)
    return begins if begins > start else Position(cell.window.end)


def _with_room(end: Position, rest: Span, known: Knowledge) -> Position:
    """A little further than a page's end, where chance decides how many rows a cell has left.

    A page that comes out full loses nothing, and one that doesn't has room for rows left.
    """
    density = known.density
    if density is None or not known.paged or not rest.start.bucket or end.bucket:
        return end
    crossing = density.crossing(rest.start, known.limit * _ROOM)
    if crossing is None or density.is_cell(crossing[0].window):
        return end
    return max(end, Position(crossing[0].window.end))


def _next_cell(position: Position, known: Knowledge) -> Position:
    assert known.grid is not None  # noqa: S101 - cells without a grid have no next
    return Position(known.grid.cell_end(position.instant))


def _expected(span: Span, known: Knowledge) -> float | None:
    if known.density is not None:
        return known.density.rows_between(span.start, span.end)
    return None if known.hourly_rows is None else known.hourly_rows * _hours(span)


def _hours(span: Span) -> float:
    return max(0, span.end.instant - span.start.instant) / HOUR_TICKS

"""Which slice to pull next, or what to count first: from what is known, and nothing else.

What belongs here: the choice. What does not: what is known (``knowledge``), and acting on the
choice (``export``).

Where an answer holds its rows' time, a slice is asked for as a page: its first so many rows in time
order. A full page is not wasted, since all rows before its last cell are in it, and the next page
starts there; so windows are made to hold a little more than fits, and each call brings a full page.
Counting then only spares the service from sorting windows that are far too large, and tells the
cells apart that hold so many rows that a page's end must not fall among them.

Where it does not, a slice must hold less than fits, and counting decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.slicing.density import Density, Piece
from pipelines.slicing.knowledge import HOUR_TICKS, Knowledge
from pipelines.slicing.plan import Plan, Slice
from pipelines.spans import BUCKETS, Grid, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window

# So many pages are pulled without a count: it would cost more than it spares.
_PAGES_WITHOUT_COUNT: Final = 3.0
# Without a count, windows are made for so many pages by the hunt's history.
_PAGES_ASKED: Final = 1.5
# Room for what chance adds to a page that begins within a cell.
_ROOM: Final = 1.05
# Bins to ask for in one count: a month has 43,200 minutes.
_MOST_BINS: Final = 45_000
_WIDTHS: Final = tuple(
    seconds * TICKS_PER_SECOND
    for seconds in (1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
)
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
# A cell of fewer rows, as a share of a page, isn't worth a count when a page ends among them.
_FULL_CELL: Final = 0.02
# A bin that holds so many times the rows of those beside it may owe them to a single cell.
_OUTSTANDING: Final = 4.0
_MOST_PEAKS: Final = 1_000
_MOST_PEAK_BINS: Final = 400


@dataclass(frozen=True, slots=True)
class CountCells:
    """Count the rows of a window by bins of ``width`` ticks (``None``: by cells)."""

    window: Window
    width: int | None


@dataclass(frozen=True, slots=True)
class CountPeaks:
    """Look in these bins for cells of at least so many rows; the fullest ``limit`` of them."""

    bins: tuple[int, ...]
    width: int
    at_least: int
    limit: int


@dataclass(frozen=True, slots=True)
class CountBuckets:
    """Count the rows of a cell by their hash, so many buckets to a row."""

    window: Window
    buckets_each: int


Count = CountCells | CountPeaks | CountBuckets


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


def first_count(
    rest: Span, whole: Window, known: Knowledge, *, counts: Grid | None
) -> Count | None:
    """What to count before anything more is pulled; ``None`` where the next slice needs no count.

    ``counts`` is the grid by which the answer's rows can be counted in time, if they can.
    """
    if known.density is None:
        window = Window(rest.start.instant, rest.end.instant if not rest.end.bucket else whole.end)
        if not _pays(window, known):
            return None
        if known.grid is None and known.hashable:
            return buckets_count(window, known)
        return None if counts is None else cells_count(window, counts, known)
    if known.paged or counts is None:
        return None
    crossing = known.density.crossing(rest.start, known.limit)
    if crossing is None or crossing[0].window.start > rest.start.instant:
        return None
    return (
        None
        if known.density.is_cell(crossing[0].window)
        else finer_count(crossing[0], counts, known)
    )


def _pays(window: Window, known: Knowledge) -> bool:
    """Whether a count is worth its call, before anything of the window is pulled.

    It costs a paged hunt nothing to try without: a full page is not wasted. But a month of a busy
    table is better not sorted for a page.
    """
    expected = known.expected_rows(window)
    if expected is None:
        return known.unfiltered and window.ticks > _DAY_TICKS
    return expected >= (_PAGES_WITHOUT_COUNT if known.paged else 1.0) * known.limit


def overflow_count(
    asked: Slice, whole: Window, known: Knowledge, *, counts: Grid | None
) -> Count | None:
    """What to count once an answer was cut of which nothing is whole; ``None``: nothing helps."""
    one_cell = known.is_one_cell(asked.span)
    if known.density is None and counts is not None and not one_cell:
        return cells_count(Window(asked.span.start.instant, whole.end), counts, known)
    if not known.hashable or not (one_cell or known.paged):
        return None
    start = asked.span.start.instant
    window = Window(start, known.cell_end(asked.span.start, whole))
    if known.density is not None and known.density.has_groups(window):
        return None
    return buckets_count(window, known)


def cells_count(window: Window, grid: Grid, known: Knowledge) -> CountCells | None:
    """How to count a window by time so that the count itself fits an answer."""
    most = min(_MOST_BINS, known.caps.rows - 1)
    if grid.calendar is not None or grid.width > 1:
        cells = 2 + (window.ticks // grid.width if grid.calendar is None else 0)
        return CountCells(window, None) if cells <= most else None
    for width in _WIDTHS:
        if window.ticks // width + 2 <= most:
            return CountCells(window, width)
    return None


def finer_count(piece: Piece, grid: Grid, known: Knowledge) -> CountCells | None:
    """How to count one piece more finely, down to a tick; a hunt's own bins are no finer."""
    if grid.width > 1:
        return None
    most = min(_MOST_BINS, known.caps.rows - 1)
    width = -(-piece.window.ticks // max(1, most - 2))
    return CountCells(piece.window, width) if width < piece.window.ticks else None


def peaks_count(density: Density, width: int | None, known: Knowledge) -> CountPeaks | None:
    """How to look for full cells, where bins stand out that may hold some.

    A page that ends among the rows of a full cell brings them for nothing.
    """
    if not known.paged or width is None or not known.hashable or not density.pieces:
        return None
    at_least = max(2, int(known.limit * _FULL_CELL))
    outstanding = sorted(
        (piece for piece in _outstanding(density, width) if piece.rows >= at_least),
        key=lambda piece: -piece.rows,
    )
    bins = sorted(
        piece.window.start - piece.window.start % width for piece in outstanding[:_MOST_PEAK_BINS]
    )
    if not bins:
        return None
    limit = min(_MOST_PEAKS, known.caps.rows - 1)
    return CountPeaks(tuple(bins), width, at_least, max(1, limit))


def _outstanding(density: Density, width: int) -> Iterator[Piece]:
    """The pieces that have many times the rows of those beside them."""
    rows = {piece.window.start // width: piece.rows for piece in density.pieces}
    for piece in density.pieces:
        number = piece.window.start // width
        beside = (rows.get(number - 1, 0) + rows.get(number + 1, 0)) / 2
        if piece.rows >= _OUTSTANDING * beside:
            yield piece


def buckets_count(window: Window, known: Knowledge) -> CountBuckets:
    """How to count a cell by its hash so that the count fits an answer."""
    each = 64
    while BUCKETS // each >= known.caps.rows and each < BUCKETS:
        each *= 2
    return CountBuckets(window, each)


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

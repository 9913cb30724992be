"""What to count before pulling goes on: where counting spares more than its call costs.

What belongs here: the choice of counts. What does not: asking for them (``counting``), and the
slices that are planned by them (``planner``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.slicing.density import Density, Piece
from pipelines.slicing.knowledge import Knowledge
from pipelines.slicing.plan import Slice
from pipelines.spans import BUCKETS, Grid, Span
from pipelines.windows import TICKS_PER_SECOND, Window

# So many pages are pulled without a count: it would cost more than it spares.
_PAGES_WITHOUT_COUNT: Final = 3.0
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

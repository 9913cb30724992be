"""What to count before pulling goes on: where counting spares more than its call costs.

What belongs here: the choice of counts. What does not: asking for them (``counting``), and the
slices that are planned by them (``planner``).
"""

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


@dataclass(frozen=True, slots=True)
class CountCells:
    """Count the rows of a window by bins of ``width`` ticks (``None``: by cells)."""

    window: Window
    width: int | None


@dataclass(frozen=True, slots=True)
class CountBuckets:
    """Count the rows of a cell by their hash, so many buckets to a row."""

    window: Window
    buckets_each: int


Count = CountCells | CountBuckets


def first_count(
    rest: Span, whole: Window, known: Knowledge, *, counts: Grid | None
) -> Count | None:
    """What to count before anything more is pulled; ``None`` where the next slice needs no count.

    ``counts`` is the grid by which the answer's rows can be counted in time, if they can.
    """
    if known.density is not None:
        return None if counts is None else _recount(rest, known, known.density, counts)
    window = _uncounted(rest, whole, known)
    if window is None or not _pays(window, known):
        return None
    if known.grid is None and known.hashable:
        return buckets_count(window, known)
    return None if counts is None else cells_count(window, counts, known)


def _recount(rest: Span, known: Knowledge, density: Density, counts: Grid) -> Count | None:
    """How to count a bin again that alone has too many rows for an answer that is no page."""
    crossing = None if known.paged else density.crossing(rest.start, known.limit)
    if crossing is None or crossing[0].window.start > rest.start.instant:
        return None
    is_cell = density.is_cell(crossing[0].window)
    return None if is_cell else finer_count(crossing[0], counts, known)


def _uncounted(rest: Span, whole: Window, known: Knowledge) -> Window | None:
    """What to count of what is left: of a cell that was begun, the rest is soon pulled."""
    begun = known.paged and rest.start.bucket
    start = known.cell_end(rest.start, whole) if begun else rest.start.instant
    end = rest.end.instant if not rest.end.bucket else whole.end
    return Window(start, end) if start < end else None


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
    """What to count once an answer was cut of which nothing is whole; ``None``: nothing helps.

    Of pages none is needed: where one was of a single cell, the next comes by hash.
    """
    if known.paged:
        return None
    one_cell = known.is_one_cell(asked.span)
    if known.density is None and counts is not None and not one_cell:
        return cells_count(Window(asked.span.start.instant, whole.end), counts, known)
    if not known.hashable or not one_cell:
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


def buckets_count(window: Window, known: Knowledge) -> CountBuckets:
    """How to count a cell by its hash so that the count fits an answer."""
    each = 64
    while BUCKETS // each >= known.caps.rows and each < BUCKETS:
        each *= 2
    return CountBuckets(window, each)

"""The choice of the next slice: always some of what is left, never more than may be had at once."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.slicing import (
    Caps,
    CountBuckets,
    CountCells,
    Density,
    Knowledge,
    Piece,
    Rates,
    cells_count,
    first_count,
    least_seconds,
    next_slice,
    overflow_count,
    plan,
    within,
)
from pipelines.spans import BUCKETS, TICKS, Grid, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

SECOND = TICKS_PER_SECOND
HOUR = 3_600 * SECOND
START = parse_instant("2026-11-19")
DAY = Window(START, START + 24 * HOUR)
GRIDS = (None, TICKS, Grid(SECOND), Grid(HOUR), Grid(7 * HOUR), Grid.months())


@st.composite
def densities(draw: st.DrawFn, grid: Grid | None) -> Density:
    """Counts of all kinds: bins, cells told apart, buckets, gaps."""
    if grid is None or grid.width > HOUR:
        rows = draw(st.integers(0, 3_000))
        return Density.flat(DAY, rows, grid)
    chosen = draw(st.lists(st.integers(0, 24 * 60), min_size=2, max_size=7, unique=True))
    edges = [grid.floor(START + each * 60 * SECOND) for each in sorted(chosen)]
    pieces = [
        Piece(Window(one, two), draw(st.integers(1, 3_000)))
        for one, two in pairwise(edges)
        if one < two and draw(st.integers(0, 3))
    ]
    density = Density(DAY, tuple(pieces), grid)
    if pieces and draw(st.booleans()):
        window = draw(st.sampled_from(pieces)).window
        cell = grid.floor(window.start + draw(st.integers(0, window.ticks - 1)))
        part = Window(cell, grid.after(cell))
        density = density.refined(Density.flat(part, draw(st.integers(1, 500)), grid))
        if draw(st.booleans()):
            groups = tuple(draw(st.lists(st.integers(0, 60), min_size=16, max_size=16)))
            pieces = (Piece(part, sum(groups), groups),) if any(groups) else ()
            density = density.refined(Density(part, pieces, grid))
    return density


@st.composite
def knowledges(draw: st.DrawFn) -> Knowledge:
    grid = draw(st.sampled_from(GRIDS))
    return Knowledge(
        grid=grid,
        paged=grid is not None and draw(st.booleans()),
        hashable=draw(st.booleans()),
        caps=Caps(draw(st.sampled_from((2, 10, 100, 5_000))), None, 600.0),
        rates=Rates(
            seconds_per_hour=draw(st.sampled_from((None, 0.1, 100.0, 1e6))),
            rows_per_hour=draw(st.sampled_from((None, 0.0, 3.0, 1e4))),
        ),
        density=draw(st.none() | densities(grid)),
        pace=draw(st.sampled_from((None, 0.0, 50.0))),
        tick_limit=draw(st.sampled_from((None, 1, HOUR))),
    )


@st.composite
def starts(draw: st.DrawFn, known: Knowledge) -> Position:
    """Where what is left begins: a cell, or a bucket of it where a hash divides cells."""
    instant = draw(st.integers(DAY.start, DAY.end - 1))
    if known.grid is None:
        instant = DAY.start
    elif known.density is not None and known.density.pieces and draw(st.booleans()):
        instant = draw(st.sampled_from(known.density.pieces)).window.start
    cell = instant if known.grid is None else max(DAY.start, known.grid.floor(instant))
    bucket = draw(st.sampled_from((0, 0, 1, BUCKETS // 2, BUCKETS - 1))) if known.hashable else 0
    return Position(cell, bucket)


@settings(max_examples=300)
@given(knowledges(), st.data())
def test_a_slice_is_some_of_what_is_left(known: Knowledge, data: st.DataObject) -> None:
    """It begins where that begins, and lies within; only a hash ends it within a cell."""
    rest = Span(data.draw(starts(known)), Position(DAY.end))
    asked = next_slice(rest, DAY, known)
    end = asked.span.end
    assert asked.span.start == rest.start
    assert rest.covers(asked.span)
    assert asked.limit == (known.limit if known.paged else None)
    if end.bucket:
        assert known.hashable
    if known.grid is not None and end.instant not in (DAY.start, DAY.end):
        assert known.grid.floor(end.instant) == end.instant
    if not known.paged and rest.start.bucket:
        # Such a slice has no times by which other cells could be told from its own.
        assert end <= Position(known.cell_end(rest.start, DAY))
    if not known.paged and end.bucket:
        assert end.instant == rest.start.instant


@settings(max_examples=300)
@given(knowledges(), st.data())
def test_what_must_fit_is_expected_to_fit(known: Knowledge, data: st.DataObject) -> None:
    """Slices that are no pages, and parts of a cell, hold fewer rows than the limit by the count.

    Unless they are of one cell, or one bucket, that alone has as many.
    """
    rest = Span(data.draw(starts(known)), Position(DAY.end))
    asked = next_slice(rest, DAY, known)
    density, span = known.density, asked.span
    if density is None or known.reach is not None:
        return
    in_cell = span.end.instant == span.start.instant
    if known.paged and not in_cell:
        return
    expected = density.rows_between(span.start, span.end)
    least = known.is_one_cell(span) and (
        not known.hashable or span.end.bucket in (0, span.start.bucket + 1)
    )
    assert least or expected <= known.limit + 1e-6


@settings(max_examples=150, deadline=None)
@given(knowledges(), st.data())
def test_a_plan_comes_to_its_end_and_leaves_nothing_out(
    known: Knowledge, data: st.DataObject
) -> None:
    """Its slices follow one another through all that is left."""
    rest = Span(data.draw(starts(known)), Position(DAY.end))
    found = plan([rest], DAY, known)
    spans = [each.span for each in found.slices]
    assert spans[0].start == rest.start
    assert spans[-1].end == rest.end
    assert all(one.end == two.start for one, two in pairwise(spans))
    assert found.calls == len(spans)
    assert found.running_seconds >= 0
    assert found.rows is None or found.rows >= 0


def knowing(**values: object) -> Knowledge:
    given = {"grid": TICKS, "paged": True, "hashable": True, "caps": Caps(1_000, None, 600.0)}
    return Knowledge(**{**given, **values})


def test_without_any_knowledge_all_is_asked_for() -> None:
    """An answer below the cap is complete in itself, and counting first would cost a call."""
    for known in (knowing(), knowing(paged=False), knowing(grid=None, paged=False)):
        rest = Span.of(DAY)
        assert first_count(rest, DAY, known, counts=TICKS) is None
        assert next_slice(rest, DAY, known).span == rest


@pytest.mark.parametrize(
    ("rows_per_hour", "paged", "counts"),
    [(100.0, True, False), (126.0, True, True), (41.0, False, False), (42.0, False, True)],
)
def test_a_count_comes_first_where_history_expects_much(
    rows_per_hour: float, paged: bool, counts: bool
) -> None:
    """More than three pages; or, of what is no page, more than one answer."""
    known = knowing(paged=paged, rates=Rates(rows_per_hour=rows_per_hour))
    asked = first_count(Span.of(DAY), DAY, known, counts=TICKS)
    assert isinstance(asked, CountCells) is counts
    assert asked is None or asked.window == DAY


def test_what_is_one_cell_is_counted_by_hash() -> None:
    """So that each of its slices can be filled."""
    rates = Rates(rows_per_hour=500.0)
    known = knowing(grid=None, paged=False, rates=rates)
    assert first_count(Span.of(DAY), DAY, known, counts=None) == CountBuckets(DAY, 128)
    unhashed = knowing(grid=None, paged=False, hashable=False, rates=rates)
    assert first_count(Span.of(DAY), DAY, unhashed, counts=None) is None


def test_pages_are_asked_for_from_windows_that_hold_a_little_more() -> None:
    """So that each comes back full, and the service sorts little."""
    known = knowing(density=Density.from_bins(DAY, _bins(2_000), HOUR, TICKS))
    asked = next_slice(Span.of(DAY), DAY, known)
    assert asked.span == Span.of(Window(START, START + HOUR))
    assert asked.limit == 1_000
    thin = knowing(density=Density.from_bins(DAY, _bins(300), HOUR, TICKS))
    assert next_slice(Span.of(DAY), DAY, thin).span.end == Position(START + 4 * HOUR)


def test_what_is_no_page_ends_before_the_bin_that_does_not_fit() -> None:
    """And a bin that does not fit alone is counted again, finer."""
    thin = knowing(paged=False, density=Density.from_bins(DAY, _bins(300), HOUR, TICKS))
    asked = next_slice(Span.of(DAY), DAY, thin)
    assert asked.limit is None
    assert asked.span.end == Position(START + 3 * HOUR)
    full = knowing(paged=False, density=Density.from_bins(DAY, _bins(3_000), HOUR, TICKS))
    finer = first_count(Span.of(DAY), DAY, full, counts=TICKS)
    assert isinstance(finer, CountCells)
    assert finer.window == Window(START, START + HOUR)
    assert finer.width is not None
    assert finer.width < 4 * SECOND


def _bins(rows: int) -> dict[int, int]:
    return {START + hour * HOUR: rows for hour in range(24)}


@given(st.integers(2, 50_000), st.integers(1, 40))
def test_a_count_fits_an_answer(cap: int, days: int) -> None:
    """Else it would be cut, and bins would be missing without a word."""
    known = knowing(caps=Caps(cap, None, 600.0))
    window = Window(START, START + days * 24 * HOUR)
    for grid in (TICKS, Grid(HOUR), Grid.months()):
        asked = cells_count(window, grid, known)
        if asked is not None:
            width = asked.width or max(grid.width, 28 * 24 * HOUR if grid.calendar else 0)
            assert window.ticks // width + 2 <= cap


def test_pages_come_by_hash_where_they_may_end_in_a_full_cell() -> None:
    """Else the service is spared hashing every row, and the last row's cell comes again."""
    rest = Span.of(DAY)
    even = Density.from_bins(DAY, _bins(3_000), HOUR, TICKS)
    uneven = Density.from_bins(DAY, {**_bins(100), START + HOUR: 9_000}, HOUR, TICKS)
    thin, thick = Rates(rows_per_cell=1.2), Rates(rows_per_cell=40.0)

    def by_hash(rest: Span = rest, **values: object) -> bool:
        return next_slice(rest, DAY, knowing(**values)).by_hash

    assert by_hash()
    assert not by_hash(rates=thin)
    assert by_hash(rates=thick)
    assert not by_hash(rates=thin, density=even)
    assert by_hash(rates=thick, density=even)
    assert by_hash(rates=thin, density=uneven)
    # One that will not be full ends in no cell; one that begins in a cell may end in it.
    assert not by_hash(rates=thick, density=Density.flat(DAY, 700, TICKS))
    assert by_hash(Span(Position(START, 7), rest.end), rates=thin, density=even)
    assert not by_hash(rates=thick, hashable=False)
    assert not by_hash(rates=thick, paged=False)


def test_a_page_that_no_hash_divides_ends_before_a_full_cell() -> None:
    """The rows of the cell that it brought for nothing are what is wasted."""
    burst = START + 90 * 60 * SECOND
    pieces = (
        Piece(Window(START, START + HOUR), 600),
        Piece(Window(burst, burst + 1), 2_500),
        Piece(Window(burst + 1, DAY.end), 100),
    )
    density = Density(DAY, pieces, TICKS)
    plain = next_slice(Span.of(DAY), DAY, knowing(density=density, hashable=False))
    assert plain.span.end == Position(burst)
    by_hash = next_slice(Span.of(DAY), DAY, knowing(density=density))
    assert by_hash.by_hash
    assert by_hash.span.end == Position(burst + 1)


def test_of_a_cell_that_was_begun_the_rest_is_not_counted() -> None:
    """What was pulled of it can't be told apart by time, and is more than what was counted."""
    known = knowing(rates=Rates(rows_per_hour=5_000.0))
    rest = Span(Position(START + 5, 7), Position(DAY.end))
    asked = first_count(rest, DAY, known, counts=TICKS)
    assert isinstance(asked, CountCells)
    assert asked.window == Window(START + 6, DAY.end)
    last = Span(Position(DAY.end - 1, 7), Position(DAY.end))
    assert first_count(last, DAY, known, counts=TICKS) is None


def test_an_overfull_cell_is_counted_by_hash_once() -> None:
    """What is known already is not asked for again; and pages need no count."""
    rest = Span.of(DAY)
    known = knowing(grid=None, paged=False)
    asked = next_slice(rest, DAY, known)
    assert overflow_count(asked, DAY, known, counts=None) == CountBuckets(DAY, 128)
    groups = (Piece(DAY, 512, (1,) * 512),)
    counted = knowing(grid=None, paged=False, density=Density(DAY, groups, None))
    assert overflow_count(asked, DAY, counted, counts=None) is None
    unhashed = knowing(grid=None, paged=False, hashable=False)
    assert overflow_count(asked, DAY, unhashed, counts=None) is None
    assert overflow_count(next_slice(rest, DAY, knowing()), DAY, knowing(), counts=TICKS) is None


def test_an_overfull_window_is_counted_by_time_first() -> None:
    """Where it can be; what has no time in it and isn't divided by hash is merely halved."""
    asked = next_slice(Span.of(DAY), DAY, knowing(paged=False))
    assert isinstance(overflow_count(asked, DAY, knowing(paged=False), counts=TICKS), CountCells)
    assert overflow_count(asked, DAY, knowing(paged=False), counts=None) is None


@given(st.floats(0.0, 50.0), st.floats(1e-5, 0.1))
def test_a_smaller_page_takes_no_longer_than_it_may(seconds: float, per_row: float) -> None:
    """By what rows are known to take; two rows at least, or nothing of it would be whole."""
    known = knowing(rates=Rates(seconds_per_row=per_row, seconds_per_hour=0.1))
    asked = next_slice(Span.of(DAY), DAY, known)
    smaller = within(asked, seconds, known)
    assert smaller.limit is not None
    assert 2 <= smaller.limit <= 1_000
    hours = (asked.span.end.instant - asked.span.start.instant) / HOUR
    took = known.rates.seconds(rows=smaller.limit, hours=hours)
    assert took <= max(seconds, known.rates.seconds(rows=2, hours=hours)) + 1e-6
    assert within(asked, float("inf"), known) == asked
    least = least_seconds(asked, known)
    assert least is not None
    assert (within(asked, least, known).limit or 0) >= 99


def test_what_is_no_page_can_not_be_made_smaller() -> None:
    """Of an answer without an order nothing can be had alone."""
    known = knowing(paged=False)
    asked = next_slice(Span.of(DAY), DAY, known)
    assert least_seconds(asked, known) is None
    assert within(asked, 1.0, known) == asked

"""Places on an answer's line: where time may cut it, and the order of what lies there."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.spans import BUCKETS, TICKS, Grid, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window, datetime_from_instant, parse_instant

HOUR = 3_600 * TICKS_PER_SECOND
DAY = 24 * HOUR
EVEN = (
    *(TICKS, Grid(7), Grid(HOUR), Grid(7 * HOUR), Grid(DAY), Grid.weeks()),
    Grid(HOUR, parse_instant("2026-11-20T00:20:00Z")),
)
CALENDARS = (Grid.months(), Grid.years())
instants = st.integers(parse_instant("1900-01-01"), parse_instant("2200-01-01"))
grids = st.sampled_from((*EVEN, *CALENDARS))
positions = st.builds(Position, instants, st.integers(0, BUCKETS - 1))


@given(grids, instants)
def test_an_instant_lies_between_two_edges(grid: Grid, instant: int) -> None:
    """The last at or before it, and the one that follows that; an edge is its own."""
    floor, ceil = grid.floor(instant), grid.ceil(instant)
    assert floor <= instant < grid.after(floor)
    assert grid.floor(floor) == grid.ceil(floor) == floor
    assert ceil == (instant if floor == instant else grid.after(floor))
    assert grid.floor(grid.after(floor)) == grid.after(floor)
    assert grid.floor(grid.after(floor) - 1) == floor


@given(grids, instants, st.integers(1, 40), st.integers(0, 2**40))
def test_the_edges_in_a_window_are_all_that_lie_within_it(
    grid: Grid, start: int, cells: int, more: int
) -> None:
    """Strictly: the window's own start and end cut nothing."""
    end = start + cells * grid.width + more % grid.width
    edges = list(grid.edges(Window(start, end)))
    assert all(start < edge < end and grid.floor(edge) == edge for edge in edges)
    assert all(grid.after(one) == two for one, two in pairwise(edges))
    assert not edges or grid.floor(start) == grid.floor(edges[0] - 1)
    assert grid.after(edges[-1] if edges else grid.floor(start)) >= end


@given(st.sampled_from(CALENDARS), instants)
def test_months_and_years_begin_on_their_first_day(grid: Grid, instant: int) -> None:
    """At midnight, whatever their length."""
    edge, moment = datetime_from_instant(grid.floor(instant)), datetime_from_instant(instant)
    assert (edge.day, edge.hour, edge.minute, edge.second, edge.microsecond) == (1, 0, 0, 0, 0)
    assert edge.year == moment.year
    assert edge.month == (1 if grid.calendar == "year" else moment.month)


def test_a_year_ends_with_december() -> None:
    """And a leap year's February is one month too."""
    months, years = Grid.months(), Grid.years()
    assert months.after(parse_instant("2027-12-01")) == parse_instant("2028-01-01")
    assert months.after(parse_instant("2028-02-01")) == parse_instant("2028-03-01")
    assert years.after(parse_instant("2028-01-01")) == parse_instant("2029-01-01")


def test_weeks_begin_on_sundays() -> None:
    """As those of startofweek() do."""
    assert Grid.weeks().floor(parse_instant("2026-11-20T05:00:00Z")) == parse_instant("2026-11-15")


@given(grids, grids, instants)
def test_cells_of_a_nested_grid_never_cross_an_edge(inner: Grid, outer: Grid, at: int) -> None:
    """Where a grid is said to nest in another."""
    if inner.nests_in(outer):
        first = inner.floor(at)
        assert outer.floor(first) == outer.floor(inner.after(first) - 1)


@pytest.mark.parametrize(
    ("inner", "outer", "nests"),
    [
        (TICKS, Grid.months(), True),
        (Grid(HOUR), Grid(DAY), True),
        (Grid(DAY), Grid(HOUR), False),
        (Grid(7 * HOUR), Grid(DAY), False),
        (Grid(HOUR), Grid.months(), True),
        (Grid.weeks(), Grid.months(), False),
        (Grid(DAY), Grid.weeks(), True),
        (Grid.months(), Grid.years(), True),
        (Grid.years(), Grid.months(), False),
        (Grid.months(), Grid(DAY), False),
    ],
)
def test_it_is_known_which_grids_nest(inner: Grid, outer: Grid, nests: bool) -> None:
    """And not merely denied."""
    assert inner.nests_in(outer) is nests


@given(positions, positions)
def test_positions_are_in_the_order_of_time_then_of_buckets(one: Position, two: Position) -> None:
    """Which is the line's."""
    assert (one < two) == ((one.instant, one.bucket) < (two.instant, two.bucket))


@given(positions)
def test_a_position_is_read_as_it_is_written(position: Position) -> None:
    """Records on disk hold positions as text."""
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "2026-11-20#x", "2026-11-20#65536", "2026-11-20#-1", "#5"])
def test_other_texts_are_no_positions(text: str) -> None:
    """A record that holds one is not ours."""
    with pytest.raises(ValueError):
        Position.parse(text)


@given(positions, positions)
def test_a_span_is_never_empty(one: Position, two: Position) -> None:
    """Nor turned round."""
    if one < two:
        assert Span(one, two).covers(Span(one, two))
    else:
        with pytest.raises(ValueError, match="must end after it starts"):
            Span(one, two)


def test_a_span_covers_what_lies_in_it() -> None:
    """To the bucket."""
    span = Span(Position(5, 7), Position(9))
    assert span.covers(Span(Position(5, 7), Position(5, 8)))
    assert not span.covers(Span(Position(5, 6), Position(5, 8)))
    assert not span.covers(Span(Position(5, 7), Position(9, 1)))
    assert Span.of(Window(5, 9)) == Span(Position(5), Position(9))
    assert (
        str(Span(Position(0), Position(0, 3))) == "[1970-01-01T00:00:00Z, 1970-01-01T00:00:00Z#3)"
    )

"""What counts say of where rows lie: sums that hold, and places that are found."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.slicing import Density, Piece
from pipelines.slicing.density import _sure
from pipelines.spans import BUCKETS, TICKS, Grid, Position
from pipelines.windows import Window

GRIDS = (TICKS, Grid(7), Grid(10, 3))
WINDOW = Window(1_000, 2_000)


@st.composite
def densities(draw: st.DrawFn) -> Density:
    """Pieces at the grid's edges, some with gaps between them, some cells counted by hash."""
    grid = draw(st.sampled_from(GRIDS))
    start, end = grid.ceil(WINDOW.start), grid.floor(WINDOW.end)
    cells = (end - start) // grid.width
    chosen = draw(st.lists(st.integers(0, cells), min_size=2, max_size=8, unique=True))
    edges = [start + each * grid.width for each in sorted(chosen)]
    pieces = []
    for one, two in pairwise(edges):
        rows = draw(st.integers(0, 200))
        groups = ()
        if two - one == grid.width and draw(st.booleans()):
            parts = draw(st.sampled_from((1, 2, 4, 64)))
            groups = tuple(draw(st.lists(st.integers(0, 40), min_size=parts, max_size=parts)))
            rows = sum(groups)
        if rows and draw(st.integers(0, 4)):
            pieces.append(Piece(Window(one, two), rows, groups))
    return Density(WINDOW, tuple(pieces), grid)


@st.composite
def positions(draw: st.DrawFn, grid: Grid | None) -> Position:
    """Where a slice may begin or end."""
    instant = draw(st.integers(WINDOW.start, WINDOW.end))
    bucket = draw(st.sampled_from((0, 0, 1, 99, BUCKETS // 2, BUCKETS - 1)))
    return Position(instant if grid is None else grid.floor(instant), bucket)


@st.composite
def places(draw: st.DrawFn, count: int) -> tuple[Density, list[Position]]:
    density = draw(densities())
    return density, sorted(draw(positions(density.grid)) for _ in range(count))


@given(places(3))
def test_rows_add_up_wherever_an_answer_is_cut(given: tuple[Density, list[Position]]) -> None:
    """What lies before a position and after it is all there is."""
    density, (one, two, three) = given
    whole = density.rows_between(one, three)
    assert whole == pytest.approx(density.rows_between(one, two) + density.rows_between(two, three))
    assert -1e-9 <= whole <= density.rows + 1e-9
    assert density.rows_between(Position(0), Position(WINDOW.end)) == density.rows


@given(places(1), st.floats(0.5, 400))
def test_a_crossing_is_where_so_many_rows_are_reached(
    given: tuple[Density, list[Position]], rows: float
) -> None:
    """Before its piece there are fewer, with it at least so many."""
    density, [start] = given
    found = density.crossing(start, rows)
    if found is None:
        assert density.rows_between(start, Position(WINDOW.end)) < rows
        return
    piece, before = found
    end = Position(piece.window.end)
    assert before < rows
    by_chance = start.instant == piece.window.start and start.bucket and not piece.groups
    assert by_chance or density.rows_between(start, end) >= rows - 1e-6
    begins = max(start, Position(piece.window.start))
    assert before == pytest.approx(density.rows_between(start, begins))


@given(places(2), st.integers(0, 300))
def test_what_is_left_is_counted_less_what_was_found(
    given: tuple[Density, list[Position]], rows: int
) -> None:
    """No piece ever has fewer rows than none or more than the count said, and all lie ahead."""
    density, [start, end] = given
    left = density.after(start, end, rows)
    assert left.window == density.window
    assert all(piece.rows >= 0 for piece in left.pieces)
    assert all(piece.window.end > end.instant for piece in left.pieces)
    assert left.rows <= density.rows


@given(places(2))
def test_where_all_came_as_expected_the_rest_is_as_it_was(
    given: tuple[Density, list[Position]],
) -> None:
    """Finding what the count had said changes nothing but for rounding."""
    density, [start, end] = given
    expected = density.rows_between(start, end)
    left = density.after(start, end, round(expected))
    finish = Position(WINDOW.end)
    assert left.rows_between(end, finish) == pytest.approx(
        density.rows_between(end, finish), abs=1.5
    )


def test_what_is_left_of_a_bin_is_what_was_not_found_of_it() -> None:
    """Wherever a page ends in it, at an instant or within one."""
    density = Density(WINDOW, (Piece(Window(1_000, 1_100), 500),), TICKS)
    for end in (Position(1_010), Position(1_010, 7)):
        left = density.after(Position(1_000), end, 400)
        assert left.pieces == (Piece(Window(1_010, 1_100), 100),)


def test_a_bin_stands_out_beside_those_next_to_it() -> None:
    """Four times as dense as they are on average; where nothing is beside it, all of it does."""
    bins = {1_000: 10, 1_010: 10, 1_020: 40, 1_030: 10, 1_040: 39, 1_060: 3}
    density = Density.from_bins(WINDOW, bins, 10, TICKS)
    found = [piece.rows for piece in density.pieces if density.stands_out(piece)]
    assert found == [40, 39, 3]
    assert Density.flat(WINDOW, 5, TICKS).stands_out(Piece(WINDOW, 5))


@given(densities(), st.data())
def test_a_finer_count_takes_the_place_of_what_it_counted(
    density: Density, data: st.DataObject
) -> None:
    """Its rows stand, and what lay outside is as it was."""
    grid = density.grid
    assert grid is not None
    one, two = sorted(
        grid.floor(data.draw(st.integers(WINDOW.start, WINDOW.end))) for _ in range(2)
    )
    if one == two:
        two = grid.after(one)
    part = Density.flat(Window(one, two), data.draw(st.integers(0, 500)), grid)
    refined = density.refined(part)
    assert_in_order(refined)
    assert refined.rows_between(Position(one), Position(two)) == pytest.approx(part.rows)
    before = density.rows_between(Position(0), Position(one))
    after = density.rows_between(Position(two), Position(WINDOW.end))
    # A piece that is cut is shared out in whole rows.
    assert refined.rows == pytest.approx(before + part.rows + after, abs=2.0)


@given(densities())
def test_a_density_is_kept_as_json(density: Density) -> None:
    """And read back as it was; the grid is the hunt's."""
    assert Density.from_dict(density.to_dict(), density.grid) == density


@given(densities())
def test_edges_between_pieces_are_exact(density: Density) -> None:
    """And those within a piece of several ticks are not."""
    for piece in density.pieces:
        assert density.is_exact_at(Position(piece.window.start))
        assert density.is_exact_at(Position(piece.window.end))
        if piece.window.ticks > 1:
            assert not density.is_exact_at(Position(piece.window.start + 1))


def test_bins_are_cut_to_the_window() -> None:
    """The first and last of them may begin before it and end after it; empty ones are left out."""
    bins = {990: 1, 1_000: 2, 1_010: 0, 1_990: 3, 2_000: 4}
    density = Density.from_bins(Window(1_005, 1_995), bins, 10, TICKS)
    assert density.pieces == (Piece(Window(1_005, 1_010), 2), Piece(Window(1_990, 1_995), 3))


def test_without_a_grid_all_is_one_cell() -> None:
    """Only its buckets part it."""
    density = Density.flat(WINDOW, 1_000, None)
    assert density.is_cell(WINDOW)
    half = Position(WINDOW.start, BUCKETS // 2)
    assert density.rows_between(Position(WINDOW.start), half) == 500


def assert_in_order(density: Density) -> None:
    """Pieces share nothing."""
    for one, two in pairwise(density.pieces):
        assert one.window.end <= two.window.start


# Buckets


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=64).filter(any),
    st.integers(0, BUCKETS - 2),
    st.integers(1, 400),
)
def test_a_cut_within_a_cell_has_fewer_rows_than_fit(
    groups: list[int], first: int, rows: int
) -> None:
    """By what the count said of its buckets."""
    padded = (*groups, *[0] * (64 - len(groups)))
    cell = Window(1_000, 1_001)
    density = Density(WINDOW, (Piece(cell, sum(groups), padded),), TICKS)
    end = density.bucket_before(density.pieces[0], first, rows)
    assert first <= end < BUCKETS
    inside = density.rows_between(Position(1_000, first), Position(1_000, end))
    assert inside <= rows + 1e-6


def test_of_a_crowded_group_a_share_is_asked_for() -> None:
    """A count by hash may be too coarse for a small cap: bucket by bucket would take for ever."""
    cell = Piece(Window(1_000, 1_001), 28, (7, 21))
    density = Density(WINDOW, (cell,), TICKS)
    first, calls = 0, 0
    while first < BUCKETS - 1:
        first, calls = density.bucket_before(cell, first, 3), calls + 1
    assert calls <= 28


@pytest.mark.parametrize("rows", [1, 2, 16, 100, 10_000, 100_000])
def test_chance_is_allowed_for(rows: int) -> None:
    """Three deviations below what fits, of a few rows half of them."""
    assert rows / 2 <= _sure(rows, 3 * rows) < rows
    assert _sure(100_000, 250_000) > 99_000


def test_a_slice_of_a_cell_rarely_overflows() -> None:
    """Over many throws of rows into buckets, and it isn't far from full either."""
    chance = random.Random(5)  # noqa: S311 - repeated by its seed
    share = _sure(200, 500) / 500
    found = [sum(chance.random() < share for _ in range(500)) for _ in range(1_000)]
    assert sum(rows >= 200 for rows in found) <= 5
    assert sum(found) / len(found) > 160


def test_what_is_left_of_a_cell_may_be_more_than_its_share() -> None:
    """Cut before it may be too much: a page that begins with it would bring nothing whole."""
    cell, later = Piece(Window(1_000, 1_001), 1_250), Piece(Window(1_001, 1_900), 9_000)
    density = Density(WINDOW, (cell, later), TICKS)
    start = Position(1_000, 39_594)
    assert 490 < density.rows_between(start, Position(1_001)) < 500
    assert density.crossing(start, 500, by_chance=True) == (cell, 0.0)
    assert start.bucket < density.bucket_before(cell, start.bucket, 500) < BUCKETS - 999
    # Where that is out of the question, or chance needn't be allowed for, it goes on behind it.
    for found in (
        density.crossing(Position(1_000, 60_000), 500, by_chance=True),
        density.crossing(start, 500),
    ):
        assert found is not None
        assert found[0] == later


def test_planning_looks_at_nothing_behind_its_end() -> None:
    """A month has so many bins that looking at all of them for each slice would take minutes."""

    class Counted(Density):
        """Says where it is looked at."""

        def _rows_before(self, piece: Piece, position: Position) -> float:
            seen.add(piece.window.start)
            return super()._rows_before(piece, position)

    seen: set[int] = set()
    bins = dict.fromkeys(range(1000, 2000, 10), 1)
    density = Counted.from_bins(WINDOW, bins, 10, TICKS)
    assert density.rows_between(Position(1_200), Position(1_215)) == 1.5
    assert seen == {1_200, 1_210}

"""Grids: where an answer may be cut in time, and when one grid's cells lie within another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.spans import TICKS, Grid
from pipelines.windows import TICKS_PER_SECOND, parse_instant

HOUR = 3_600 * TICKS_PER_SECOND
DAY = Grid(24 * HOUR)
GRIDS = [
    *(TICKS, Grid(HOUR), Grid(HOUR * 3 // 2), Grid(2 * HOUR), Grid(3 * HOUR), Grid(5 * HOUR), DAY),
    *(Grid(HOUR, parse_instant("2026-01-01T00:30")), Grid(168 * HOUR), Grid.weeks()),
    *(Grid.months(), Grid.years()),
]
INSTANTS = st.integers(parse_instant("1999-12-01"), parse_instant("2031-02-01"))


@given(st.sampled_from(GRIDS), st.sampled_from(GRIDS), INSTANTS)
def test_what_nests_is_never_torn(fine: Grid, coarse: Grid, instant: int) -> None:
    """Each cell of the fine grid lies within one of the coarse grid."""
    if fine.nests_in(coarse):
        first = fine.floor(instant)
        last = fine.after(first) - 1
        assert coarse.floor(first) == coarse.floor(instant) == coarse.floor(last)


@pytest.mark.parametrize(
    ("fine", "coarse", "nests"),
    [
        (TICKS, Grid.months(), True),
        (Grid(HOUR), DAY, True),
        (DAY, Grid(HOUR), False),
        (Grid(2 * HOUR), Grid(3 * HOUR), False),
        (Grid(HOUR * 3 // 2), Grid(3 * HOUR), True),
        (Grid(5 * HOUR), DAY, False),
        (Grid(HOUR, parse_instant("2026-01-01T00:30")), DAY, False),
        (DAY, Grid.weeks(), True),
        (Grid(168 * HOUR), Grid.weeks(), False),  # bin(t, 7d) starts on Mondays
        (Grid.weeks(), Grid.weeks(), True),
        (DAY, Grid.months(), True),
        (Grid.weeks(), Grid.months(), False),
        (Grid.weeks(), Grid.years(), False),
        (Grid.months(), Grid.years(), True),
        (Grid.years(), Grid.months(), False),
        (Grid.months(), DAY, False),
    ],
)
def test_a_grid_nests_where_every_coarse_edge_is_a_fine_one(
    fine: Grid, coarse: Grid, nests: bool
) -> None:
    """Multiples of a width from the same origin; days in weeks, months and years."""
    assert fine.nests_in(coarse) is nests

"""Which windows are pulled again: those that grew, and few enough of them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.late.bins import MOST_IN_PARTITION, MOST_WINDOWS, Wanted, adjoining, joined
from pipelines.windows import Window

WIDTH = 10


def bins(*numbers: int, rows: int = 1) -> list[Wanted]:
    return [Wanted(Window(each * WIDTH, (each + 1) * WIDTH), rows) for each in numbers]


def test_adjacent_bins_are_one_window() -> None:
    """Others stay apart."""
    assert adjoining(bins(1, 2, 5, 6, 7, 9)) == [
        Wanted(Window(10, 30), 2),
        Wanted(Window(50, 80), 3),
        Wanted(Window(90, 100), 1),
    ]


def test_few_windows_stay_as_they_are() -> None:
    """Nothing that did not grow is pulled."""
    wanted = [bins(1, 5, 9), bins(101, 105)]
    assert joined(wanted, {}, most_rows=100) == wanted


def test_too_many_are_joined_where_the_gaps_have_the_fewest_rows() -> None:
    """As long as the rows that come for nothing cost no call more."""
    numbers = [2 * each for each in range(MOST_IN_PARTITION)]
    days = [bins(*(day * 1_000 + each for each in numbers)) for day in range(3)]
    counted = {(day * 1_000 + each + 1) * WIDTH: each for day in range(3) for each in numbers}
    found = joined(days, counted, most_rows=10_000)
    assert sum(map(len, found)) == MOST_WINDOWS
    joined_gaps = [each.rows - each.window.ticks // WIDTH // 2 - 1 for day in found for each in day]
    assert max(joined_gaps) < sum(numbers)
    # A hundred rows fit one call, and three hundred are wanted: there is no room for more.
    assert joined(days, dict.fromkeys(counted, 1000), most_rows=380) == days


@given(
    st.lists(st.sets(st.integers(0, 400), min_size=1), min_size=1, max_size=3),
    st.integers(2, 2_000),
)
def test_joined_windows_cover_what_is_wanted(days: list[set[int]], most_rows: int) -> None:
    """In order, apart, within their partition, and with all the rows in them."""
    partitions = [
        adjoining(bins(*(day * 1_000 + each for each in sorted(numbers))))
        for day, numbers in enumerate(days)
    ]
    counted = {(day * 1_000 + each) * WIDTH: 1 for day in range(len(days)) for each in range(401)}
    found = joined(partitions, counted, most_rows=most_rows)
    for before, after in zip(partitions, found, strict=True):
        assert len(after) <= MOST_IN_PARTITION
        assert after == sorted(after, key=lambda each: each.window)
        assert all(one.window.end < two.window.start for one, two in pairwise(after))
        for each in before:
            assert any(wide.window.covers(each.window) for wide in after)
        for each in after:
            assert each.rows == each.window.ticks // WIDTH
            assert each.window.start in {one.window.start for one in before}

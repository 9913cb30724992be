"""Plans: what is still to be pulled."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.slicing import Plan
from pipelines.windows import Window

WHOLE = Window(0, 1_000)


@st.composite
def disjoint_windows(draw: st.DrawFn) -> list[Window]:
    """Any set of disjoint windows within WHOLE, in any order."""
    edges = draw(st.lists(st.integers(0, 1_000), unique=True, max_size=20).map(sorted))
    pairs = pairwise(edges)
    windows = [Window(start, end) for start, end in pairs if draw(st.booleans())]
    return draw(st.permutations(windows))


def ticks(windows: list[Window]) -> list[int]:
    return sorted(tick for window in windows for tick in range(window.start, window.end))


@given(disjoint_windows())
def test_what_is_staged_is_not_planned_and_the_rest_is(staged: list[Window]) -> None:
    """Staged and planned slices together hold each tick of the partition exactly once."""
    plan = Plan.remaining(WHOLE, staged)
    assert ticks([*staged, *plan.slices]) == list(range(1_000))
    assert list(plan.slices) == sorted(plan.slices)


@given(st.lists(st.booleans(), max_size=60))
def test_any_run_of_cuts_and_pulls_covers_the_whole_once(cuts: list[bool]) -> None:
    """However often slices are halved, what is pulled in the end is each tick once, in order."""
    plan, pulled = Plan.remaining(WHOLE, []), []
    for cut in [*cuts, *[False] * 200]:
        if plan.first is None:
            break
        if cut and plan.first.ticks > 1:
            plan = plan.halved()
        else:
            pulled.append(plan.first)
            plan = plan.without_first()
    assert [tick for window in pulled for tick in range(window.start, window.end)] == list(
        range(1_000)
    )


def test_overlapping_slices_are_refused() -> None:
    """Two staged slices that share a tick would land its rows twice."""
    with pytest.raises(ValueError, match="overlaps another slice"):
        Plan.remaining(WHOLE, [Window(0, 10), Window(9, 20)])
    with pytest.raises(ValueError, match="lies outside"):
        Plan.remaining(WHOLE, [Window(990, 1_001)])


def test_a_single_tick_is_not_halved() -> None:
    """Time can't divide a tick."""
    with pytest.raises(ValueError, match="must end after it starts"):
        Plan((Window(5, 6),)).halved()

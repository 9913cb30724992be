"""Partitions: keys, windows, and lists of them."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.hunts import Partitioning
from pipelines.slicing import partition, partition_at, partitions_between
from pipelines.windows import Window, parse_instant

partitionings = st.sampled_from(["hourly", "daily", "snapshot"])
hours = st.integers(946_684_800, 4_070_908_800).map(
    lambda seconds: datetime.fromtimestamp(seconds // 3_600 * 3_600, UTC)
)


@given(partitionings, hours)
def test_a_key_names_one_window_and_back(partitioning: Partitioning, moment: datetime) -> None:
    """The partition that holds an instant is found again by its key."""
    instant = parse_instant(moment.isoformat())
    found = partition_at(partitioning, instant)
    assert instant in found.window
    assert partition(partitioning, found.key) == found


@given(partitionings, hours, st.integers(1, 200))
def test_partitions_tile_what_was_asked_for(
    partitioning: Partitioning, moment: datetime, count: int
) -> None:
    """They are in time order, share nothing, and leave nothing out."""
    first = partition_at(partitioning, parse_instant(moment.isoformat()))
    whole = Window(first.window.start, first.window.start + count * first.window.ticks)
    found = partitions_between(partitioning, whole)
    assert len(found) == count
    assert found[0].window.start == whole.start
    assert found[-1].window.end == whole.end
    assert all(one.window.end == two.window.start for one, two in pairwise(found))


def test_half_a_day_is_no_partition() -> None:
    """A window that would cut a day in two is refused, and the next whole one is named."""
    half = Window(parse_instant("2026-11-20"), parse_instant("2026-11-20T12:00:00Z"))
    with pytest.raises(ValueError, match="2026-11-21T00:00:00Z"):
        partitions_between("daily", half)


@pytest.mark.parametrize(
    ("partitioning", "key"),
    [("daily", "2026-11-20-05:00"), ("hourly", "2026-11-20"), ("hourly", "2026-11-20-05:30")],
)
def test_a_key_of_another_form_is_refused(partitioning: Partitioning, key: str) -> None:
    """The error shows a key of the right form."""
    with pytest.raises(ValueError, match="write it like 2026-11-20"):
        partition(partitioning, key)

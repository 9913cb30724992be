"""Gaps between the first partition that landed and the last that is due."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pipelines.hunts import ExportSettings, Hunt
from pipelines.slicing import Partition, partition
from pipelines.soundness import Gap, gaps
from pipelines.windows import TICKS_PER_SECOND, format_instant, parse_instant
from tests.soundness.lakes import days

HOUR = 3_600 * TICKS_PER_SECOND
NOON = parse_instant("2026-11-30T12:00:00Z")
MONTH = days("2026-11-01", 29)


def found(
    landed: list[Partition], *, now: int = NOON, data_age_days: int = 30, **export: object
) -> list[Gap]:
    hunt = Hunt("logons", "DeviceLogonEvents", export=ExportSettings(**export))
    return gaps(hunt, landed, now=now, data_age_days=data_age_days)


@given(st.sets(st.sampled_from(MONTH), min_size=1))
def test_gaps_are_what_is_missing_since_the_first(landed: set[Partition]) -> None:
    """Every missing day is in one gap, and no other day is in any."""
    missing: list[str] = []
    for gap in found(sorted(landed, key=str)):
        run = [each for each in MONTH if gap.first.key <= each.key <= gap.last.key]
        assert len(run) == gap.partitions
        missing += [each.key for each in run]
    first = min(each.key for each in landed)
    there = {each.key for each in landed}
    assert missing == [each.key for each in MONTH if each.key > first and each.key not in there]


def test_a_night_has_until_six_to_bring_its_day() -> None:
    """A day that ended just now is not missing."""
    yesterday = parse_instant("2026-11-30T00:00:00Z")
    assert found(MONTH[:-1], now=yesterday + 5 * HOUR) == []
    [gap] = found(MONTH[:-1], now=yesterday + 6 * HOUR)
    assert (gap.first.key, gap.partitions) == ("2026-11-29", 1)


def test_what_nobody_loads_by_night_is_never_late() -> None:
    """Of a hunt without a schedule only what is missing in between is a gap."""
    assert found(MONTH[:3], schedule=False) == []
    assert [gap.partitions for gap in found([MONTH[0], MONTH[2]], schedule=False)] == [1]


def test_a_gap_says_until_when_it_can_be_loaded() -> None:
    """Until its first partition begins to fall off the horizon; what is lost is a gap by itself."""
    lost, loadable = found([MONTH[0], *MONTH[9:]], data_age_days=25)
    assert (lost.first.key, lost.last.key, lost.until) == ("2026-11-02", "2026-11-05", None)
    assert (loadable.first.key, loadable.last.key) == ("2026-11-06", "2026-11-09")
    assert loadable.until is not None
    assert format_instant(loadable.until) == "2026-12-01T00:00:00Z"


def test_hours_are_due_when_their_day_is() -> None:
    """The night loads all of yesterday's."""
    hours = [
        partition("hourly", f"2026-11-{day}-{hour:02}:00") for day in (28, 29) for hour in range(24)
    ]
    assert found(hours, partitions="hourly") == []
    [gap] = found([*hours[:30], *hours[32:]], partitions="hourly")
    assert (gap.first.key, gap.last.key) == ("2026-11-29-06:00", "2026-11-29-07:00")


def test_a_snapshot_that_was_not_taken_is_lost() -> None:
    """Tables without a time have no yesterday."""
    taken = [partition("snapshot", each.key) for each in MONTH]
    [gap] = found([*taken[:-3], *taken[-2:]], partitions="snapshot")
    assert (gap.first.key, gap.until) == ("2026-11-27", None)


def test_a_start_leaves_out_what_was_before_it() -> None:
    """A day that is lost for good need not be told of for ever."""
    landed = [MONTH[0], *MONTH[9:]]
    assert found(landed, start=date(2026, 11, 10)) == []


def test_an_empty_lake_has_no_gaps() -> None:
    """Nothing says since when there should be something."""
    assert found([]) == []

"""When hunts are loaded by themselves, and what each tick asks for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout

LOGONS = "DeviceLogonEvents | project Timestamp, DeviceId"
STATE = "DeviceTvmSoftwareInventory | project DeviceId"
TODAY = datetime(2026, 11, 20, tzinfo=UTC)

Schedule = Callable[..., dg.ScheduleDefinition]


@pytest.fixture
def schedule_of(tmp_path: Path) -> Schedule:
    def build(kql: str = LOGONS, name: str = "hunt", **settings: str) -> dg.ScheduleDefinition:
        folder = tmp_path / "hunts"
        folder.mkdir(exist_ok=True)
        lines = [f"//   {key}: {value}" for key, value in settings.items()]
        header = "\n".join(["// export:", "//   start: 2026-01-01", *lines])
        (folder / f"{name}.kql").write_text(f"{header}\n{kql}")
        hunts = TenantHunts("contoso.com", load_hunts(folder), LakeLayout(tmp_path / "data"))
        repository = build_defs(hunts).get_repository_def()
        [schedule] = [
            each
            for each in repository.schedule_defs
            if each.name.startswith(f"contoso_com__{name}__")
        ]
        return schedule

    return build


def ticks(schedule: dg.ScheduleDefinition, since: datetime = TODAY) -> list[datetime]:
    """The day's ticks after an instant."""
    windows = dg.TimeWindowPartitionsDefinition(
        start=since - timedelta(days=7),
        fmt="%Y-%m-%dT%H:%M",
        cron_schedule=str(schedule.cron_schedule),
        timezone=schedule.execution_timezone,
    ).get_partition_keys(current_time=since + timedelta(days=7))
    found = [datetime.fromisoformat(f"{each}+00:00") for each in windows]
    return [each for each in found if since <= each < since + timedelta(days=1)]


def hour(key: str) -> datetime:
    """When an hour begins, by its key."""
    return datetime.strptime(f"{key}+0000", "%Y-%m-%d-%H:%M%z")


def asked(schedule: dg.ScheduleDefinition, tick: datetime) -> Any:
    """The one partition that a tick asks for, or the first and last, or why none."""
    context = dg.build_schedule_context(scheduled_execution_time=tick)
    request = schedule(context)
    if isinstance(request, dg.SkipReason):
        return request.skip_message
    assert isinstance(request, dg.RunRequest)
    if request.partition_key:
        return request.partition_key
    tags = request.tags
    return (
        tags["dagster/asset_partition_range_start"],
        tags["dagster/asset_partition_range_end"],
    )


@pytest.mark.parametrize(
    ("kql", "settings", "wanted"),
    [
        (LOGONS, {}, "2026-11-19"),
        (LOGONS, {"settle": "1d"}, "2026-11-18"),
        (LOGONS, {"partitions": "hourly"}, ("2026-11-19-00:00", "2026-11-19-23:00")),
        (LOGONS, {"partitions": "hourly", "settle": "30m"}, None),
        (STATE, {}, "2026-11-20"),
        (STATE, {"settle": "23h"}, "2026-11-20"),
    ],
)
def test_each_night_asks_for_what_has_settled_since_the_last(
    kql: str, settings: dict[str, str], wanted: Any, schedule_of: Schedule
) -> None:
    """The day that is over, its hours in one run, or the snapshot of the night itself."""
    schedule = schedule_of(kql, **settings)
    [tick] = ticks(schedule)
    found = asked(schedule, tick)
    if wanted is None:
        # Hours settle at any time, so that a night asks for the 24 that did.
        first, last = found
        assert hour(last) - hour(first) == timedelta(hours=23)
    else:
        assert found == wanted


def test_nights_follow_one_another_without_a_gap(schedule_of: Schedule) -> None:
    """What one tick asks for ends where the next one's begins."""
    schedule = schedule_of(partitions="hourly", settle="5h")
    [tonight] = ticks(schedule)
    [tomorrow] = ticks(schedule, TODAY + timedelta(days=1))
    _, last = asked(schedule, tonight)
    first, _ = asked(schedule, tomorrow)
    assert hour(first) - hour(last) == timedelta(hours=1)


def test_a_night_begins_once_the_day_has_settled(schedule_of: Schedule) -> None:
    """And within two hours of it; other hunts begin at other minutes."""
    nights = [
        ticks(schedule_of(name=name, settle="3h"))[0] - TODAY for name in ("a", "b", "c", "d", "e")
    ]
    assert all(timedelta(hours=3) <= each < timedelta(hours=5) for each in nights)
    assert len(set(nights)) > 1


def test_an_hour_is_loaded_each_hour_where_the_hunt_says_so(schedule_of: Schedule) -> None:
    """Once it has settled."""
    schedule = schedule_of(partitions="hourly", schedule="hourly", settle="2h")
    found = ticks(schedule)
    assert len(found) == 24
    assert [asked(schedule, tick) for tick in found[:2]] == ["2026-11-19-21:00", "2026-11-19-22:00"]


def test_a_cron_schedule_asks_for_all_since_the_last_time(schedule_of: Schedule) -> None:
    """A week of days, on Mondays; nothing where nothing has settled."""
    weekly = schedule_of(schedule="30 6 * * 1")
    assert asked(weekly, datetime(2026, 11, 23, 6, 30, tzinfo=UTC)) == ("2026-11-16", "2026-11-22")
    often = schedule_of(schedule="0 */6 * * *")
    found = [asked(often, tick) for tick in ticks(often, TODAY - timedelta(hours=1))]
    assert [each for each in found if "settled" not in each] == ["2026-11-19"]


def test_a_hunt_may_have_no_schedule(schedule_of: Schedule) -> None:
    """It is loaded by hand, or by what else there is."""
    with pytest.raises(ValueError, match="not enough values"):
        schedule_of(schedule="false")

"""The catch-up sensor: what it asks for, in which order, and what it leaves alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.catalogue import TenantHunts
from assets.running import ALL_ASSETS, RANGE_END, RANGE_START
from assets.sensors import catch_up_sensor
from pipelines.clock import SimulatedClock
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout
from pipelines.slicing import partition, partitions_between
from pipelines.windows import NANOSECONDS_PER_TICK, Window, parse_instant

KQL = "DeviceLogonEvents | project Timestamp, DeviceId"
STATE = "DeviceTvmSoftwareInventory | project DeviceId"
NOON = parse_instant("2026-11-20T12:00:00")


class CatchUp:
    """A tenant's lake, its sensor, and what one tick asks for."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, now: int) -> None:
        self.instance = instance
        self.layout = LakeLayout(folder / "data")
        self.clock = SimulatedClock(now * NANOSECONDS_PER_TICK)
        self.hunts_folder = folder / "hunts"
        self.hunts_folder.mkdir()

    def hunt(self, name: str, kql: str = KQL, **settings: str) -> None:
        lines = [f"//   {key}: {value}" for key, value in settings.items()]
        text = "\n".join(["// export:", "//   group: g", *lines, kql])
        (self.hunts_folder / f"{name}.kql").write_text(text)

    def land(self, name: str, first: str, last: str, kind: Any = "daily") -> None:
        """Leave files as exports from the first to the last would."""
        window = Window(partition(kind, first).window.start, partition(kind, last).window.end)
        for each in partitions_between(kind, window):
            path = self.layout.partition_file(name, "demo", each)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def build(self) -> dg.SensorDefinition:
        hunts = TenantHunts("demo", load_hunts(self.hunts_folder), self.layout)
        return catch_up_sensor(hunts, self.clock)

    def requests(self) -> list[dg.RunRequest]:
        """What one tick asks Dagster for."""
        result = self.build()(dg.build_sensor_context(instance=self.instance))
        if isinstance(result, dg.SkipReason):
            return []
        assert isinstance(result, dg.SensorResult)
        return list(result.run_requests or [])

    def tick(self) -> list[tuple[str, str, str]]:
        """Hunt, first and last partition of each run that is asked for, in order."""
        requests = self.requests()
        assert len({each.run_key for each in requests}) == len(requests)
        return [
            (
                next(key.path[-1] for key in each.asset_selection or ()),
                each.partition_key or each.tags[RANGE_START],
                each.partition_key or each.tags[RANGE_END],
            )
            for each in requests
        ]


@pytest.fixture
def catch_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CatchUp]]:
    monkeypatch.setenv("HUNTLAKE_LIMITS", "seed")
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda now=NOON: CatchUp(tmp_path, instance, now)


def test_what_was_never_loaded_is_asked_for(catch_up: Callable[..., CatchUp]) -> None:
    """One run from the first that is missing to the last, what lies between for nothing."""
    now = catch_up()
    now.hunt("logons", start="2026-11-10")
    assert now.tick() == [("logons", "2026-11-10", "2026-11-19")]
    now.land("logons", "2026-11-10", "2026-11-12")
    now.land("logons", "2026-11-14", "2026-11-17")
    assert now.tick() == [("logons", "2026-11-13", "2026-11-19")]
    now.land("logons", "2026-11-13", "2026-11-19")
    assert now.tick() == []


def test_what_expires_first_is_asked_for_first(catch_up: Callable[..., CatchUp]) -> None:
    """Today's snapshot, which nobody can take tomorrow, before a month that has weeks left."""
    now = catch_up()
    now.hunt("recent", start="2026-11-15")
    now.hunt("older", start="2026-11-05")
    now.hunt("state", STATE, start="2026-11-01")
    now.hunt("ancient", start="2026-10-23")
    names = [name for name, _, _ in now.tick()]
    assert names == ["state", "ancient", "older", "recent"]


def test_what_is_gone_or_has_not_settled_is_left_alone(catch_up: Callable[..., CatchUp]) -> None:
    """And what its own schedule is about to load."""
    now = catch_up()
    now.hunt("hours", start="2026-10-01", partitions="hourly")
    # Hours that began before noon, thirty days ago, are past the horizon; three hours are the
    # schedule's, and two settle.
    assert now.tick() == [("hours", "2026-10-21-12:00", "2026-11-20-06:00")]
    now.clock.sleep(-1)
    now.hunt("hours", start="2026-11-20", partitions="hourly", settle="11h")
    assert now.tick() == []


def test_a_few_gaps_are_one_run_and_far_ones_are_several(
    catch_up: Callable[..., CatchUp],
) -> None:
    """A run for each missing hour would start Python for each."""
    now = catch_up()
    now.hunt("hours", start="2026-11-10", partitions="hourly")
    now.land("hours", "2026-11-10-00:00", "2026-11-20-06:00", "hourly")
    for key in ("2026-11-11-03:00", "2026-11-11-05:00", "2026-11-15-00:00"):
        now.layout.partition_file("hours", "demo", partition("hourly", key)).unlink()
    assert now.tick() == [
        ("hours", "2026-11-11-03:00", "2026-11-11-05:00"),
        ("hours", "2026-11-15-00:00", "2026-11-15-00:00"),
    ]


def test_what_a_run_is_about_to_load_is_not_asked_for_again(
    catch_up: Callable[..., CatchUp],
) -> None:
    """Whoever started it; another hunt's runs are another's."""
    now = catch_up()
    now.hunt("logons", start="2026-11-10")
    now.hunt("others", start="2026-11-18")
    tags = {RANGE_START: "2026-11-10", RANGE_END: "2026-11-15"}
    run = dg.DagsterRun(
        job_name=ALL_ASSETS,
        asset_selection=frozenset({dg.AssetKey(["demo", "logons"])}),
        status=dg.DagsterRunStatus.STARTED,
        tags=tags,
    )
    now.instance.add_run(run)
    assert now.tick() == [
        ("logons", "2026-11-16", "2026-11-19"),
        ("others", "2026-11-18", "2026-11-19"),
    ]


def test_a_stretch_is_asked_for_once_a_day(catch_up: Callable[..., CatchUp]) -> None:
    """By its run key, which Dagster takes once: what fails each time is no storm of runs."""
    now = catch_up()
    now.hunt("logons", start="2026-11-19")

    def key() -> str | None:
        [request] = now.requests()
        return request.run_key

    first = key()
    now.clock.sleep(timedelta(hours=6).total_seconds())
    assert key() == first
    now.clock.sleep(timedelta(hours=6).total_seconds())
    assert key() != first


def test_one_tick_asks_for_ten_runs_at_most(catch_up: Callable[..., CatchUp]) -> None:
    """The others come at the next."""
    now = catch_up()
    for number in range(12):
        now.hunt(f"hunt_{number}", start="2026-11-19")
    assert len(now.tick()) == 10

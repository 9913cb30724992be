"""The nightly recount as Dagster runs it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.recounts import recount_job, recount_schedule
from pipelines.clock import SimulatedClock
from pipelines.settings import load_settings
from pipelines.slicing import partition
from pipelines.soundness import read_file
from pipelines.standin import Standin
from tests.assets.test_exports import RANGE, engine_at, hunts, materialize
from tests.conftest import EVENTS

__all__ = ["hunts", "materialize"]


def test_each_recounted_partition_is_told_of(
    materialize: Callable[..., Any], hunts: TenantHunts, clock: SimulatedClock, tmp_path: Path
) -> None:
    """By an observation where nothing came late, else as materialized anew; one call counts all."""
    with Standin(tmp_path / "standin", data=EVENTS, clock=clock) as standin:
        told, replaced, calls = recounted(standin, materialize, hunts, clock, tmp_path)
    assert {each.partition_key for each in told} == {"2026-11-17", "2026-11-19"}
    assert all(
        each.asset_observation is not None
        and each.asset_observation.metadata["late_rows"].value == 0
        for each in told
    )
    [event] = replaced
    assert event.partition_key == "2026-11-18"
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["late_rows"].value == 7
    # One that counts, and one that pulls what grew.
    assert calls == 2
    # The receipt of a partition of which only a part was pulled again is a proof like any other.
    folder = hunts.layout.hunt_folder("network", "demo")
    for path in hunts.layout.hunt_files("network"):
        found = read_file(path, folder, "network", "demo", "daily")
        assert found is not None
        assert found.problems == ()


def recounted(
    standin: Standin,
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
    tmp_path: Path,
) -> tuple[Sequence[dg.EventLogRecord], Sequence[dg.EventLogRecord], int]:
    """What Dagster is told of a recount once seven events came late on the 18th, and its calls."""
    environment = {
        **standin.environment(),
        "HUNTLAKE_DATA": str(tmp_path / "data"),
        "HUNTLAKE_LIMITS": "seed",
    }
    engine = engine_at(load_settings(environment, root=tmp_path), clock)
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(standin, instance, tags=RANGE).success
        clock.sleep(86_400)
        late = partition("daily", "2026-11-18").window
        standin.tenant.add_late("DeviceNetworkEvents", late, rows=7, seed=5)
        calls, key = len(standin.calls), hunts.key("network")
        before = len(instance.fetch_materializations(key, limit=10).records)
        job = recount_job(hunts)
        result = job.execute_in_process(instance=instance, resources={"engine": engine})
        assert result.success
        told = instance.fetch_observations(key, limit=10).records
        landed = instance.fetch_materializations(key, limit=10).records
    return told, landed[: len(landed) - before], len(standin.calls) - calls


def test_it_runs_after_the_night_s_loads(hunts: TenantHunts) -> None:
    """Once a night, by a schedule of the tenant's own."""
    schedule = recount_schedule(hunts, recount_job(hunts))
    assert str(schedule.cron_schedule).endswith(" 6 * * *")
    names = {each.name for each in build_defs(hunts).get_repository_def().schedule_defs}
    assert schedule.name in names

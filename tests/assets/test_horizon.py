"""Partitions that fall off the horizon, as Dagster shows them."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets.catalogue import TenantHunts
from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock
from pipelines.slicing import partition
from pipelines.standin import Standin
from pipelines.windows import NANOSECONDS_PER_TICK
from tests.assets.test_exports import RANGE, hunts, materialize, metadata_by_partition

__all__ = ["hunts", "materialize"]

Serve = Callable[..., Standin]
DAYS = [partition("daily", f"2026-11-{day}") for day in (17, 18, 19)]
DAY_NS = 86_400 * NANOSECONDS_PER_SECOND


def go_to_horizon(clock: SimulatedClock, number: int, *, seconds: float) -> None:
    """So many seconds past when the first instant of a day is gone."""
    gone_ns = DAYS[number].window.start * NANOSECONDS_PER_TICK + 30 * DAY_NS
    clock.ns = gone_ns + round(seconds * NANOSECONDS_PER_SECOND)


def failure_of(result: dg.ExecuteInProcessResult) -> Any:
    [failure] = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.user_failure_data


def statuses(instance: dg.DagsterInstance, hunts: TenantHunts) -> list[AssetPartitionStatus | None]:
    """What Dagster's page shows of each day."""
    hunt = hunts.catalogue.hunts["network"]
    keys = [each.key for each in DAYS]
    found = instance.get_status_by_partition(hunts.key("network"), keys, hunts.partitions_def(hunt))
    assert found is not None
    return [found[key] for key in keys]


def test_an_expired_partition_is_refused_and_stays(
    serve: Serve,
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
) -> None:
    """A month later nothing is asked of the service, the run fails, and the file is as it was."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(standin, instance, partition_key="2026-11-17").success
        [path] = hunts.layout.hunt_files("network")
        before, calls = path.read_bytes(), len(standin.calls)
        clock.sleep(31 * 86_400)
        again = materialize(standin, instance, partition_key="2026-11-17")
        shown = statuses(instance, hunts)
    assert not again.success
    said = failure_of(again)
    assert "2026-11-17" in said.description
    assert "reaches past the horizon" in said.description
    assert said.metadata["error"].value == "PartitionExpired"
    assert (path.read_bytes(), len(standin.calls)) == (before, calls)
    assert shown[0] is AssetPartitionStatus.MATERIALIZED


def test_what_expired_keeps_nothing_else_from_loading(
    serve: Serve,
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
) -> None:
    """Green is what readers have, red what they never will, and the run's end names both."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(standin, instance, partition_key="2026-11-17").success
        go_to_horizon(clock, 1, seconds=1)
        result = materialize(standin, instance, tags=RANGE)
        shown = statuses(instance, hunts)
        reasons = {
            each.partition_key: each.asset_observation
            for each in instance.fetch_observations(hunts.key("network"), limit=10).records
        }
        rows = metadata_by_partition(instance, hunts.key("network"))
    assert shown == [
        AssetPartitionStatus.MATERIALIZED,
        AssetPartitionStatus.FAILED,
        AssetPartitionStatus.MATERIALIZED,
    ]
    assert rows["2026-11-17"]["dagster/partition_row_count"].value == 6_000
    said = failure_of(result)
    assert said.description.startswith("network: 2 of 3 partitions were not exported")
    assert {name: said.metadata[name].value for name in ("tenant", "hunt")} == {
        "tenant": "demo",
        "hunt": "network",
    }
    table = [dict(record.data) for record in said.metadata["failed"].records]
    assert [each["partition"] for each in table] == ["2026-11-17", "2026-11-18"]
    assert reasons.keys() == {"2026-11-17", "2026-11-18"}
    observation = reasons["2026-11-18"]
    assert observation is not None
    assert "past the horizon" in (observation.description or "")
    assert observation.metadata["in_the_lake"].value is False


def test_what_will_not_make_it_is_told_before_it_is_gone(
    serve: Serve,
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
) -> None:
    """Once an answer tells what the others take: which, when it expires, and when its turn is."""
    limits = "seed,rows=200,calls_per_hour=1"
    standin = serve(rows=200)
    go_to_horizon(clock, 0, seconds=-600)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(standin, instance, limits, partition_key="2026-11-17")
        told = instance.fetch_observations(hunts.key("network"), limit=10).records
    first = told[-1].asset_observation
    assert first is not None
    assert first.partition is None
    assert "will not make it before the horizon" in (first.description or "")
    record = dict(first.metadata["partitions"].records[0].data)
    assert (record["partition"], record["expires_at"]) == ("2026-11-17", "2026-12-17T00:00Z")
    assert record["expected_at"] > record["expires_at"]
    assert failure_of(result).metadata["error"].value == "PartitionExpired"

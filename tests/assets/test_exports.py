"""Materializing for real: Dagster, the engine, the stand-in and the lake."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.metadata import PARTITION_NUMBERS
from assets.quota import quota_asset
from assets.resources import EngineResource
from pipelines.engine import Engine
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout
from pipelines.quota import Limits
from pipelines.settings import Settings, load_settings
from pipelines.standin import Fault, Standin
from tests.conftest import SimulatedClock

Serve = Callable[..., Standin]
RANGE = {
    "dagster/asset_partition_range_start": "2026-11-17",
    "dagster/asset_partition_range_end": "2026-11-19",
}


def engine_at(settings: Settings, clock: SimulatedClock) -> EngineResource:
    """An engine with given settings, in the tests' own time. Dagster makes resources anew."""

    class EngineAt(EngineResource):
        def open(self, tenant: str) -> Engine:
            return Engine(settings, clock)

        def clock(self) -> SimulatedClock:
            return clock

        def limits(self, tenant: str) -> Limits:
            return settings.limits

    return EngineAt()


@pytest.fixture
def hunts(tmp_path: Path) -> TenantHunts:
    folder = tmp_path / "hunts"
    folder.mkdir()
    header = "// export:\n//   start: 2026-11-10\n"
    (folder / "network.kql").write_text(
        header + "DeviceNetworkEvents | project Timestamp, DeviceId, RemotePort"
    )
    return TenantHunts("demo", load_hunts(folder), LakeLayout(tmp_path / "data"))


@pytest.fixture
def materialize(
    hunts: TenantHunts, tmp_path: Path, clock: SimulatedClock
) -> Callable[..., dg.ExecuteInProcessResult]:
    def run(
        standin: Standin, instance: dg.DagsterInstance, limits: str = "seed", **how: Any
    ) -> dg.ExecuteInProcessResult:
        environment = {
            **standin.environment(),
            "HUNTLAKE_DATA": str(tmp_path / "data"),
            "HUNTLAKE_LIMITS": limits,
        }
        settings = load_settings(environment, root=tmp_path)
        engine = engine_at(settings, clock)
        defs = build_defs(hunts, engine)
        [asset] = [
            each for each in defs.assets or () if hunts.key("network") in getattr(each, "keys", ())
        ]
        return dg.materialize(
            [asset],
            instance=instance,
            resources={"engine": engine},
            raise_on_error=False,
            **how,
        )

    return run


def metadata_by_partition(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> dict[str | None, Mapping[str, Any]]:
    records = instance.fetch_materializations(key, limit=100).records
    return {
        record.partition_key: record.asset_materialization.metadata
        for record in records
        if record.asset_materialization
    }


def test_one_partition_is_materialized_with_what_it_cost(
    serve: Serve, materialize: Callable[..., Any], hunts: TenantHunts
) -> None:
    """Rows, bytes, calls, running time, waste, schema, slices and a preview."""
    standin = serve(rows=1_000)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(standin, instance, "seed,rows=1000", partition_key="2026-11-19")
        assert result.success
        metadata = metadata_by_partition(instance, hunts.key("network"))["2026-11-19"]
    values = {name: value.value for name, value in metadata.items()}
    assert values["dagster/partition_row_count"] == 1_500
    assert values["calls"] == len(standin.calls) == 2
    assert set(PARTITION_NUMBERS) <= values.keys()
    assert (values["errors"], values["retries"]) == (0, 0)
    assert (values["calls_wasted"], values["rows_wasted"]) == (0, 1)
    assert values["running_seconds"] > 0
    assert values["bytes"] == Path(values["dagster/uri"]).stat().st_size
    assert values["dagster/column_schema"].columns[0].name == "Timestamp"
    assert len(metadata["slices"].records) == 2
    assert values["preview"].startswith("| Timestamp | DeviceId")


def test_many_partitions_in_one_run_are_each_reported(
    serve: Serve, materialize: Callable[..., Any], hunts: TenantHunts
) -> None:
    """A backfill is one run, and every day has figures of its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(serve(), instance, tags=RANGE).success
        found = metadata_by_partition(instance, hunts.key("network"))
    rows = {key: metadata["dagster/partition_row_count"].value for key, metadata in found.items()}
    assert rows == {"2026-11-17": 6_000, "2026-11-18": 1_500, "2026-11-19": 1_500}


def test_a_run_that_fails_midway_keeps_what_it_committed(
    serve: Serve, materialize: Callable[..., Any], hunts: TenantHunts
) -> None:
    """Days before the failure are green; running again costs only what is missing."""
    standin = serve(rows=7_000)
    standin.faults.next(None, None, Fault.FORBIDDEN_HTML)
    limits = "seed,rows=7000"
    with dg.DagsterInstance.ephemeral() as instance:
        assert not materialize(standin, instance, limits, tags=RANGE).success
        assert set(metadata_by_partition(instance, hunts.key("network"))) == {"2026-11-17"}
        assert materialize(standin, instance, limits, tags=RANGE).success
        assert len(metadata_by_partition(instance, hunts.key("network"))) == 3
    # A count and two pages, of which the second is asked for again.
    assert [call.status for call in standin.calls] == [200, 200, 403, 200]


def test_a_failure_says_what_to_do(serve: Serve, materialize: Callable[..., Any]) -> None:
    """The run's error is our own sentence, not a page of frames."""
    standin = serve()
    standin.revoke_permission()
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(standin, instance, partition_key="2026-11-19")
        [failure] = [event for event in result.all_events if event.is_step_failure]
    said = failure.step_failure_data.error
    assert said is not None
    assert "ThreatHunting.Read.All" in (
        failure.step_failure_data.user_failure_data.description or ""
    )


def test_refresh_pulls_again(serve: Serve, materialize: Callable[..., Any]) -> None:
    """A committed partition costs nothing again, unless the run's config says so."""
    standin = serve()
    refresh = {"ops": {"demo__network": {"config": {"refresh": True}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        for config in (None, None, refresh):
            materialize(standin, instance, partition_key="2026-11-19", run_config=config)
    assert len(standin.calls) == 2


def test_each_partition_says_what_of_the_quota_is_used(
    serve: Serve, materialize: Callable[..., Any], hunts: TenantHunts
) -> None:
    """Numbers on each, and the picture once a run, since Dagster keeps everything for ever."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(serve(), instance, tags=RANGE).success
        found = metadata_by_partition(instance, hunts.key("network"))
    used = [found[f"2026-11-{day}"]["quota_used_hour_seconds"].value for day in (17, 18, 19)]
    assert 0 < used[0] <= used[1] <= used[2]
    assert all("quota_used_minute_calls" in each for each in found.values())
    with_picture = [key for key, each in found.items() if "quota_over_the_day" in each]
    assert with_picture == ["2026-11-19"]
    picture = found["2026-11-19"]["quota_over_the_day"].value
    assert picture.startswith("![running time used](data:image/png;base64,")
    assert len(picture) < 40_000


def test_the_quota_can_be_looked_at_without_an_export(
    hunts: TenantHunts, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An asset of its own shows it: no call, no sign-in."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "HUNTLAKE_LIMITS"):
        monkeypatch.setenv(name, "")
    result = dg.materialize([quota_asset(hunts, clock)])
    [event] = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["quota_used_day_seconds"].value == 0
    assert "Nothing was called in the last day." in str(metadata["report"].value)
    assert "base64" in str(metadata["quota_over_the_day"].value)

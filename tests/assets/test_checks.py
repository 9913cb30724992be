"""The asset checks of real runs: what Dagster keeps of them, and what it must not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.findings import Findings
from pipelines.committing import PartitionExport
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout, connect
from pipelines.landing import Receipt, kept_aside_rows
from pipelines.settings import load_settings
from pipelines.slicing import partition
from pipelines.standin import Fault, Standin
from tests.assets.test_exports import RANGE, engine_at, metadata_by_partition
from tests.conftest import SimulatedClock
from tests.landing.samples import a_receipt

Serve = Callable[..., Standin]
KQL = {
    "types": (
        "// export:\n//   start: 2026-11-10\n//   time_column: Timestamp\n"
        "HuntlakeTypes | project Timestamp, Sentinel, Span, LogonId, LogonID"
    ),
    "one_odd_day": (
        "// export:\n//   start: 2026-11-10\n//   time_column: Timestamp\n"
        "HuntlakeTypes | project Timestamp, Ended = iff("
        "startofday(Timestamp) == datetime(2026-11-18), Sentinel, Timestamp)"
    ),
    "network": (
        "// export:\n//   start: 2026-11-10\nDeviceNetworkEvents | project Timestamp, DeviceId"
    ),
}
DAYS = ("2026-11-17", "2026-11-18", "2026-11-19")


class Runs:
    """Runs of a hunt in one Dagster instance."""

    def __init__(self, hunts: TenantHunts, name: str, engine: Any, instance: Any) -> None:
        self.key = hunts.key(name)
        self.layout = hunts.layout
        self.instance = instance
        defs = build_defs(hunts, engine)
        self._engine = engine
        self._assets = [each for each in defs.assets or () if self.key in getattr(each, "keys", ())]

    def run(self, day: str | None = None) -> dg.ExecuteInProcessResult:
        """One day, or all of ``DAYS`` in one run."""
        how: dict[str, Any] = {"tags": RANGE} if day is None else {"partition_key": day}
        return dg.materialize(
            self._assets,
            instance=self.instance,
            resources={"engine": self._engine},
            raise_on_error=False,
            **how,
        )

    def history(self, check: str) -> list[Any]:
        """What Dagster shows of a check, the current result first."""
        return self.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(self.key, check), limit=100
        )

    def current(self, check: str) -> Any:
        """The evaluation that the asset's page shows."""
        return evaluation(self.history(check)[0])


def evaluation(record: Any) -> Any:
    return record.event.dagster_event.event_specific_data


@pytest.fixture
def runs_of(tmp_path: Path, clock: SimulatedClock) -> Callable[..., Runs]:
    def start(standin: Standin, name: str, instance: dg.DagsterInstance) -> Runs:
        folder = tmp_path / "hunts"
        folder.mkdir()
        (folder / f"{name}.kql").write_text(KQL[name])
        environment = {
            **standin.environment(),
            "HUNTLAKE_DATA": str(tmp_path / "data"),
            "HUNTLAKE_LIMITS": "seed",
        }
        engine = engine_at(load_settings(environment, root=tmp_path), clock)
        hunts = TenantHunts("demo", load_hunts(folder), LakeLayout(tmp_path / "data"))
        return Runs(hunts, name, engine, instance)

    return start


def records(metadata: Any) -> list[dict[str, Any]]:
    return [dict(record.data) for record in metadata.records]


def test_values_kept_aside_are_a_warning(serve: Serve, runs_of: Callable[..., Runs]) -> None:
    """By column, with rows that a reader of the file finds them in; nothing is blocked."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), "types", instance)
        assert runs.run("2026-11-18").success
        found = runs.current("values_kept_aside")
        [metadata] = metadata_by_partition(instance, runs.key).values()
    assert (found.passed, found.severity, found.blocking) == (
        False,
        dg.AssetCheckSeverity.WARN,
        False,
    )
    table = records(found.metadata["kept_aside"])
    assert [(each["partition"], each["column"]) for each in table] == [
        ("2026-11-18", "Sentinel"),
        ("2026-11-18", "Span"),
    ]
    assert records(metadata["kept_aside_by_column"]) == table
    path = metadata["dagster/uri"].value
    with connect(runs.layout) as lake:
        for each in table:
            rows = lake.sql(
                "SELECT file_row_number FROM read_parquet($1, file_row_number = true) "
                "WHERE (_kept_aside -> $2) IS NOT NULL ORDER BY 1",
                params=[path, each["column"]],
            ).fetchall()
            assert len(rows) == each["values"]
            assert ", ".join(str(row) for (row,) in rows[:5]) == each["first_rows"]
    assert sum(each["values"] for each in table) == metadata["values_kept_aside"].value


def test_a_run_tells_of_each_partition_and_of_all(
    serve: Serve, runs_of: Callable[..., Runs]
) -> None:
    """The current result is the run's, and each day has one of its own: none hides another."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), "one_odd_day", instance)
        assert runs.run().success
        history = runs.history("values_kept_aside")
        by_day = {record.partition: evaluation(record).passed for record in history}
        current = runs.current("values_kept_aside")
    assert "PLANNED" not in {record.status.value for record in history}
    assert history[0].partition is None
    assert by_day == {None: False, "2026-11-17": True, "2026-11-18": False, "2026-11-19": True}
    assert {each["partition"] for each in records(current.metadata["kept_aside"])} == {"2026-11-18"}
    assert "of 3 partitions" in current.description


def test_no_value_gets_into_dagster(serve: Serve, runs_of: Callable[..., Runs]) -> None:
    """Places and counts are enough to find it in the lake, where it is guarded."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), "types", instance)
        result = runs.run("2026-11-18")
        told = "".join(str(evaluation(each)) for each in runs.history("values_kept_aside"))
        told += "".join(map(str, result.all_events))
    assert "Sentinel" in told
    with connect(runs.layout) as lake:
        values = lake.sql(
            "SELECT DISTINCT unnest(_kept_aside ->> ['$.Sentinel', '$.Span']) FROM types"
        ).fetchall()
    assert len(values) > 1
    assert not [value for (value,) in values if value and value in told]


def test_columns_that_change_are_a_warning(serve: Serve, runs_of: Callable[..., Runs]) -> None:
    """With their names and types, on the day of the change and in the run's result alone."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, "network", instance)
        assert runs.run("2026-11-17").success
        assert runs.current("schema_change").passed
        standin.faults.next(Fault.ADDED_COLUMN)
        assert runs.run("2026-11-18").success
        added = runs.current("schema_change")
        assert runs.run("2026-11-19").success
        missing = runs.current("schema_change")
        metadata = metadata_by_partition(instance, runs.key)
    change = {"column": "AddedLately", "before": "", "now": "String"}
    assert (added.passed, added.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert records(added.metadata["changes"]) == [
        {
            "partition": "2026-11-18",
            **change,
            "compared_with": "partition 2026-11-17 of tenant demo",
        }
    ]
    assert records(metadata["2026-11-18"]["schema_changes"]) == records(added.metadata["changes"])
    assert "schema_changes" not in metadata["2026-11-17"]
    [record] = records(missing.metadata["changes"])
    assert (record["before"], record["now"]) == ("String", "")


def test_a_run_that_fails_midway_tells_of_what_it_committed(
    serve: Serve, runs_of: Callable[..., Runs]
) -> None:
    """A failure later on hides nothing that was found before it."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, "types", instance)
        assert runs.run("2026-11-17").success
        assert runs.run("2026-11-18").success
        standin.faults.next(Fault.FORBIDDEN_HTML)
        assert not runs.run().success
        current = runs.current("values_kept_aside")
    assert not current.passed
    assert "of 2 partitions" in current.description


def an_export(path: Path, receipt: Receipt) -> PartitionExport:
    schema = pq.read_schema(path)
    return PartitionExport(
        partition("daily", "2026-11-18"), path, path.stat().st_size, receipt, schema, None, True
    )


def test_keys_that_no_schema_lists_are_not_named(tmp_path: Path) -> None:
    """They come from a record, so who knows what they hold. An older receipt is enough."""
    path = tmp_path / "data.parquet"
    kept = ['{"S3CR3T":1,"other":2}', None, '{"other":3}']
    pq.write_table(pa.table({"_kept_aside": kept}), path)
    receipt = replace(a_receipt([]), kept_aside=3, kept_aside_by_column=None)
    [found] = Findings.of(an_export(path, receipt)).kept_aside
    assert (found.column, found.values, found.rows) == ("(not in the schema)", 3, (0, 2))
    assert kept_aside_rows(path, ["other"], 1) == {"other": [0]}

"""The asset checks of real runs: what Dagster keeps of them, and what they keep from being made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.errors import DagsterAssetCheckFailedError

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.findings import Findings
from pipelines.committing import PartitionExport
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout, connect
from pipelines.landing import Receipt, kept_aside_rows
from pipelines.landing.partition import RECEIPT_KEY
from pipelines.settings import load_settings
from pipelines.slicing import partition
from pipelines.standin import Fault, Standin
from tests.assets.test_exports import RANGE, engine_at, metadata_by_partition
from tests.conftest import SimulatedClock
from tests.landing.samples import a_receipt

Serve = Callable[..., Standin]
START = "// export:\n//   start: 2026-11-10\n"
KQL = {
    "types": (
        f"{START}//   time_column: Timestamp\n"
        "HuntlakeTypes | project Timestamp, Sentinel, Span, LogonId, LogonID"
    ),
    # The example of an asset downstream reads a hunt of this name.
    "device_network_events": (
        f"{START}DeviceNetworkEvents | project Timestamp, DeviceId, RemoteUrl"
    ),
}
NETWORK = "device_network_events"
CHECKS = {
    "complete",
    "truncation",
    "gaps",
    "volume",
    "schema_change",
    "values_kept_aside",
}


class Runs:
    """Runs of a hunt, and of what is downstream of it, in one Dagster instance."""

    def __init__(self, hunts: TenantHunts, name: str, engine: Any, instance: Any) -> None:
        self.key = hunts.key(name)
        self.name = name
        self.layout = hunts.layout
        self.instance = instance
        self.defs = build_defs(hunts, engine)
        self._downstream = hunts.key("remote_destinations")
        self._engine = engine

    def run(self, day: str | None = None, **config: Any) -> dg.ExecuteInProcessResult:
        """One day, or three in one run."""
        return self._run(self.key, day, config)

    def run_with_downstream(self, day: str | None = None) -> dg.ExecuteInProcessResult:
        """The same, and what is made of it."""
        return self._run({self.key, self._downstream}, day, {})

    def check(self, *names: str) -> dg.ExecuteInProcessResult:
        """Checks by themselves, as the page's button runs them."""
        checks = (dg.AssetCheckKey(self.key, name) for name in names)
        return dg.materialize(
            self._assets({self.key}),
            instance=self.instance,
            resources={"engine": self._engine},
            selection=dg.AssetSelection.checks(*checks),
        )

    def made_downstream(self, result: dg.ExecuteInProcessResult) -> bool:
        return bool(result.asset_materializations_for_node(self._downstream.to_python_identifier()))

    def records(self, check: str) -> list[Any]:
        """What Dagster keeps of a check, the current result first."""
        return self.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(self.key, check), limit=100
        )

    def history(self, check: str) -> list[Any]:
        """The results that are of the whole lake."""
        return [evaluation(each) for each in self.records(check) if each.partition is None]

    def current(self, check: str) -> Any:
        """The evaluation that the asset's page shows."""
        return evaluation(self.records(check)[0])

    def file(self, day: str) -> Path:
        return self.layout.partition_file(self.name, "demo", partition("daily", day))

    def _run(self, keys: Any, day: str | None, config: Any) -> dg.ExecuteInProcessResult:
        how: dict[str, Any] = {"tags": RANGE} if day is None else {"partition_key": day}
        if config:
            op = f"demo__{self.name}"
            how["run_config"] = {"ops": {op: {"config": config}}}
        wanted = keys if isinstance(keys, set) else {keys}
        return dg.materialize(
            self._assets(wanted),
            instance=self.instance,
            resources={"engine": self._engine},
            raise_on_error=False,
            **how,
        )

    def _assets(self, keys: set[dg.AssetKey]) -> list[Any]:
        return [each for each in self.defs.assets or () if keys & set(getattr(each, "keys", ()))]


StartRuns = Callable[..., Runs]


def evaluation(record: Any) -> Any:
    return record.event.dagster_event.event_specific_data


@pytest.fixture
def runs_of(tmp_path: Path, clock: SimulatedClock) -> StartRuns:
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


def lose_a_row(path: Path) -> None:
    """What a tool would do that rewrites a file and keeps its metadata."""
    metadata = {RECEIPT_KEY: pq.read_metadata(path).metadata[RECEIPT_KEY]}
    table = pq.read_table(path, partitioning=None)
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table.slice(1))
        writer.add_key_value_metadata(metadata)


def test_every_check_speaks_with_a_run_and_by_itself(serve: Serve, runs_of: StartRuns) -> None:
    """A run's results are of the whole lake; by themselves, checks make no call."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, NETWORK, instance)
        assert runs.run().success
        found = {name: runs.current(name) for name in CHECKS}
        calls = len(standin.calls)
        assert runs.check(*CHECKS).success
        assert len(standin.calls) == calls
        again = {name: runs.history(name) for name in CHECKS}
    assert all(each.passed for each in found.values())
    assert "3 partitions" in found["complete"].description
    assert "not enough history" in found["volume"].description
    for name, history in again.items():
        assert len(history) == 2
        assert history[0].description == found[name].description


def test_one_check_can_be_run_by_itself(serve: Serve, runs_of: StartRuns) -> None:
    """The others, and the hunt, are left alone, even where nothing has landed."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        assert runs.check("gaps").success
        assert len(runs.history("gaps")) == 1
        assert not runs.history("volume")
        assert not metadata_by_partition(instance, runs.key)


def test_a_job_runs_all_checks_of_all_hunts(serve: Serve, runs_of: StartRuns) -> None:
    """For the command line, and to be scheduled."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        assert runs.run("2026-11-19").success
        job = runs.defs.resolve_job_def("demo__checks")
        assert job.execute_in_process(instance=instance).success
        assert {name: len(runs.history(name)) for name in CHECKS} == dict.fromkeys(CHECKS, 2)


def test_that_job_has_a_schedule(serve: Serve, runs_of: StartRuns) -> None:
    """After the recounts and the retention, and switched off, as all are."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
    found = {each.name: each for each in runs.defs.get_repository_def().schedule_defs}
    schedule = found["demo__checks__nightly"]
    assert schedule.job_name == "demo__checks"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert str(schedule.cron_schedule).endswith(" 8 * * *")


def test_what_a_failed_check_blocks(serve: Serve, runs_of: StartRuns) -> None:
    """Nothing is made of a lake in which any file is unsound; the day itself is there."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        sound = runs.run_with_downstream("2026-11-18")
        lose_a_row(runs.file("2026-11-18"))
        unsound = runs.run_with_downstream("2026-11-19")
        found = runs.current("complete")
        many = runs.run_with_downstream()
        landed = set(metadata_by_partition(instance, runs.key))
    assert sound.success
    assert runs.made_downstream(sound)
    assert not unsound.success
    assert not runs.made_downstream(unsound)
    assert (found.passed, found.severity, found.blocking) == (
        False,
        dg.AssetCheckSeverity.ERROR,
        True,
    )
    [problem] = records(found.metadata["problems"])
    assert problem["partition"] == "2026-11-18"
    assert "1,499 rows" in problem["problem"]
    assert "refresh" in found.metadata["what_to_do"].value
    assert not many.success
    assert not runs.made_downstream(many)
    assert landed == {"2026-11-17", "2026-11-18", "2026-11-19"}


def test_an_old_damaged_file_fails_no_run_of_other_days(serve: Serve, runs_of: StartRuns) -> None:
    """A run of other days warns of it, the checks by themselves fail, and its own day is mended."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        assert runs.run("2026-11-18").success
        runs.file("2026-11-18").write_bytes(b"PAR1 was here")
        assert runs.run("2026-11-19").success
        beside = runs.current("complete")
        with pytest.raises(DagsterAssetCheckFailedError):
            runs.check("complete")
        alone = runs.current("complete")
        assert runs.run("2026-11-18").success
        assert runs.current("complete").passed
    assert (beside.passed, beside.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (alone.passed, alone.severity) == (False, dg.AssetCheckSeverity.ERROR)
    for found in (beside, alone):
        [problem] = records(found.metadata["problems"])
        assert problem["partition"] == "2026-11-18"


def test_warnings_block_nothing(serve: Serve, runs_of: StartRuns) -> None:
    """The lake holds what the service gave; people are told what to look at."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, NETWORK, instance)
        assert runs.run("2026-11-15").success
        standin.faults.next(Fault.ADDED_COLUMN)
        result = runs.run_with_downstream("2026-11-17")
        assert not runs.current("schema_change").passed
        assert not runs.current("gaps").passed
    assert result.success
    assert runs.made_downstream(result)


def test_an_unsound_partition_is_not_told_of_as_committed(serve: Serve, runs_of: StartRuns) -> None:
    """It fails with what to do, which helps; days beside it are exported all the same."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        first = runs.run("2026-11-18")
        lose_a_row(runs.file("2026-11-18"))
        failed = runs.run()
        days = metadata_by_partition(instance, runs.key)
        [failure] = [each for each in failed.all_events if each.is_step_failure]
        assert runs.run("2026-11-18", refresh=True).success
        assert runs.current("complete").passed
    [before] = first.asset_materializations_for_node("demo__device_network_events")
    assert set(days) == {"2026-11-17", "2026-11-18", "2026-11-19"}
    assert days["2026-11-18"] == before.metadata
    assert days["2026-11-17"] != before.metadata
    error = str(failure.step_failure_data.user_failure_data)
    assert "2026-11-18" in error
    assert "refresh" in error


def test_missing_days_are_told_of(serve: Serve, runs_of: StartRuns) -> None:
    """With until when they can be loaded; the one that is loaded is not missing any more."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), NETWORK, instance)
        assert runs.run("2026-11-16").success
        found = runs.current("gaps")
        assert runs.run().success
        assert runs.current("gaps").passed
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert records(found.metadata["gaps"]) == [
        {
            "from": "2026-11-17",
            "to": "2026-11-19",
            "partitions": 3,
            "loadable": "until 2026-12-17T00:00:00Z",
        }
    ]


def test_values_kept_aside_are_a_warning(serve: Serve, runs_of: StartRuns) -> None:
    """By column; each partition says in which rows, where a reader of its file finds them."""
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
    assert [(each["column"], each["last_in"]) for each in table] == [
        ("Sentinel", "2026-11-18"),
        ("Span", "2026-11-18"),
    ]
    places = records(metadata["kept_aside_by_column"])
    assert [(each["column"], each["values"]) for each in places] == [
        (each["column"], each["values"]) for each in table
    ]
    with connect(runs.layout) as lake:
        for each in places:
            rows = lake.sql(
                "SELECT file_row_number FROM read_parquet($1, file_row_number = true) "
                "WHERE (_kept_aside -> $2) IS NOT NULL ORDER BY 1",
                params=[metadata["dagster/uri"].value, each["column"]],
            ).fetchall()
            assert len(rows) == each["values"]
            assert ", ".join(str(row) for (row,) in rows[:5]) == each["first_rows"]
    assert sum(each["values"] for each in table) == metadata["values_kept_aside"].value


def test_a_warning_stays_in_sight_while_it_can_be_looked_into(
    serve: Serve, runs_of: StartRuns, clock: SimulatedClock
) -> None:
    """A later run does not hide it. What the service has forgotten is no news any more."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), "types", instance)
        assert runs.run("2026-11-17").success
        assert not runs.current("values_kept_aside").passed
        assert runs.run("2026-11-18").success
        both = records(runs.current("values_kept_aside").metadata["kept_aside"])
        clock.sleep(40 * 86_400)
        assert runs.check("values_kept_aside", "complete").success
        assert runs.current("values_kept_aside").passed
        assert "2 partitions" in runs.current("complete").description
    assert {each["partitions"] for each in both} == {2}


def test_no_value_gets_into_dagster(serve: Serve, runs_of: StartRuns) -> None:
    """Places and counts are enough to find it in the lake, where it is guarded."""
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(serve(), "types", instance)
        result = runs.run("2026-11-18")
        told = "".join(str(each) for name in CHECKS for each in runs.history(name))
        told += "".join(map(str, result.all_events))
    assert "Sentinel" in told
    with connect(runs.layout) as lake:
        values = lake.sql(
            "SELECT DISTINCT unnest(_kept_aside ->> ['$.Sentinel', '$.Span']) FROM types"
        ).fetchall()
    assert len(values) > 1
    assert not [value for (value,) in values if value and value in told]


def test_columns_that_change_are_a_warning(serve: Serve, runs_of: StartRuns) -> None:
    """With their names and types, and the day of the change."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, NETWORK, instance)
        assert runs.run("2026-11-17").success
        assert runs.current("schema_change").passed
        standin.faults.next(Fault.ADDED_COLUMN)
        assert runs.run("2026-11-18").success
        assert runs.run("2026-11-19").success
        found = runs.current("schema_change")
        metadata = metadata_by_partition(instance, runs.key)
    columns = ("partition", "column", "before", "now", "compared_with")
    changes = [
        ["2026-11-19", "AddedLately", "String", "", "2026-11-18"],
        ["2026-11-18", "AddedLately", "", "String", "2026-11-17"],
    ]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert [
        [each[name] for name in columns] for each in records(found.metadata["changes"])
    ] == changes
    [own] = records(metadata["2026-11-18"]["schema_changes"])
    assert [own["column"], own["before"], own["now"]] == changes[1][1:4]
    assert "schema_changes" not in metadata["2026-11-17"]


def test_a_run_that_fails_midway_tells_of_what_is_there(serve: Serve, runs_of: StartRuns) -> None:
    """A failure later on hides nothing that was found before it."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, "types", instance)
        assert runs.run("2026-11-17").success
        standin.faults.next(Fault.FORBIDDEN_HTML)
        assert not runs.run().success
        history = runs.history("values_kept_aside")
    assert len(history) == 2
    assert not history[0].passed


def an_export(path: Path, receipt: Receipt) -> PartitionExport:
    schema = pq.read_schema(path)
    return PartitionExport(
        partition("daily", "2026-11-18"), path, path.stat().st_size, receipt, schema, None, True
    )


def test_dagster_has_a_result_for_each_partition(serve: Serve, runs_of: StartRuns) -> None:
    """It shows as skipped what it expects and never gets."""
    standin = serve()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = runs_of(standin, NETWORK, instance)
        standin.faults.next(None, Fault.ADDED_COLUMN)
        assert runs.run("2026-11-18").success
        assert runs.run("2026-11-19").success
        assert runs.run().success
        for name in CHECKS:
            found = runs.records(name)
            assert "PLANNED" not in {each.status.value for each in found}
            latest = {each.partition: evaluation(each).passed for each in reversed(found)}
            changed = name != "schema_change"
            assert latest == {
                None: changed,
                "2026-11-17": True,
                "2026-11-18": True,
                "2026-11-19": changed,
            }


def test_keys_that_no_schema_lists_are_not_named(tmp_path: Path) -> None:
    """They come from a record, so who knows what they hold. An older receipt is enough."""
    path = tmp_path / "data.parquet"
    kept = ['{"S3CR3T":1,"other":2}', None, '{"other":3}']
    pq.write_table(pa.table({"_kept_aside": kept}), path)
    receipt = replace(a_receipt([]), kept_aside=3, kept_aside_by_column=None)
    [found] = Findings.of(an_export(path, receipt)).kept_aside
    assert (found.column, found.values, found.rows) == ("(not in the schema)", 3, (0, 2))
    assert kept_aside_rows(path, ["other"], 1) == {"other": [0]}

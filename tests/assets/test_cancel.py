"""Cancelling a run as Dagster does it: an interrupt in the process that the run has to itself."""

import os
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import dagster as dg
import pytest

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from pipelines.hunt_files import load_hunts
from pipelines.kql.rewrite import ROWS
from pipelines.lake import LakeLayout
from pipelines.landing import read_receipt
from pipelines.slicing import partition_at
from pipelines.standin import (
    Call,
    Fault,
    RunningTimeModel,
    Standin,
    StandinLimits,
    SyntheticSettings,
)
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests import processes
from tests.held_calls import HoldingClock

BUSIEST_DAY_ROWS = 2_200
processes.preload("assets.definitions")

DAY = 86_400 * TICKS_PER_SECOND
KQL = "DeviceNetworkEvents | project Timestamp, DeviceId, ReportId"
QUICK = "graph,rows=500,calls_per_minute=1000"
# The fourth call of a run is waited for.
WAITING = "graph,rows=500,calls_per_minute=3"


def materialize(data: Path, hunts: Path, day: str) -> None:
    """One run in the process's main thread, as a run's own process has it there."""
    tenant = TenantHunts("demo", load_hunts(hunts), LakeLayout(data))
    defs = build_defs(tenant)
    [asset] = [each for each in defs.assets or () if tenant.key("network") in each.keys]
    with dg.DagsterInstance.get() as instance:
        dg.materialize([asset], instance=instance, resources=defs.resources, partition_key=day)


@pytest.fixture(scope="module")
def clock() -> HoldingClock:
    return HoldingClock()


@pytest.fixture(scope="module")
def standin(clock: HoldingClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    today = clock.now_ns() // NANOSECONDS_PER_TICK // DAY * DAY
    with Standin(
        tmp_path_factory.mktemp("standin"),
        data=SyntheticSettings(
            end=today, days=3, rows_per_day=10, busiest_day_rows=BUSIEST_DAY_ROWS
        ),
        limits=StandinLimits(rows=500, calls=(), running=()),
        running_time=RunningTimeModel(),
        clock=clock,
    ) as standin:
        yield standin


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Dagster's history on disk."""
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


class Runs:
    """Runs of one asset for the busiest day, each in a process of its own."""

    def __init__(self, standin: Standin, instance: dg.DagsterInstance, folder: Path) -> None:
        self.day = partition_at("daily", standin.data.end - 3 * DAY)
        self.layout = LakeLayout(folder / "data")
        self.said = folder / "said.txt"
        self._standin = standin
        self._before = len(standin.calls)
        self._hunts = folder / "hunts"
        self._hunts.mkdir()
        (self._hunts / "network.kql").write_text(KQL)
        self._home = instance.root_directory

    @property
    def calls(self) -> list[Call]:
        """What the tenant was asked by all of them."""
        return self._standin.calls[self._before :]

    def start(self, limits: str) -> ForkServerProcess:
        environment = {
            **self._standin.environment(),
            "HUNTLAKE_DATA": str(self.layout.root),
            "HUNTLAKE_LIMITS": limits,
            "DAGSTER_HOME": self._home,
        }
        return processes.start(
            materialize,
            self.layout.root,
            self._hunts,
            self.day.key,
            environment=environment,
            said=self.said,
        )


@pytest.fixture
def runs(standin: Standin, instance: dg.DagsterInstance, tmp_path: Path) -> Runs:
    return Runs(standin, instance, tmp_path)


def cancel(process: ForkServerProcess, instance: dg.DagsterInstance, runs: Runs) -> None:
    """What Dagster's launcher does to a run; then it is over, and readers see nothing of it."""
    [run] = instance.get_runs(limit=1)
    instance.report_run_canceling(run)
    os.kill(process.pid or 0, signal.SIGINT)
    processes.ended(process)
    [run] = instance.get_runs(limit=1)
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert not runs.layout.lake.exists()
    assert not list(runs.layout.root.rglob("*.partial"))
    assert list((runs.layout.state / "staged").rglob("*.parquet"))


def assert_goes_on(runs: Runs, *, pulled_again: int) -> None:
    """The next run ends with all rows, and of all answers those that were lost are in vain."""
    assert processes.ended(runs.start(QUICK)) == 0, runs.said.read_text()
    receipt = read_receipt(runs.layout.partition_file("network", "demo", runs.day))
    assert receipt is not None
    assert receipt.rows == BUSIEST_DAY_ROWS
    landed = {record.request_id for record in receipt.slices}
    pulls = [call for call in runs.calls if ROWS not in call.query]
    assert len(pulls) == len(landed) + pulled_again
    assert len(runs.calls) - len(pulls) == 1


def test_in_the_middle_of_a_wait(runs: Runs, instance: dg.DagsterInstance) -> None:
    """A wait of a minute ends at once; the next run pulls nothing again, and counts nothing."""
    process = runs.start(WAITING)
    processes.wait_until_said("waiting until", runs.said, process)
    cancel(process, instance, runs)
    assert len(runs.calls) == 3
    assert_goes_on(runs, pulled_again=0)


def test_in_the_middle_of_a_call(
    standin: Standin, clock: HoldingClock, runs: Runs, instance: dg.DagsterInstance
) -> None:
    """With half an answer there: the next run asks for that one again, and for nothing else."""
    standin.faults.next(None, Fault.SLOW_BODY)
    with clock.holding_next():
        process = runs.start(QUICK)
        clock.wait_until_held()
        cancel(process, instance, runs)
    assert_goes_on(runs, pulled_again=1)

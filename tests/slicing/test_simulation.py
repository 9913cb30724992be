"""The simulation that other tests stand on: a real export, in one process and no time."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.hunts import Hunt
from pipelines.slicing import partition
from pipelines.standin import StandinLimits
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, parse_instant
from tests.slicing.simulation import Simulation

TABLE = "DeviceNetworkEvents"
HUNT = Hunt(name="network", query=f"{TABLE} | project Timestamp, ReportId")
DAY = parse_instant("2026-11-19")
TICKS = [DAY + second * 997 * TICKS_PER_SECOND + second for second in range(86)]
EVENTS = {TABLE: {"Timestamp": TICKS, "ReportId": [*range(86)]}}


def landed(path: Path) -> Counter[tuple[int, int]]:
    table = pq.read_table(path, partitioning=None)
    times = table.column("Timestamp").cast(pa.int64()).to_pylist()
    ticks = [time // NANOSECONDS_PER_TICK for time in times]
    return Counter(zip(ticks, table.column("ReportId").to_pylist(), strict=True))


def test_an_export_lands_the_events_that_were_given(tmp_path: Path) -> None:
    """Through the real client, gate and landing, with quotas that are waited for on the clock."""
    limits = StandinLimits(rows=10, calls=((5, 60.0),))
    with Simulation(tmp_path, EVENTS, limits=limits) as simulation:
        before = simulation.clock.now_ns()
        [exported] = simulation.exporter(HUNT).export([partition("daily", "2026-11-19")])
        assert landed(exported.path) == Counter(zip(TICKS, range(86), strict=True))
        assert {call.status for call in simulation.calls} == {200}
        minutes = (simulation.clock.now_ns() - before) / 60e9
        assert minutes >= (len(simulation.calls) - 1) // 5


def test_a_simulation_starts_with_its_own_events_alone(tmp_path: Path) -> None:
    """Those of the one before it are gone."""
    with Simulation(tmp_path / "first", EVENTS):
        pass
    with Simulation(tmp_path / "second", {}) as simulation:
        [exported] = simulation.exporter(HUNT).export([partition("daily", "2026-11-19")])
        assert exported.receipt.rows == 0


def test_events_may_arrive_while_an_export_runs(tmp_path: Path) -> None:
    """A test adds them before the call that it chooses."""
    with Simulation(tmp_path, EVENTS) as simulation:
        late = {"Timestamp": [DAY], "ReportId": [999]}
        simulation.before_call(lambda query: simulation.events.insert(TABLE, late))
        [exported] = simulation.exporter(HUNT).export([partition("daily", "2026-11-19")])
        assert landed(exported.path)[DAY, 999] == len(simulation.calls) == 1

"""Cells that hold more rows than one answer may: what time can't divide, a hash does."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.errors import CannotSplit
from pipelines.hunts import Hunt
from pipelines.slicing import partition
from pipelines.standin import StandinLimits
from tests.slicing.simulation import Simulation

DAY = partition("daily", "2026-11-18")
TICK = DAY.window.start + 123_456_789
LIMITS = StandinLimits(rows=40)
# Before the full tick, in it, and after it.
TIMES = [TICK - 5, *[TICK] * 200, *range(TICK + 1, TICK + 60)]
ALERTS = {"AlertInfo": {"Timestamp": TIMES, "AlertId": [str(n) for n in range(len(TIMES))]}}


@pytest.mark.parametrize(
    "columns", ["Timestamp, AlertId", "AlertId"], ids=["with its time", "without"]
)
def test_a_full_tick_is_cut_by_a_hash(columns: str, tmp_path: Path) -> None:
    """Two hundred rows of one tick come whole in answers of forty, whatever the answer holds."""
    hunt = Hunt(name="alerts", query=f"AlertInfo | project {columns}")
    with Simulation(tmp_path, ALERTS, limits=LIMITS) as simulation:
        [exported] = simulation.exporter(hunt).export([DAY])
    found = pq.read_table(exported.path, partitioning=None)["AlertId"].to_pylist()
    assert Counter(found) == Counter(ALERTS["AlertInfo"]["AlertId"])
    assert any(record.span.end.bucket for record in exported.receipt.slices)


def test_rows_that_are_all_alike_fail_instead_of_being_lost(tmp_path: Path) -> None:
    """Nothing divides rows of one tick that are equal in every column."""
    hunt = Hunt(name="alerts", query="AlertInfo | project Timestamp, Same = 1")
    with Simulation(tmp_path, ALERTS, limits=LIMITS) as simulation:
        with pytest.raises(CannotSplit, match="its rows are alike"):
            list(simulation.exporter(hunt).export([DAY]))
        assert not simulation.layout.partition_file("alerts", simulation.tenant.id, DAY).exists()
        assert len(simulation.calls) < 50


def test_rows_that_may_change_between_calls_are_not_cut_by_a_hash(tmp_path: Path) -> None:
    """A list that is looked up may change between two calls, and with it a row's hash."""
    looked_up = Hunt(
        name="alerts",
        query="AlertInfo | lookup kind=leftouter (DeviceTvmSoftwareInventory"
        " | project AlertId = DeviceId, SoftwareName) on AlertId"
        " | project Timestamp, AlertId, SoftwareName",
    )
    with (
        Simulation(tmp_path, ALERTS, limits=LIMITS) as simulation,
        pytest.raises(CannotSplit, match="may change between two calls"),
    ):
        list(simulation.exporter(looked_up).export([DAY]))

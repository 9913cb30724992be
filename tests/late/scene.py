"""What the tests of late data share: events, hunts over them, and what is in the lake.

What belongs here: making and reading. What does not: what is expected (the tests).
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt
from pipelines.kql import ROWS
from pipelines.landing import Receipt, read_receipt
from pipelines.late import Recount, recount
from pipelines.slicing import Partition, partition, remaining
from pipelines.spans import Span
from pipelines.standin import Call, StandinLimits
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests.slicing.simulation import Simulation

TABLE = "AlertInfo"
DAYS = [partition("daily", f"2026-11-{day}") for day in (16, 17, 18, 19)]
START = DAYS[0].window.start
SECOND = TICKS_PER_SECOND
HOUR = 3_600 * SECOND
DAY_SECONDS = 86_400

ALERTS = Hunt("alerts", f"{TABLE} | project Timestamp, AlertId")
NAMED = Hunt("named", f"let none = 'none';\n{TABLE} // all\n| where AlertId != none")
TIMELESS = Hunt("timeless", f"{TABLE} | project AlertId")
BINNED = Hunt("binned", f"{TABLE} | summarize n = count() by bin(Timestamp, 1h)")
GROUPED = Hunt("grouped", f"{TABLE} | summarize n = count() by Severity")
RECENT = Hunt("recent", f"{TABLE} | where Timestamp > ago(20h) | project Timestamp, AlertId")

Row = tuple[object, ...]


def alerts(*instants: int, name: str = "") -> dict[str, list[object]]:
    """An alert at each instant, all of one severity, each with an id of its own."""
    ids = [f"{name}{number} {instant}" for number, instant in enumerate(instants)]
    return {"Timestamp": [*instants], "AlertId": ids, "Severity": ["Low"] * len(ids)}


def hourly(count: int = 96) -> list[int]:
    """An event in the middle of each hour."""
    return [START + hour * HOUR + HOUR // 2 for hour in range(count)]


def simulated(folder: Path, *instants: int, rows: int = 1_000) -> Simulation:
    """A tenant with these alerts and no quota."""
    limits = StandinLimits(rows=rows, calls=(), running=())
    return Simulation(folder, {TABLE: alerts(*instants)}, limits=limits)


def exported(
    simulation: Simulation, *hunts: Hunt, partitions: Sequence[Partition] = DAYS
) -> list[HuntInTenant]:
    """The hunts, with the partitions committed."""
    for hunt in hunts:
        list(simulation.exporter(hunt).export(partitions))
    return [simulation.at(hunt) for hunt in hunts]


def recounted(
    *hunts: HuntInTenant, partitions: Sequence[Partition] | None = DAYS, mend: bool = True
) -> list[Recount]:
    """What a recount says."""
    return list(recount(hunts, partitions, mend=mend))


def rows_of(at: HuntInTenant, partitions: Sequence[Partition] = DAYS) -> Counter[Row]:
    """The rows of the lake, times in ticks."""
    found: Counter[Row] = Counter()
    for each in partitions:
        table = pq.read_table(at.target(each), partitioning=None)
        found.update(zip(*(_values(table, name) for name in table.column_names), strict=True))
    return found


def _values(table: pa.Table, name: str) -> list[object]:
    column = table.column(name)
    if not pa.types.is_timestamp(column.type) and not pa.types.is_duration(column.type):
        values: list[object] = column.to_pylist()
        return values
    return [
        None if each is None else each // NANOSECONDS_PER_TICK
        for each in column.cast(pa.int64()).to_pylist()
    ]


def ids_of(at: HuntInTenant, partitions: Sequence[Partition] = DAYS) -> Counter[object]:
    """The lake's alerts by their ids."""
    found: Counter[object] = Counter()
    for each in partitions:
        table = pq.read_table(at.target(each), partitioning=None)
        found.update(table.column("AlertId").to_pylist())
    return found


def all_ids(simulation: Simulation) -> Counter[object]:
    """The tenant's."""
    return Counter(simulation.events.table(TABLE).column("AlertId").to_pylist())


def counts(calls: Sequence[Call]) -> list[Call]:
    """The calls that counted."""
    return [call for call in calls if ROWS in call.query]


def pulls(calls: Sequence[Call]) -> list[Call]:
    """The calls that brought rows."""
    return [call for call in calls if ROWS not in call.query]


def width_of(call: Call) -> int:
    """How wide the bins of a count were, in ticks."""
    found = re.search(r"bin\(Timestamp, (\d+)s\)", call.query)
    assert found is not None, call.query
    return int(found[1]) * SECOND


def receipt_of(at: HuntInTenant, each: Partition) -> Receipt:
    """The receipt of a committed partition."""
    receipt = read_receipt(at.target(each))
    assert receipt is not None
    return receipt


def check_receipt(at: HuntInTenant, each: Partition) -> None:
    """It adds up, its slices make up the partition, and the file holds them in this order."""
    receipt = receipt_of(at, each)
    spans = [record.span for record in receipt.slices]
    assert remaining(Span.of(each.window), spans) == []
    assert spans == sorted(spans)
    assert receipt.rows == sum(record.rows for record in receipt.slices)
    assert receipt.calls == sum(record.calls for record in receipt.slices)
    assert receipt.counted_rows is None or receipt.counted_rows <= receipt.rows
    table = pq.read_table(at.target(each), partitioning=None)
    assert table.num_rows == receipt.rows
    times, first = _values(table, "Timestamp"), 0
    assert times == sorted(times, key=str)
    for record in receipt.slices:
        inside = times[first : first + record.rows]
        start, end = record.span.start.instant, record.span.end
        assert all(start <= int(str(time)) <= end.instant for time in inside)
        first += record.rows

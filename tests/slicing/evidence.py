"""What property tests of whole exports share: events, hunts of every verdict, and the truth.

What belongs here: making days that are hard to slice, and what an export of them must have landed.
What does not: the tenant (``simulation``), and what is asked of an export (the tests).
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from pipelines.committing import PartitionExport
from pipelines.hunts import ExportSettings, Hunt, Partitioning
from pipelines.kql import Analysis, analyse, restrict
from pipelines.kql.rewrite import ROWS
from pipelines.landing import decode
from pipelines.slicing import Partition, partition_at, partitions_between, remaining
from pipelines.spans import BUCKETS, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant
from tests.slicing.simulation import MORNING, Simulation

TABLE: Final = "AlertInfo"
SECOND_TABLE: Final = "AlertEvidence"
SNAPSHOT_TABLE: Final = "DeviceTvmSoftwareVulnerabilities"

# The last instant of the partitions that tests export: the morning's midnight.
END: Final = parse_instant("2026-11-20")
ALL_TIME: Final = Window(0, MORNING)
NO_CAP: Final = 10**9
LENGTHS: Final[Mapping[Partitioning, int]] = {
    "hourly": 3_600 * TICKS_PER_SECOND,
    "daily": 86_400 * TICKS_PER_SECOND,
}
SEVERITIES: Final = ("Low", "Medium", "High")
_TECHNIQUES: Final = ["T1059", "T1566"]

ROW_WISE: Final = (
    "AlertInfo",
    "AlertInfo | where Severity != 'Low' | project Timestamp, AlertId, Title",
    "AlertInfo | project AlertId, Severity",
    "AlertInfo | where Timestamp > ago(30m) | project Timestamp, AlertId",
    "union AlertInfo, (AlertEvidence | project Timestamp, AlertId)",
    (
        "AlertInfo | extend T = parse_json(AttackTechniques) | mv-expand T to typeof(string)"
        " | project Timestamp, AlertId, T"
    ),
)
ALIGNED: Final = (
    "AlertInfo | summarize n = count() by bin(Timestamp, 1h), Severity",
    "AlertInfo | summarize n = count() by bin(Timestamp, 10m)",
    "AlertInfo | summarize n = count() by bin(Timestamp, 10m), AlertId | project n, AlertId",
    "AlertInfo | summarize n = count() by bin(Timestamp, 10m), Severity | project n",
    "AlertInfo | summarize n = dcount(AlertId) by bin(Timestamp, 7h), AlertId",
)
KEYED: Final = (
    "AlertInfo | summarize n = count(), latest = max(Timestamp) by AlertId",
    "AlertInfo | distinct AlertId, Severity",
    "AlertInfo | summarize arg_max(Timestamp, Severity) by AlertId",
)
WHOLE: Final = (
    "AlertInfo | top 7 by AlertId asc | project AlertId",
    "AlertInfo | summarize n = count(), earliest = min(Timestamp)",
    (
        "let latest = toscalar(AlertInfo | summarize max(Timestamp));"
        " AlertInfo | where Timestamp > latest - 10m | project Timestamp, AlertId"
    ),
)
SNAPSHOTS: Final = (
    "DeviceTvmSoftwareVulnerabilities | project DeviceId, CveId",
    "DeviceTvmSoftwareVulnerabilities | summarize n = count() by DeviceId",
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: what hunts divide it by, and what they expand."""

    id: int
    instant: int
    severity: str
    techniques: int


@dataclass(frozen=True)
class Case:
    """What is exported, from what events, in answers of how many rows."""

    query: str
    partitioning: Partitioning
    count: int
    events: tuple[Event, ...]
    cap: int

    @cached_property
    def hunt(self) -> Hunt:
        """The hunt."""
        return Hunt("alerts", self.query, export=ExportSettings(partitions=self.partitioning))

    @cached_property
    def analysis(self) -> Analysis:
        """What it means for slicing."""
        return analyse(self.query)

    @cached_property
    def window(self) -> Window:
        """The window of all partitions together."""
        return window_of(self.partitioning, self.count)

    @cached_property
    def partitions(self) -> list[Partition]:
        """What is exported, oldest first."""
        if self.partitioning == "snapshot":
            return [partition_at("snapshot", MORNING)]
        return partitions_between(self.partitioning, self.window)

    @cached_property
    def tables(self) -> dict[str, dict[str, list[Any]]]:
        """The events as a tenant's tables: each third one is evidence, where the hunt reads it."""
        if self.partitioning == "snapshot":
            return {
                SNAPSHOT_TABLE: {
                    "DeviceId": [f"device {each.id}" for each in self.events],
                    "CveId": [f"{each.severity} {each.instant}" for each in self.events],
                }
            }
        if SECOND_TABLE not in self.query:
            return {TABLE: as_rows(self.events)}
        evidence = as_rows(self.events[::3])
        for column in ("Severity", "Title"):
            evidence.pop(column)
        alerts = [each for number, each in enumerate(self.events) if number % 3]
        return {TABLE: as_rows(alerts), SECOND_TABLE: evidence}


def window_of(partitioning: Partitioning, count: int) -> Window:
    """The last ``count`` partitions."""
    return Window(END - count * LENGTHS.get(partitioning, LENGTHS["daily"]), END)


def as_rows(events: Sequence[Event]) -> dict[str, list[Any]]:
    """The events as columns."""
    return {
        "Timestamp": [each.instant for each in events],
        "AlertId": [f"alert {each.id}" for each in events],
        "Title": [f"title {each.id % 7}" for each in events],
        "Severity": [each.severity for each in events],
        "AttackTechniques": [json.dumps(_TECHNIQUES[: each.techniques]) for each in events],
    }


# Making cases


def _spread(chance: random.Random, window: Window, rows: int) -> list[int]:
    return [chance.randrange(window.start, window.end) for _ in range(rows)]


def _burst(chance: random.Random, window: Window, rows: int) -> list[int]:
    """All within a few ticks, so that many share one."""
    start = chance.randrange(window.start, window.end)
    return [min(start + chance.randrange(1 + rows // 4), window.end - 1) for _ in range(rows)]


def _tie(chance: random.Random, window: Window, rows: int) -> list[int]:
    return [chance.randrange(window.start, window.end)] * rows


def _minute(chance: random.Random, window: Window, rows: int) -> list[int]:
    """Whole seconds of one minute, as many a source's clock has them."""
    start = chance.randrange(window.start, window.end) // TICKS_PER_SECOND
    last = window.end // TICKS_PER_SECOND - 1
    return [min(start + chance.randrange(60), last) * TICKS_PER_SECOND for _ in range(rows)]


def _edges(chance: random.Random, window: Window, rows: int) -> list[int]:
    """At the window's edges and a tick beside them, where rows are counted in or out."""
    edges = [window.start - 1, window.start, window.end - 1, window.end]
    return [chance.choice(edges) for _ in range(rows)]


def _borders(chance: random.Random, window: Window, rows: int) -> list[int]:
    """At the borders of hours, and so of partitions and bins, or a tick before."""
    hour = LENGTHS["hourly"]
    hours = range(window.start, window.end, hour)
    return [chance.choice(hours) - chance.randrange(2) for _ in range(rows)]


_CLUMPS: Final = (_spread, _spread, _burst, _tie, _minute, _edges, _borders)


@st.composite
def event_lists(draw: st.DrawFn, window: Window, *, most: int, alike: bool) -> tuple[Event, ...]:
    """Up to so many events in and about the window; ``alike``: some may be equal in all."""
    count = draw(st.integers(0, most))
    chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - repeated by its seed
    return made_events(chance, window, count, alike=alike)


def made_events(
    chance: random.Random, window: Window, count: int, *, alike: bool
) -> tuple[Event, ...]:
    """So many events in clumps, the same for a seed."""
    ids = chance.choice((1_000_000, 1_000_000, 40, 4)) if alike else 1_000_000
    instants: list[int] = []
    while len(instants) < count:
        rows = min(chance.randint(1, 1 + count), count - len(instants))
        instants += chance.choice(_CLUMPS)(chance, window, rows)
    return tuple(
        Event(number % ids, instant, SEVERITIES[number % 3], number % 3)
        for number, instant in enumerate(instants)
    )


@st.composite
def cases(draw: st.DrawFn, queries: Sequence[str], *, most: int = 110, alike: bool = True) -> Case:
    """An export that is hard to slice."""
    query = draw(st.sampled_from(queries))
    snapshot = query in SNAPSHOTS
    partitioning: Partitioning = (
        "snapshot" if snapshot else draw(st.sampled_from(("daily", "hourly")))
    )
    count = 1 if snapshot else draw(st.sampled_from((1, 1, 2, 4)))
    cap = draw(st.integers(3, 30))
    events = draw(event_lists(window_of(partitioning, count), most=min(most, 9 * cap), alike=alike))
    if draw(st.integers(0, 5)) == 0:
        cap = max(3, len(events))
    return Case(query, partitioning, count, events, cap)


# The truth

Rows = Counter[tuple[object, ...]]


def truth(case: Case, simulation: Simulation, each: Partition) -> Rows:
    """The unsliced hunt's answer for a partition, from the tenant as it is now, without caps."""
    window = each.window
    return _answer(simulation, restrict(case.query, case.analysis, window=window, now=window.end))


def landed(exported: PartitionExport) -> Rows:
    """What readers see of a partition."""
    return as_counter(pq.read_table(exported.path, partitioning=None))


def as_counter(table: pa.Table) -> Rows:
    """A table's rows as a multiset; times are compared to the tick, columns by name."""
    columns = {
        field.name: (
            table.column(field.name).cast(pa.int64())
            if pa.types.is_timestamp(field.type)
            else table.column(field.name)
        ).to_pylist()
        for field in sorted(table.schema, key=lambda field: str(field.name))
    }
    return Counter(zip(*columns.values(), strict=True))


def _answer(simulation: Simulation, query: str) -> Rows:
    evaluation = simulation.events.evaluate(query, visible=ALL_TIME, row_cap=NO_CAP)
    dialect = simulation.tenant.surface.dialect
    with evaluation:
        body = evaluation.body(dialect, 0.0)
    return as_counter(decode(body, dialect).table)


def crowd(case: Case, simulation: Simulation, span: Span) -> int:
    """The rows of a span that nothing divides further; fails where something does."""
    analysis, whole = case.analysis, case.window
    start = span.start.instant
    if case.partitioning == "snapshot":
        whole = case.partitions[0].window
    if analysis.grid is None:
        begin, end = next(
            (each.window.start, each.window.end) for each in case.partitions if start in each.window
        )
    else:
        begin = max(analysis.grid.floor(start), whole.start)
        end = min(analysis.grid.after(analysis.grid.floor(start)), whole.end)
    assert start == begin
    if analysis.hash_columns is None:
        assert span == Span(Position(start), Position(end))
    else:
        last = span.start.bucket + 1 == BUCKETS
        after = Position(end) if last else Position(start, span.start.bucket + 1)
        assert span.end == after
    now = next(each.window.end for each in case.partitions if start in each.window)
    query = restrict(case.query, analysis, window=Window(start, end), now=now, span=span)
    return sum(_answer(simulation, query).values())


# Receipts


def check_receipt(exported: PartitionExport, rows: Rows, cap: int) -> None:
    """Its numbers add up, and its slices prove the partition complete."""
    receipt = exported.receipt
    assert receipt.rows == sum(each.rows for each in receipt.slices) == sum(rows.values())
    spans = [each.span for each in receipt.slices]
    assert spans == sorted(spans)
    assert remaining(Span.of(exported.partition.window), spans) == []
    for each in receipt.slices:
        assert each.rows < each.limit <= cap
        assert each.proof in {"whole answer", "full page"}
    for total in ("calls", "counting_calls", "wasted_calls", "wasted_rows"):
        assert getattr(receipt, total) == sum(getattr(each, total) for each in receipt.slices)
    assert receipt.counted_rows is None or receipt.counted_rows <= receipt.rows


def check_costs(exports: Sequence[PartitionExport], simulation: Simulation) -> None:
    """The receipts together say what the service saw."""
    receipts = [each.receipt for each in exports]
    calls = simulation.calls
    assert sum(each.calls for each in receipts) == len(calls)
    assert sum(each.counting_calls for each in receipts) == len(counting(simulation))
    received = sum(call.rows for call in calls if ROWS not in call.query)
    landed_rows = sum(each.rows for each in receipts)
    assert sum(each.wasted_rows for each in receipts) == received - landed_rows


def counting(simulation: Simulation) -> list[str]:
    """The queries that only counted."""
    return [call.query for call in simulation.calls if ROWS in call.query and call.status == 200]

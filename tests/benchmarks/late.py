"""Calls that late events cost: a recount and what it pulls, beside pulling all of it again.

    python -m tests.benchmarks.late [--json] [--cap N] [--rows N]

What belongs here: past days to which events are added once they are exported, and the lake compared
with the tenant row for row, and with a second lake that is pulled anew. What does not: how late
events are found (``pipelines.late``).

Answers are small, so that days of some thousand rows take as many calls as days of millions. One
bin in a hundred gets late events; the bins are those of the first count.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
import pyarrow.parquet as pq

from pipelines.export import Exporter
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.late import recount
from pipelines.slicing import Partition, partitions_between
from pipelines.standin import StandinLimits
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant
from tests.slicing.simulation import Simulation

_TABLE: Final = "DeviceNetworkEvents"
HUNT: Final = Hunt("network", f"{_TABLE} | project Timestamp, DeviceId, RemoteIP, ReportId")
OTHER: Final = Hunt(
    "processes", "DeviceProcessEvents | project Timestamp, DeviceId, FileName, ReportId"
)
_END: Final = parse_instant("2026-11-20")
_SECOND: Final = TICKS_PER_SECOND
_DAY: Final = 86_400 * _SECOND
_SHARE: Final = 0.01

Late = Callable[[Simulation, str, Window], int]


@dataclass(frozen=True, slots=True)
class Workload:
    """Days of events, and where the late ones are. ``hunts`` are exported, each of one table."""

    name: str
    days: int
    hunts: Sequence[Hunt]
    late: Late

    @property
    def partitions(self) -> list[Partition]:
        """The days, oldest first."""
        return partitions_between("daily", Window(_END - self.days * _DAY, _END))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What late events cost. ``missed_rows`` are those by which lake and tenant differ."""

    late_rows: int
    missed_rows: int
    calls: int
    full_repull_calls: int

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(one + another for one, another in zip(_of(self), _of(other), strict=True)))

    @property
    def holds(self) -> bool:
        """Whether nothing is missed, for a tenth of the calls at most."""
        return not self.missed_rows and 10 * self.calls <= self.full_repull_calls


def _of(outcome: Outcome) -> Sequence[int]:
    return tuple(asdict(outcome).values())


def workloads() -> Iterator[Workload]:
    """All of them."""
    yield Workload("near the end", 10, [HUNT], _near_the_end)
    yield Workload("scattered over 28 days", 28, [HUNT], _scattered(600))
    yield Workload("two hunts, scattered", 20, [HUNT, OTHER], _scattered(600))
    yield Workload("one big day", 1, [HUNT], _scattered(30))


def _scattered(seconds: int) -> Late:
    """Anywhere, in bins of so many seconds."""

    def add(simulation: Simulation, table: str, window: Window) -> int:
        return simulation.events.add_late_in_bins(
            table, window, bin_ticks=seconds * _SECOND, share=_SHARE, seed=5
        )

    return add


def _near_the_end(simulation: Simulation, table: str, window: Window) -> int:
    """In the last two hours of all: what was on its way while its day was pulled."""
    last = Window(window.end - 2 * 3_600 * _SECOND, window.end)
    return simulation.events.add_late_in_bins(
        table, last, bin_ticks=600 * _SECOND, share=1.0, seed=5
    )


def measure(workload: Workload, *, rows: int, cap: int) -> Outcome:
    """Export, let events arrive late, recount, and pull all again into another lake."""
    limits = StandinLimits(rows=cap, calls=(), running=())
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulation(Path(folder) / "lake", {}, limits=limits) as simulation,
    ):
        tables = [hunt.query.partition(" ")[0] for hunt in workload.hunts]
        try:
            return _measured(simulation, workload, tables, Path(folder), rows)
        finally:
            for table in tables:
                simulation.events.clear(table)


def _measured(
    simulation: Simulation, workload: Workload, tables: Sequence[str], folder: Path, rows: int
) -> Outcome:
    partitions = workload.partitions
    window = Window(partitions[0].window.start, partitions[-1].window.end)
    for table in tables:
        for number, each in enumerate(partitions):
            simulation.events.add_late(
                table, each.window, rows=rows // len(partitions) // len(tables), seed=number
            )
    hunts = [simulation.at(hunt) for hunt in workload.hunts]
    for at in hunts:
        list(Exporter(at).export(partitions))
    late = sum(workload.late(simulation, table, window) for table in tables)
    simulation.clock.sleep(20 * 3_600)
    made = len(simulation.calls)
    list(recount(hunts, partitions, mend=True))
    calls, made = len(simulation.calls) - made, len(simulation.calls)
    again = [_elsewhere(at, folder / "again") for at in hunts]
    for at in again:
        list(Exporter(at).export(partitions))
    missed = sum(
        _difference(_rows(one, partitions), _rows(other, partitions))
        for one, other in zip(hunts, again, strict=True)
    )
    missed += sum(
        _difference(_rows(at, partitions), _truth(simulation, at.hunt, table))
        for at, table in zip(hunts, tables, strict=True)
    )
    return Outcome(late, missed, calls, len(simulation.calls) - made)


def _elsewhere(at: HuntInTenant, folder: Path) -> HuntInTenant:
    """The same hunt into another lake, which knows nothing yet."""
    return HuntInTenant(at.hunt, at.tenant, LakeLayout(folder), at.clock, at.observer)


def _rows(at: HuntInTenant, partitions: Sequence[Partition]) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for each in partitions:
        table = pq.read_table(at.target(each), partitioning=None)
        found.update(_tuples(table, table.column_names[:-1]))
    return found


def _truth(simulation: Simulation, hunt: Hunt, table: str) -> Counter[tuple[object, ...]]:
    """What the tenant has, straight from its database."""
    columns = hunt.query.partition("project ")[2].split(", ")
    return Counter(_tuples(simulation.events.table(table), columns))


def _tuples(table: object, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    import pyarrow as pa

    assert isinstance(table, pa.Table)
    values = [
        table.column(name).cast(pa.int64()).to_pylist()
        if pa.types.is_timestamp(table.column(name).type)
        else table.column(name).to_pylist()
        for name in columns
    ]
    yield from zip(*values, strict=True)


def _difference(one: Counter[tuple[object, ...]], other: Counter[tuple[object, ...]]) -> int:
    return (one - other).total() + (other - one).total()


def as_table(outcomes: dict[str, Outcome]) -> str:
    """For people."""
    lines = [f"{'workload':<24} {'late rows':>9} {'missed':>7} {'calls':>6} {'all again':>10}"]
    for name, each in outcomes.items():
        lines.append(
            f"{name:<24} {each.late_rows:>9,} {each.missed_rows:>7,} {each.calls:>6,} "
            f"{each.full_repull_calls:>10,}  {each.calls / each.full_repull_calls:>6.1%}"
        )
    return "\n".join(lines)


@click.command()
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--rows", default=90_000, show_default=True, type=click.IntRange(100))
@click.option("--cap", default=1_500, show_default=True, type=click.IntRange(2))
def main(*, as_object: bool, rows: int, cap: int) -> None:
    """Count the calls that late events take, and the rows that are missed."""
    outcomes = {each.name: measure(each, rows=rows, cap=cap) for each in workloads()}
    total = sum(outcomes.values(), Outcome(0, 0, 0, 0))
    click.echo(json.dumps(asdict(total)) if as_object else as_table({**outcomes, "all": total}))
    sys.exit(0 if all(each.holds for each in outcomes.values()) else 1)


if __name__ == "__main__":
    main()

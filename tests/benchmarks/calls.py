"""How many calls an export of one hard day takes, beside the ways that others go.

    python -m tests.benchmarks.calls [--json] [--rows N] [--cap N]

What belongs here: running the real export and two simple ones against the stand-in, and counting.
What does not: the days (``workloads``). Counted is what the service saw: calls that only counted
rows, and calls whose answers had to be thrown away, too.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import HuntlakeError
from pipelines.hunts import Hunt
from pipelines.kql import analyse, restrict
from pipelines.kql.rewrite import ROWS
from pipelines.landing import decode
from pipelines.quota import Turn
from pipelines.standin import StandinLimits
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, Window
from tests.benchmarks.workloads import DAY, Workload, workloads
from tests.slicing.simulation import Simulation

TABLE: Final = "DeviceNetworkEvents"
HUNT: Final = Hunt(name="network", query=f"{TABLE} | project Timestamp, ReportId")

_HOUR_TICKS: Final = 3_600 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of exporting one day took. ``wasted_rows`` were received and not landed."""

    rows: int
    cap: int
    lower_bound: int
    calls: int
    wasted_rows: int
    running_seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """An outcome, and why the day could not be had whole that way, if so."""

    outcome: Outcome
    failure: str | None = None


def ours(workload: Workload) -> Run:
    """Huntlake's own export of the day."""
    with tempfile.TemporaryDirectory() as folder, _simulation(Path(folder), workload) as simulation:
        try:
            [exported] = simulation.exporter(HUNT).export([DAY])
        except HuntlakeError as error:
            return Run(_outcome(workload, simulation, landed=0), str(error))
        landed = pq.read_table(exported.path, partitioning=None)
        _check(workload, landed)
        return Run(_outcome(workload, simulation, landed=exported.receipt.rows))


def hourly(workload: Workload) -> Run:
    """Slices of an hour, each cut in two where its answer reaches the cap."""
    start, end = DAY.window.start, DAY.window.end
    hours = [Window(each, each + _HOUR_TICKS) for each in range(start, end, _HOUR_TICKS)]
    return _halving(workload, hours)


def halving(workload: Workload) -> Run:
    """The whole day, cut in two where its answer reaches the cap."""
    return _halving(workload, [DAY.window])


def _halving(workload: Workload, windows: Sequence[Window]) -> Run:
    with tempfile.TemporaryDirectory() as folder, _simulation(Path(folder), workload) as simulation:
        tables, stuck = _pulled(simulation, windows)
        landed = sum(table.num_rows for table in tables)
        outcome = _outcome(workload, simulation, landed=landed)
        if stuck:
            return Run(outcome, f"{stuck} has too many rows, and time can't divide it")
        _check(workload, pa.concat_tables(tables))
        return Run(outcome)


def _pulled(
    simulation: Simulation, windows: Sequence[Window]
) -> tuple[list[pa.Table], Window | None]:
    """What each slice brings, and the one that can't be had: a tick with more rows than the cap."""
    analysis = analyse(HUNT.query)
    tenant = simulation.tenant
    left = list(reversed(windows))
    tables, stuck = [], None
    while left:
        window = left.pop()
        query = restrict(HUNT.query, analysis, window=window, now=DAY.window.end)
        with tenant.gate.call(Turn(HUNT.name), lambda _: None):
            raw = tenant.client.run(query)
        answer = decode(raw.body, tenant.surface.dialect)
        if answer.rows < tenant.limits.rows:
            tables.append(answer.table)
        elif window.ticks == 1:
            stuck = window
        else:
            middle = window.start + window.ticks // 2
            left += Window(middle, window.end), Window(window.start, middle)
    return tables, stuck


def _simulation(folder: Path, workload: Workload) -> Simulation:
    events = {
        TABLE: {
            "Timestamp": pa.array(workload.instants, pa.int64()),
            "ReportId": pa.array(range(workload.rows), pa.int64()),
        }
    }
    return Simulation(folder, events, limits=StandinLimits(rows=workload.cap))


def _outcome(workload: Workload, simulation: Simulation, *, landed: int) -> Outcome:
    """What the stand-in's own log says. The rows of a count are no events, so none are wasted."""
    received = sum(call.rows for call in simulation.calls if ROWS not in call.query)
    return Outcome(
        rows=workload.rows,
        cap=workload.cap,
        lower_bound=workload.lower_bound,
        calls=len(simulation.calls),
        wasted_rows=received - landed,
        running_seconds=round(sum(call.modelled_seconds for call in simulation.calls), 3),
    )


def _check(workload: Workload, landed: pa.Table) -> None:
    """An export that loses or doubles rows must not look cheap."""
    times = landed.column("Timestamp").cast(pa.int64()).to_pylist()
    ticks = [time // NANOSECONDS_PER_TICK for time in times]
    found = Counter(zip(landed.column("ReportId").to_pylist(), ticks, strict=True))
    if found != Counter(enumerate(workload.instants)):
        raise AssertionError(f"the rows of {workload.name!r} are not what the tenant has")


WAYS: Final = {"huntlake": ours, "hourly": hourly, "halving": halving}


def measure(days: Iterable[Workload]) -> dict[str, dict[str, Run]]:
    """Each day by each way."""
    return {day.name: {way: run(day) for way, run in WAYS.items()} for day in days}


def as_json(runs: dict[str, dict[str, Run]]) -> dict[str, Any]:
    """One object: huntlake's own outcomes, and those of the other ways."""

    def of(way: str) -> dict[str, Any]:
        return {name: asdict(each[way].outcome) for name, each in runs.items()}

    baselines = {way: of(way) for way in WAYS if way != "huntlake"}
    return {"workloads": of("huntlake"), "baselines": baselines}


def as_table(runs: dict[str, dict[str, Run]]) -> str:
    """The same for people; a way that doesn't get the day whole is marked, and why stands below."""
    head = f"{'day':<15} {'rows':>8} {'cap':>7} {'way':<9} {'calls':>6} {'bound':>6} {'ratio':>6}"
    lines = [f"{head} {'wasted rows':>18} {'running':>9}"]
    notes = []
    for name, each in runs.items():
        for way, run in each.items():
            of = run.outcome
            share = of.wasted_rows / of.rows
            mark = ""
            if run.failure is not None:
                mark = " *"
                notes.append(f"* {name}, {way}: {run.failure}")
            lines.append(
                f"{name:<15} {of.rows:>8,} {of.cap:>7,} {way:<9} {of.calls:>6,} "
                f"{of.lower_bound:>6,} {of.calls / of.lower_bound:>6.2f} "
                f"{of.wasted_rows:>9,} ({share:>6.1%}) {of.running_seconds:>7.1f} s{mark}"
            )
    return "\n".join([*lines, *notes])


@click.command()
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--rows", default=110_000, show_default=True, type=click.IntRange(1))
@click.option("--cap", default=5_000, show_default=True, type=click.IntRange(2))
def main(*, as_object: bool, rows: int, cap: int) -> None:
    """Count the calls that exports of hard days take."""
    runs = measure(workloads(rows=rows, cap=cap))
    click.echo(json.dumps(as_json(runs)) if as_object else as_table(runs))
    failures = {name: each["huntlake"].failure for name, each in runs.items()}
    for name, failure in failures.items():
        if failure is not None:
            click.echo(f"{name}: {failure}", err=True)
    sys.exit(1 if any(failures.values()) else 0)


if __name__ == "__main__":
    main()

"""Exports under every fault of the stand-in: whole and equal, or a named error and nothing harmed.

    python -m tests.benchmarks.faults [--runs N] [--json]

What belongs here: disturbing whole exports, each fault alone and several at random, and judging how
they end. What does not: hunts, events and the truth (``tests.slicing.evidence``). A run is repeated
by its number.
"""

import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self

import click
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.clock import SimulatedClock
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import (
    CannotSplit,
    Forbidden,
    HuntlakeError,
    RowsMissing,
    SchemaChanged,
    SchemaClash,
    SliceFailed,
)
from pipelines.hunts import SurfaceName
from pipelines.kql.rewrite import ROWS
from pipelines.lake.layout import CARD_FILE
from pipelines.landing import KEPT_ASIDE
from pipelines.progress import Event, SliceStaged
from pipelines.settings import load_settings
from pipelines.standin import Fault, RunningTimeModel, Standin, StandinLimits, SyntheticSettings
from pipelines.windows import NANOSECONDS_PER_TICK
from tests.slicing.evidence import (
    ALIGNED,
    KEYED,
    ROW_WISE,
    SNAPSHOTS,
    WHOLE,
    Case,
    as_counter,
    check_receipt,
    made_events,
    truth,
    window_of,
)
from tests.slicing.simulation import MORNING, Simulation

QUERIES: Final = (*ROW_WISE, *ALIGNED, *KEYED, *WHOLE, *SNAPSHOTS)
# What is started anew by the error itself: its slices don't fit together.
_STARTED_OVER: Final = (SchemaChanged, SchemaClash, RowsMissing)
_NAMED: Final = (SliceFailed, CannotSplit, *_STARTED_OVER)
# An error that starts a partition over may come once for each, and then once more for the rest.
_MOST_EXPORTS: Final = 12
_HTTPS_EVERY: Final = 8


@dataclass(frozen=True, slots=True)
class Order:
    """When a fault happens: at a call (counted from 0), at the first count, or with a chance."""

    fault: Fault
    call: int | None = None
    at_count: bool = False
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One export to disturb. ``committed``: an earlier export has committed its first partition."""

    case: Case
    orders: tuple[Order, ...]
    surface: SurfaceName = "graph"
    committed: bool = False
    https: bool = False
    seed: int = 0


@dataclass(slots=True)
class Tally:
    """How trials ended. ``failed`` by the error's class; ``met`` is how often each fault was."""

    runs: int = 0
    complete: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    over_https: int = 0
    met: Counter[str] = field(default_factory=Counter)


class Wired:
    """What ``Simulation`` is, but with an engine and a stand-in that talk HTTPS."""

    def __init__(self, folder: Path, case: Case, surface: SurfaceName) -> None:
        self.clock = SimulatedClock(MORNING * NANOSECONDS_PER_TICK)
        self._standin = Standin(
            _shared_folder(),
            data=SyntheticSettings(end=case.window.end, days=1, rows_per_day=1, busiest_day_rows=1),
            limits=StandinLimits(rows=case.cap),
            running_time=RunningTimeModel(passes=True),
            clock=self.clock,
        )
        environment = {
            **self._standin.environment(surface),
            "HUNTLAKE_DATA": str(folder),
            "HUNTLAKE_LIMITS": f"seed,rows={case.cap}",
        }
        self._engine = Engine(load_settings(environment, root=folder), self.clock)
        self.tenant = self._engine.tenant_for(case.hunt)
        self.layout = self._engine.layout
        self.events = self._standin.tenant
        self.faults = self._standin.faults
        for table, rows in case.tables.items():
            self.events.clear(table)
            self.events.insert(table, rows)

    def __enter__(self) -> Self:
        self._standin.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._engine.__exit__(*raised)
        self._standin.__exit__(*raised)

    @property
    def calls(self) -> list[Any]:
        return self._standin.calls

    def export(self, trial: Trial, observer: Any, *, refresh: bool) -> Iterator[PartitionExport]:
        case = trial.case
        return self._engine.export(case.hunt, case.partitions, refresh=refresh, observer=observer)


class InProcess(Simulation):
    """A simulation that exports as ``Wired`` does."""

    def export(self, trial: Trial, observer: Any, *, refresh: bool) -> Iterator[PartitionExport]:
        case = trial.case
        return self.exporter(case.hunt, observer).export(case.partitions, refresh=refresh)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _shared_folder() -> Path:
    """One for all stand-ins of a process, which make their authority and tables once."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory())
    return Path(_folders[0].name)


@contextmanager
def _tenant(trial: Trial) -> Iterator[InProcess | Wired]:
    with tempfile.TemporaryDirectory() as folder:
        case, root = trial.case, Path(folder)
        if trial.https:
            with Wired(root, case, trial.surface) as wired:
                yield wired
        else:
            limits = StandinLimits(rows=case.cap)
            with InProcess(root, case.tables, limits=limits, surface=trial.surface) as simulation:
                yield simulation


# Making trials


def case_of(seed: int) -> Case:
    """An export that comes whole where nothing is wrong."""
    chance = random.Random(seed)  # noqa: S311 - repeated by its seed
    while True:
        query = chance.choice(QUERIES)
        snapshot = query in SNAPSHOTS
        partitioning = "snapshot" if snapshot else chance.choice(("daily", "hourly"))
        count = 1 if snapshot else chance.choice((1, 1, 2, 3))
        cap = chance.randint(8, 30)
        window = window_of(partitioning, count)
        events = made_events(chance, window, chance.randint(0, 5 * cap), alike=False)
        case = Case(query, partitioning, count, events, cap)
        if clean_calls(case):
            return case


def plain_cases() -> list[Case]:
    """A hunt that is counted and pulled in pages, and one that can't be cut."""
    chance = random.Random(0)  # noqa: S311 - repeated by its seed
    window = window_of("daily", 2)
    events = made_events(chance, window, 130, alike=False)
    few = Case(WHOLE[0], "daily", 2, events, 30)
    return [Case(ROW_WISE[0], "daily", 2, events, 20), few]


def clean_calls(case: Case) -> list[str] | None:
    """The queries of an undisturbed export; ``None`` where the hunt can't be exported whole."""
    trial = Trial(case, ())
    with _tenant(trial) as tenant:
        try:
            list(tenant.export(trial, _unwatched, refresh=False))
        except CannotSplit:
            return None
        return [call.query for call in tenant.calls]


def together(seed: int, *, https: bool = False) -> Trial:
    """Several faults in one export, some often and some once."""
    case = case_of(seed)
    chance = random.Random(-seed)  # noqa: S311 - repeated by its seed
    faults = list(Fault)
    often = chance.choice((0.03, 0.1, 0.3))
    orders = [
        *(Order(chance.choice(faults), chance=often) for _ in range(chance.randint(0, 3))),
        *(Order(chance.choice(faults), call=chance.randrange(6)) for _ in range(3)),
    ]
    surface: SurfaceName = chance.choice(("graph", "xdr", "mde"))
    return Trial(case, tuple(orders), surface, chance.random() < 0.5, https, seed)


def alone(case: Case, fault: Fault) -> list[Trial]:
    """The fault at the first, a middle and the last call of the export, and at its count."""
    calls = clean_calls(case) or []
    places = dict.fromkeys((0, len(calls) // 2, len(calls) - 1))
    trials = [Trial(case, (Order(fault, call=place),)) for place in places]
    if any(ROWS in query for query in calls):
        trials.append(Trial(case, (Order(fault, at_count=True),)))
    return trials


def each_alone() -> Iterator[Trial]:
    """Every fault alone, wherever it may strike."""
    for case in plain_cases():
        for fault in Fault:
            yield from alone(case, fault)


# Running and judging them


def run(trial: Trial, tally: Tally) -> HuntlakeError | None:
    """Export under the faults, and once they are over: the first error, if any, that it met.

    Raises ``AssertionError`` where an export ends in any other way than it may, and whatever it
    raised that has no name.
    """
    with _tenant(trial) as tenant:
        if trial.committed:
            first = replace(trial, case=replace(trial.case, count=1))
            list(tenant.export(first, _unwatched, refresh=False))
        _arrange(tenant, trial)
        staged: list[Any] = []
        error = _export(tenant, trial, staged, judged=tally)
        tally.runs += 1
        tally.over_https += trial.https
        tally.calls += len(tenant.calls)
        tally.met.update(str(call.fault) for call in tenant.calls if call.fault is not None)
        if error is None:
            tally.complete += 1
            return None
        tally.failed[type(error).__name__] += 1
        tenant.faults.clear()
        _finish(tenant, trial, staged, error)
        return error


def _finish(
    tenant: InProcess | Wired, trial: Trial, staged: list[Any], error: HuntlakeError | None
) -> None:
    """Once the faults are over the export completes, and pulls nothing again that was staged.

    Where the first partition was committed with the type that was wrong, the others don't fit it
    until somebody does as the error says.
    """
    for _ in range(_MOST_EXPORTS):
        # What was staged with another type than the rest is pulled anew without an error.
        if isinstance(error, _STARTED_OVER) or Fault.CHANGED_TYPE in _met(tenant):
            staged = []
        if isinstance(error, SchemaClash):
            for path in _lake(tenant):
                path.unlink()
        before = list(staged)
        staged_now: list[Any] = []
        error = _export(tenant, trial, staged_now)
        for one in staged_now:
            assert not any(one.start < other.end and other.start < one.end for other in before)
        if error is None:
            return
        assert isinstance(error, _STARTED_OVER), error
        staged = before + staged_now
    raise AssertionError("the export never completes")


def _export(
    tenant: InProcess | Wired, trial: Trial, staged: list[Any], *, judged: Tally | None = None
) -> HuntlakeError | None:
    before = _lake(tenant)
    first_call = len(tenant.calls)
    exports: list[PartitionExport] = []
    error: HuntlakeError | None = None

    def watch(event: Event) -> None:
        if isinstance(event, SliceStaged):
            staged.append(event.span)

    try:
        exports.extend(tenant.export(trial, watch, refresh=False))
    except _NAMED as raised:
        error = raised
    _judge(tenant, trial, exports, before, error)
    if judged is not None and error is None:
        made = [each.receipt for each in exports if not each.reused]
        assert sum(receipt.calls for receipt in made) == len(tenant.calls) - first_call
    return error


def _judge(
    tenant: InProcess | Wired,
    trial: Trial,
    exports: Sequence[PartitionExport],
    before: dict[Path, bytes],
    error: HuntlakeError | None,
) -> None:
    """What was committed is the truth; what was there is there, byte for byte."""
    case = trial.case
    if error is None:
        assert [each.partition for each in exports] == case.partitions
    for each in exports:
        table = pq.read_table(each.path, partitioning=None)
        assert _restored(table) == truth(case, tenant, each.partition), case.query
        check_receipt(each, as_counter(table), case.cap)
    after = _lake(tenant)
    committed = {each.path for each in exports}
    assert after.keys() == before.keys() | committed
    assert all(after[path] == content for path, content in before.items())


def _met(tenant: InProcess | Wired) -> set[Fault | None]:
    return {call.fault for call in tenant.calls}


def _lake(tenant: InProcess | Wired) -> dict[Path, bytes]:
    files = (path for path in tenant.layout.lake.rglob("*") if path.is_file())
    # The card comes with the first commit, and says nothing of rows.
    return {path: path.read_bytes() for path in files if path.name != CARD_FILE}


def _restored(table: pa.Table) -> Counter[tuple[object, ...]]:
    """The rows as they were before a fault of a column: nothing of them may be lost."""
    if "AddedLately" in table.column_names:
        assert set(table.column("AddedLately").to_pylist()) <= {"new", None}
        table = table.drop_columns(["AddedLately"])
    kept = [json.loads(text) if text else {} for text in table.column(KEPT_ASIDE).to_pylist()]
    for name in {name for each in kept for name in each}:
        values = table.column(name).to_pylist()
        whole = [each.get(name, value) for each, value in zip(kept, values, strict=True)]
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(whole, pa.string()))
    place = table.column_names.index(KEPT_ASIDE)
    table = table.set_column(place, KEPT_ASIDE, pa.nulls(table.num_rows, pa.string()))
    return as_counter(table)


def _arrange(tenant: InProcess | Wired, trial: Trial) -> None:
    at: dict[int, Fault] = {}
    for number, order in enumerate(trial.orders):
        if order.at_count:
            tenant.faults.when(ROWS, order.fault, count=1)
        elif order.call is not None:
            at[order.call] = order.fault
        else:
            tenant.faults.sometimes(order.fault, order.chance, seed=trial.seed + number)
    if at:
        tenant.faults.next(*(at.get(call) for call in range(max(at) + 1)))


def _unwatched(event: Event) -> None:
    del event


def expected_of(trial: Trial, error: HuntlakeError | None) -> bool:
    """Whether an export under one fault alone ended as it must."""
    [order] = trial.orders
    if order.fault is Fault.FORBIDDEN_HTML:
        return isinstance(error, SliceFailed) and isinstance(error.__cause__, Forbidden)
    changed = (SchemaChanged, SchemaClash)
    return error is None or (order.fault is Fault.CHANGED_TYPE and isinstance(error, changed))


@click.command()
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--runs", default=400, show_default=True, type=click.IntRange(1))
def main(*, as_object: bool, runs: int) -> None:
    """Disturb whole exports: each fault alone at several calls, then RUNS times several."""
    tally, wrong = Tally(), []
    for trial in each_alone():
        error = run(trial, tally)
        if not expected_of(trial, error):
            wrong.append(f"{trial.orders}, alone, ended with {error}")
    for seed in range(1, runs + 1):
        trial = together(seed, https=seed % _HTTPS_EVERY == 0)
        try:
            run(trial, tally)
        except AssertionError as problem:
            wrong.append(f"run {seed}, {trial.orders}: {problem}")
    found = {each.name: getattr(tally, each.name) for each in fields(tally)} | {"wrong": wrong}
    click.echo(json.dumps(found) if as_object else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

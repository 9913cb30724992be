"""Exports disturbed by late rows, interruptions and faults: nothing is lost, nothing doubled."""

import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.committing import PartitionExport
from pipelines.errors import CannotSplit, HuntlakeError
from pipelines.kql import BUCKET
from pipelines.progress import Event, PartitionStarted, SliceStaged
from pipelines.quota import Limits
from pipelines.spans import Position, Span
from pipelines.standin import Fault, RunningTimeModel, StandinLimits
from pipelines.windows import Window, parse_instant
from tests.slicing.evidence import (
    ALIGNED,
    KEYED,
    ROW_WISE,
    TABLE,
    Case,
    Rows,
    as_rows,
    cases,
    check_costs,
    check_receipt,
    event_lists,
    landed,
    truth,
)
from tests.slicing.simulation import Simulation

_PATIENT = {"deadline": None}


@contextmanager
def simulated(case: Case, **options: object) -> Iterator[Simulation]:
    limits = StandinLimits(rows=case.cap, calls=(), running=())
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulation(Path(folder), case.tables, **{"limits": limits, **options}) as simulation,
    ):
        yield simulation


def check_all(case: Case, simulation: Simulation, exports: list[PartitionExport]) -> None:
    """All partitions landed, each with the unsliced hunt's own rows."""
    assert [each.partition for each in exports] == case.partitions
    for each in exports:
        rows = landed(each)
        assert rows == truth(case, simulation, each.partition)
        check_receipt(each, rows, case.cap)


# Rows that arrive meanwhile


@settings(max_examples=10, **_PATIENT)
@given(st.data())
def test_what_arrives_meanwhile_neither_hides_nor_doubles_what_was_there(
    data: st.DataObject,
) -> None:
    """Between a count and what it plans, or between any two calls: all that was there lands."""
    case = data.draw(cases(ROW_WISE, most=70, alike=False))
    late = data.draw(event_lists(case.window, most=40, alike=False))
    chance = random.Random(data.draw(st.integers(0, 99)))  # noqa: S311 - repeated by its seed
    waiting = list(late)
    with simulated(case) as simulation:
        before = {each.key: truth(case, simulation, each) for each in case.partitions}

        def arrive(query: str) -> None:
            del query
            arriving = [waiting.pop() for _ in range(min(len(waiting), chance.randrange(6)))]
            if arriving:
                rows = as_rows(arriving)
                rows["AlertId"] = [f"late {name}" for name in rows["AlertId"]]
                simulation.events.insert(TABLE, rows)

        simulation.before_call(arrive)
        exports = []
        with suppress(CannotSplit):
            exports.extend(simulation.exporter(case.hunt).export(case.partitions))
        for each in exports:
            rows = landed(each)
            check_receipt(each, rows, case.cap)
            assert not before[each.partition.key] - rows
            assert not rows - truth(case, simulation, each.partition)


@settings(max_examples=6, **_PATIENT)
@given(st.data())
def test_what_arrives_meanwhile_makes_no_bin_come_twice(data: st.DataObject) -> None:
    """A bin that was pulled is done with, whatever comes for it later."""
    case = data.draw(cases(ALIGNED[:2], most=70, alike=False))
    late = list(data.draw(event_lists(case.window, most=40, alike=False)))
    with simulated(case) as simulation:
        before = {each.key: truth(case, simulation, each) for each in case.partitions}
        simulation.before_call(
            lambda _: late and simulation.events.insert(TABLE, as_rows([late.pop()]))
        )
        exports = []
        with suppress(CannotSplit):
            exports.extend(simulation.exporter(case.hunt).export(case.partitions))
        for each in exports:
            found = without_counts(landed(each))
            assert set(found.values()) <= {1}
            assert not without_counts(before[each.partition.key]) - found


def without_counts(rows: Rows) -> Rows:
    """The bins; the count is the last of the columns but for what is kept aside."""
    return Counter(row[:-1] for row in rows.elements())


# Interruptions


@settings(max_examples=9, **_PATIENT)
@given(cases((*ROW_WISE, *ALIGNED, *KEYED), most=80), st.integers(1, 12))
def test_an_interrupted_export_goes_on_where_it_was(case: Case, stop: int) -> None:
    """Whatever was staged is not pulled again, and the whole is as if nothing had happened."""
    with simulated(case) as simulation:
        told: list[Event] = []

        def interrupt(event: Event) -> None:
            told.append(event)
            if sum(isinstance(each, SliceStaged) for each in told) == stop:
                raise KeyboardInterrupt

        exports: dict[str, PartitionExport] = {}
        try:
            with suppress(KeyboardInterrupt):
                for each in simulation.exporter(case.hunt, interrupt).export(case.partitions):
                    exports[each.partition.key] = each
            staged = [each.span for each in told if isinstance(each, SliceStaged)]
            again: list[Event] = []
            for each in simulation.exporter(case.hunt, again.append).export(case.partitions):
                exports[each.partition.key] = each
        except CannotSplit:
            return
        check_all(case, simulation, list(exports.values()))
        for one in (each.span for each in again if isinstance(each, SliceStaged)):
            assert not any(overlap(one, other) for other in staged)
        found = [
            span for each in again if isinstance(each, PartitionStarted) for span in each.staged
        ]
        committed = [each.partition.window for each in exports.values() if each.reused]
        for span in staged:
            assert span in found or any(Span.of(window).covers(span) for window in committed)


def overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


_SHADOW = re.compile(r">= datetime\(([^)]+)\) and \w+ < datetime\(([^)]+)\)")
_FIRST_CELL = re.compile(rf"\(Timestamp != datetime\(([^)]+)\) or {BUCKET} >= (\d+)\)")


def test_no_query_of_a_second_run_asks_for_what_the_first_has_staged(tmp_path: Path) -> None:
    """By the windows that the service sees, which is what costs quota."""
    start = parse_instant("2026-11-19")
    ticks = [start + number * 7_919_000_000 for number in range(100)]
    rows = {"Timestamp": ticks, "AlertId": [f"a{number}" for number in range(100)]}
    case = Case("AlertInfo | project Timestamp, AlertId", "daily", 1, (), 20)
    with Simulation(tmp_path, {TABLE: rows}, limits=StandinLimits(rows=20)) as simulation:
        staged: list[Span] = []

        def interrupt(event: Event) -> None:
            if isinstance(event, SliceStaged):
                staged.append(event.span)
                if len(staged) == 3:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(simulation.exporter(case.hunt, interrupt).export(case.partitions))
        calls = len(simulation.calls)
        list(simulation.exporter(case.hunt).export(case.partitions))
        assert len(simulation.calls) > calls
        for call in simulation.calls[calls:]:
            found = _SHADOW.search(call.query)
            assert found is not None
            asked = Span.of(Window(*map(parse_instant, found.groups())))
            begun = _FIRST_CELL.search(call.query)
            if begun is not None:
                start = Position(parse_instant(begun[1]), int(begun[2]))
                assert start.instant == asked.start.instant
                asked = Span(start, asked.end)
            assert not any(overlap(asked, other) for other in staged)


# Faults


@settings(max_examples=10, **_PATIENT)
@given(cases((*ROW_WISE, *KEYED), most=80), st.integers(0, 99), st.sampled_from((2, 5)))
def test_quotas_and_passing_faults_only_take_time(case: Case, seed: int, rarely: int) -> None:
    """An export ends complete, or names what it could not do and commits nothing wrong."""
    with simulated(case) as simulation:
        chance = random.Random(seed)  # noqa: S311 - repeated by its seed
        passing = [Fault.CALLS_A_MINUTE, Fault.RETRY_AFTER, Fault.UNAVAILABLE, Fault.INVALID_JSON]
        for number, fault in enumerate(passing):
            simulation.faults.sometimes(fault, 0.1 / rarely, seed=seed + number)
        simulation.faults.next(chance.choice(passing))
        exports: list[PartitionExport] = []
        try:
            exports.extend(simulation.exporter(case.hunt).export(case.partitions))
        except HuntlakeError:
            check_each(case, simulation, exports)
            return
        check_all(case, simulation, exports)
        assert sum(each.receipt.calls for each in exports) == len(simulation.calls)


def check_each(case: Case, simulation: Simulation, exports: list[PartitionExport]) -> None:
    """What was committed before an error is whole."""
    for each in exports:
        assert landed(each) == truth(case, simulation, each.partition)


@settings(max_examples=8, **_PATIENT)
@given(cases((*ROW_WISE, *ALIGNED, *KEYED), most=80), st.integers(1_500, 8_000), st.booleans())
def test_answers_that_are_too_large_are_asked_for_in_parts(
    case: Case, size: int, told: bool
) -> None:
    """Whether or not the engine knows how large an answer may be."""
    enforced = StandinLimits(rows=1_000, response_bytes=size, calls=(), running=())
    knows = Limits(
        rows=1_000,
        response_bytes=size if told else None,
        request_seconds=600.0,
        data_age_days=30,
        calls=(),
        running=(),
    )
    case = Case(case.query, case.partitioning, case.count, case.events, 1_000)
    with simulated(case, limits=enforced, told=knows) as simulation:
        endless(simulation)
        exports: list[PartitionExport] = []
        try:
            exports.extend(simulation.exporter(case.hunt).export(case.partitions))
        except CannotSplit:
            check_each(case, simulation, exports)
            return
        check_all(case, simulation, exports)


@settings(max_examples=8, **_PATIENT)
@given(cases((*ROW_WISE, *ALIGNED), most=80), st.sampled_from(("preempted", "timed_out")))
def test_queries_that_are_too_heavy_are_asked_for_in_parts(case: Case, overlong: str) -> None:
    """An hour scanned takes so long that a call may read but a few."""
    enforced = StandinLimits(
        rows=case.cap, request_seconds=20.0, overlong=overlong, calls=(), running=()
    )
    model = RunningTimeModel(seconds_per_hour_scanned=3.0, passes=True)
    with simulated(case, limits=enforced, running_time=model) as simulation:
        endless(simulation)
        exports: list[PartitionExport] = []
        try:
            exports.extend(simulation.exporter(case.hunt).export(case.partitions))
        except HuntlakeError:
            check_each(case, simulation, exports)
            return
        check_all(case, simulation, exports)
        check_costs(exports, simulation)


def endless(simulation: Simulation) -> None:
    """Fail where an export makes more calls than any that ends."""

    def refuse(query: str) -> None:
        del query
        assert len(simulation.calls) < 600

    simulation.before_call(refuse)

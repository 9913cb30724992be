"""Whatever arrives late, and whatever the service has forgotten: the lake gains and never loses."""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.hunts import Hunt
from pipelines.spans import Span
from pipelines.windows import Window
from tests.late.scene import (
    ALERTS,
    DAYS,
    HOUR,
    NAMED,
    SECOND,
    START,
    TABLE,
    alerts,
    all_ids,
    check_receipt,
    counts,
    exported,
    ids_of,
    receipt_of,
    recounted,
    simulated,
    width_of,
)

_WINDOW = Window(START, DAYS[1].window.end)


@dataclass(frozen=True)
class Case:
    """Two days of events, those that come late, and which are forgotten meanwhile."""

    hunt: Hunt
    early: list[int]
    late: list[int]
    forgotten: int
    cap: int


@st.composite
def instants(draw: st.DrawFn, most: int) -> list[int]:
    """Some anywhere, some on edges of bins and days, and some in a crowd of one tick."""
    anywhere = draw(st.lists(st.integers(_WINDOW.start, _WINDOW.end - 1), max_size=most))
    edge = st.integers(0, 47).map(lambda hour: _WINDOW.start + hour * HOUR)
    beside = st.tuples(edge, st.sampled_from([-1, 0, 1, SECOND])).map(sum)
    edges = draw(st.lists(beside.filter(_WINDOW.__contains__), max_size=most))
    crowd = draw(st.integers(0, most))
    return [*anywhere, *edges, *[_WINDOW.start + 31 * HOUR + 5] * crowd]


@st.composite
def cases(draw: st.DrawFn, *, forgetting: bool = False) -> Case:
    early = draw(instants(20))
    forgotten = draw(st.integers(1, max(1, len(early)))) if forgetting else 0
    return Case(
        hunt=draw(st.sampled_from([ALERTS, NAMED])),
        early=early,
        late=draw(instants(8)),
        forgotten=min(forgotten, len(early)),
        cap=draw(st.sampled_from([12, 60, 1_000])),
    )


@settings(max_examples=12, deadline=None)
@given(cases())
def test_the_lake_becomes_what_a_fresh_export_would_give(case: Case) -> None:
    """And no bin is pulled again that did not grow."""
    partitions = DAYS[:2]
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated(Path(folder), *case.early, rows=case.cap) as simulation,
    ):
        [at] = exported(simulation, case.hunt, partitions=partitions)
        exported_ns = simulation.clock.now_ns()
        simulation.events.insert(TABLE, alerts(*case.late, name="late "))
        simulation.clock.sleep(1)
        made = len(simulation.calls)
        found = recounted(at, partitions=partitions)
        width = width_of(counts(simulation.calls[made:])[-1])
        assert ids_of(at, partitions) == all_ids(simulation)
        assert sum(each.late_rows for each in found) == len(case.late)
        for each in partitions:
            check_receipt(at, each)
            for record in receipt_of(at, each).slices:
                if record.pulled_ns > exported_ns:
                    assert _bins(record.span, width) <= {late // width for late in case.late}
        made = len(simulation.calls)
        assert not any(each.late_rows for each in recounted(at, partitions=partitions))
        assert len(counts(simulation.calls[made:])) == len(simulation.calls[made:])


@settings(max_examples=8, deadline=None)
@given(cases(forgetting=True))
def test_rows_that_are_gone_from_the_service_stay(case: Case) -> None:
    """Though events arrive in the very bins that lost some; and nothing lands twice."""
    partitions = DAYS[:2]
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated(Path(folder), *case.early, rows=case.cap) as simulation,
    ):
        [at] = exported(simulation, case.hunt, partitions=partitions)
        before = ids_of(at, partitions)
        left = alerts(*case.early)
        simulation.events.clear(TABLE)
        simulation.events.insert(
            TABLE, {name: values[case.forgotten :] for name, values in left.items()}
        )
        simulation.events.insert(TABLE, alerts(*case.late, name="late "))
        recounted(at, partitions=partitions)
        lake = ids_of(at, partitions)
        late = Counter(alerts(*case.late, name="late ")["AlertId"])
        for each in partitions:
            check_receipt(at, each)
    # A bin that grew by more than it lost is what the service has now.
    assert lake.total() >= before.total()
    assert lake <= before + late


def _bins(span: Span, width: int) -> set[int]:
    """The bins that a span has a part in."""
    last = span.end.instant if span.end.bucket else span.end.instant - 1
    return set(range(span.start.instant // width, last // width + 1))

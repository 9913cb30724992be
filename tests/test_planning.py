"""Plans of whole exports: what they say comes true, and asking for one pulls nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.hunts import Hunt
from pipelines.plan_text import plan_json, plan_lines
from pipelines.planning import ExportPlan, plan_export
from pipelines.quota import CallQuota
from pipelines.slicing import Plan, partition
from pipelines.standin import StandinLimits
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests.slicing.simulation import MORNING, Simulation

HUNT = Hunt(name="alerts", query="AlertInfo\n| project Timestamp, AlertId")
GROUPED = Hunt(name="titles", query="AlertInfo\n| summarize count() by Title")
DAYS = [partition("daily", f"2026-11-{day}") for day in (16, 17, 18)]
CAP = 100
LIMITS = StandinLimits(rows=CAP, calls=((5, 60.0),))


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    """A thousand rows, one every quarter of a minute from the first day's start."""
    first = DAYS[0].window.start
    times = [first + number * 15 * TICKS_PER_SECOND for number in range(1_000)]
    events = {"AlertInfo": {"Timestamp": times, "AlertId": [str(time) for time in times]}}
    with Simulation(tmp_path, events, limits=LIMITS) as simulation:
        yield simulation


def plan_of(simulation: Simulation, hunt: Hunt = HUNT, *, may_count: bool = True) -> ExportPlan:
    return plan_export(simulation.at(hunt), DAYS, may_count=may_count)


def test_a_plan_costs_one_count_and_pulls_nothing(simulation: Simulation) -> None:
    """Adjacent partitions are counted in one call, of which only sums come back."""
    planned = plan_of(simulation)
    assert (planned.basis, planned.counting_calls, planned.plan.rows) == ("count", 1, 1_000)
    [call] = simulation.calls
    assert "summarize HuntlakeRows = count()" in call.query
    assert planned.to_pull == ("2026-11-16", "2026-11-17", "2026-11-18")


def test_what_a_plan_says_comes_true(simulation: Simulation) -> None:
    """The export takes as many calls as planned, and no count: it plans with the plan's own."""
    planned = plan_of(simulation)
    exported = list(simulation.exporter(HUNT).export(DAYS))
    assert sum(each.receipt.rows for each in exported) == planned.plan.rows
    assert planned.plan.calls == len(simulation.calls) - planned.counting_calls
    assert sum(each.receipt.counting_calls for each in exported) == 0
    assert [each.receipt.counted_rows for each in exported] == [1_000, 0, 0]


def test_slices_tile_what_is_left(simulation: Simulation) -> None:
    """Every instant that is to be pulled is in one slice, in time order."""
    slices = plan_of(simulation).plan.slices
    assert slices[0].span.start.instant == DAYS[0].window.start
    assert slices[-1].span.end.instant == DAYS[-1].window.end
    assert all(earlier.span.end == later.span.start for earlier, later in pairwise(slices))


def test_what_is_committed_takes_nothing(simulation: Simulation) -> None:
    """And the plan says so."""
    list(simulation.exporter(HUNT).export(DAYS[:2]))
    planned = plan_of(simulation)
    assert planned.committed == ("2026-11-16", "2026-11-17")
    assert planned.to_pull == ("2026-11-18",)
    list(simulation.exporter(HUNT).export(DAYS))
    assert plan_of(simulation).plan == Plan((), ())


def test_offline_no_call_is_made(simulation: Simulation) -> None:
    """Before the first export nothing is known; after it, what it brought is expected again."""
    planned = plan_of(simulation, may_count=False)
    assert (planned.basis, planned.plan.rows, planned.plan.calls) == ("nothing", None, 1)
    assert simulation.calls == []
    list(simulation.exporter(HUNT).export(DAYS[:1]))
    made = len(simulation.calls)
    planned = plan_of(simulation, may_count=False)
    assert (planned.basis, planned.plan.rows) == ("history", 2_000)
    assert len(simulation.calls) == made


def test_a_hunt_that_time_can_t_count_is_a_call_for_each_partition(simulation: Simulation) -> None:
    """Counting the groups of a day would cost what pulling them does."""
    planned = plan_of(simulation, GROUPED)
    assert simulation.calls == []
    assert planned.verdict == "keyed"
    assert [each.span.start.instant for each in planned.plan.slices] == [
        day.window.start for day in DAYS
    ]


def test_an_expired_partition_is_refused_and_the_others_planned(simulation: Simulation) -> None:
    """The plan says why, where an export would fail."""
    simulation.clock.sleep(27 * 86_400)
    planned = plan_of(simulation)
    assert [key for key, _ in planned.refused] == ["2026-11-16", "2026-11-17"]
    assert "past the horizon" in planned.refused[0][1]
    assert planned.to_pull == ("2026-11-18",)


def test_what_expires_before_its_turn_is_told(simulation: Simulation) -> None:
    """Nine calls at two an hour end too late for what is gone in half of one."""
    first_day = DAYS[0].window.start + 30 * 86_400 * TICKS_PER_SECOND
    simulation.clock.ns = first_day * NANOSECONDS_PER_TICK - 1_800 * NANOSECONDS_PER_SECOND
    slow = replace(simulation.tenant.limits, calls=(CallQuota(2, 3_600),))
    simulation.tenant = replace(simulation.tenant, limits=slow)
    simulation.tenant.gate._limits = slow
    planned = plan_of(simulation)
    [late] = planned.too_late
    assert late.partition == "2026-11-16"
    assert late.expires_ns == first_day * NANOSECONDS_PER_TICK
    assert late.expected_ns > late.expires_ns
    text = "\n".join(plan_lines(planned))
    assert "1 of 3 partitions will not make it before the horizon" in text
    assert "2026-11-16 expires at 2026-12-16T00:00Z and would be pulled by 2026-12-16T0" in text
    assert json.loads(plan_json(planned))["too_late"]["2026-11-16"]["expires"] == (
        "2026-12-16T00:00:00Z"
    )


def test_the_plan_ends_when_the_quota_lets_it(simulation: Simulation) -> None:
    """Five calls a minute, of which the count was one: the last starts in the third minute."""
    planned = plan_of(simulation)
    assert planned.plan.calls == 11
    list(simulation.exporter(HUNT).export(DAYS))
    late_ns = simulation.clock.now_ns() - planned.finish_ns
    assert abs(late_ns) < 10 * NANOSECONDS_PER_SECOND
    assert planned.finish_ns > MORNING * NANOSECONDS_PER_TICK + 120 * NANOSECONDS_PER_SECOND


def test_a_plan_is_a_value(simulation: Simulation) -> None:
    """It can be stored, read again and compared."""
    plan = plan_of(simulation).plan
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_it_reads_as_text_and_as_json(simulation: Simulation) -> None:
    """Verdict and reason first, then partitions, rows, calls, running time, end, and slices."""
    planned = plan_of(simulation)
    lines = list(plan_lines(planned))
    assert lines[0].startswith("alerts is row-wise, since every operator treats each row")
    assert lines[1] == "3 partitions: 3 to pull, 0 committed, 0 refused"
    assert lines[2] == "1,000 rows counted by the service (1 call made)"
    assert lines[3].startswith("11 calls, about ")
    assert len(lines) == 4 + 11
    values = json.loads(plan_json(planned))
    assert (values["calls"], values["rows"], len(values["slices"])) == (11, 1_000, 11)
    assert values["verdict"] == "row-wise"

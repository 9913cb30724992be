"""How many calls exports take: close to the fewest, on days of every shape."""

from pathlib import Path

import pytest

from pipelines.hunts import Hunt
from pipelines.kql.rewrite import ROWS
from pipelines.slicing import partitions_between
from pipelines.standin import StandinLimits
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant
from tests.benchmarks.calls import HUNT, TABLE, ours
from tests.benchmarks.workloads import DAY, Workload, workloads
from tests.slicing.simulation import Simulation

CAP = 200
SHAPES = ("uniform", "daily rhythm", "bursty", "heavy-tailed", "one-tick burst")
MONTH = Window(parse_instant("2026-10-21T00:00:00Z"), parse_instant("2026-11-20"))
# That the month's first day lies before the horizon is not what is tested.
OPEN = StandinLimits(rows=CAP, calls=(), running=(), data_age_days=60)


def day(name: str, *, rows: int, seed: int) -> Workload:
    """One of the benchmark's days."""
    return next(each for each in workloads(rows=rows, cap=CAP, seed=seed) if each.name == name)


@pytest.mark.parametrize("name", SHAPES)
def test_calls_are_close_to_the_fewest(name: str) -> None:
    """A twentieth and two more than rows would fill, counts too; rows come once but for a few."""
    # With this seed the burst of one tick falls into the first page, which nobody has counted.
    outcome = ours(day(name, rows=21 * CAP, seed=3)).outcome
    assert outcome.calls <= 1.05 * outcome.lower_bound + 2
    assert outcome.wasted_rows <= outcome.rows / 100


def test_a_burst_in_the_first_page_costs_nothing_more() -> None:
    """Nobody has counted by then, but the page's end among the rows of a tick is no loss."""
    burst = [DAY.window.start + 10 * TICKS_PER_SECOND] * 500
    step = DAY.window.ticks // 4_300
    others = [DAY.window.start + number * step for number in range(4_300)]
    outcome = ours(Workload("early", CAP, burst + others)).outcome
    assert outcome.calls <= 1.05 * outcome.lower_bound + 2
    assert outcome.wasted_rows <= outcome.rows / 100


def test_a_hunt_that_fits_one_call_costs_one() -> None:
    """No count, no probe."""
    assert ours(day("fits one call", rows=24 * CAP, seed=3)).outcome.calls == 1


@pytest.mark.parametrize("unit", [1, 60])
@pytest.mark.parametrize("name", ["uniform", "heavy-tailed"])
def test_coarse_clocks_cost_nothing_more(name: str, unit: int) -> None:
    """Where a source cuts its times to seconds or minutes, so that many rows share each."""
    even = day(name, rows=21 * CAP, seed=3)
    ticks = unit * TICKS_PER_SECOND
    coarse = Workload("coarse", CAP, [each // ticks * ticks for each in even.instants])
    outcome = ours(coarse).outcome
    assert outcome.calls <= 1.05 * outcome.lower_bound + 2
    assert outcome.wasted_rows <= outcome.rows / 100


def month(tmp_path: Path, rows: int) -> Simulation:
    step = MONTH.ticks // rows
    ticks = [MONTH.start + number * step for number in range(rows)]
    events = {TABLE: {"Timestamp": ticks, "ReportId": list(range(rows))}}
    return Simulation(tmp_path, events, limits=OPEN)


def test_thirty_quiet_days_are_one_call(tmp_path: Path) -> None:
    """Each with a file and a receipt of its own."""
    days = partitions_between("daily", MONTH)
    hunt = Hunt("filtered", f"{TABLE} | where ReportId >= 0 | project Timestamp, ReportId")
    with month(tmp_path, 150) as simulation:
        exports = list(simulation.exporter(hunt).export(days))
        assert len(simulation.calls) == 1
    assert [each.partition for each in exports] == days
    assert [each.receipt.rows for each in exports] == [5] * 30
    assert [each.receipt.calls for each in exports] == [1, *[0] * 29]


def test_a_month_of_all_events_is_counted_before_it_is_sorted(tmp_path: Path) -> None:
    """Nothing says that they are few, and sorting a month of a busy table for a page is dear."""
    days = partitions_between("daily", MONTH)
    with month(tmp_path, 150) as simulation:
        list(simulation.exporter(HUNT).export(days))
        assert [ROWS in call.query for call in simulation.calls] == [True, False]


@pytest.mark.parametrize(
    "query",
    [
        f"{TABLE} | where Timestamp > ago(1d) | project Timestamp, ReportId",
        f"{TABLE} | project ReportId",
        f"{TABLE} | summarize n = count() by bin(Timestamp, 13h)",
        f"{TABLE} | summarize n = count() by ReportId",
    ],
)
def test_what_is_tied_to_its_day_is_a_call_a_day(query: str, tmp_path: Path) -> None:
    """By now(), by a bin that lies in two, or since rows of different days can't be told apart."""
    days = partitions_between("daily", MONTH)[-5:]
    with month(tmp_path, 150) as simulation:
        list(simulation.exporter(Hunt(name="tied", query=query)).export(days))
        assert len(simulation.calls) == 5


def test_busy_days_are_counted_once_and_pages_go_on_over_midnight(tmp_path: Path) -> None:
    """So that the last page of each day isn't mostly empty."""
    days = partitions_between("daily", MONTH)[:8]
    with month(tmp_path, 30 * CAP) as simulation:
        exports = list(simulation.exporter(HUNT).export(days))
        assert len(simulation.calls) <= 1.05 * 8 + 2
        assert sum(ROWS in call.query for call in simulation.calls) <= 1
    assert sum(each.receipt.rows for each in exports) == 8 * CAP


def test_a_second_night_plans_by_the_first(tmp_path: Path) -> None:
    """Where history says that a day is a page or two, it isn't counted."""
    days = partitions_between("daily", MONTH)[-2:]
    with month(tmp_path, 30 * CAP) as simulation:
        list(simulation.exporter(HUNT).export(days[:1]))
        first = len(simulation.calls)
        list(simulation.exporter(HUNT).export(days[1:]))
        second = simulation.calls[first:]
        assert len(second) <= 2
        assert not any(ROWS in call.query for call in second)


def test_a_second_busy_night_is_counted_at_once(tmp_path: Path) -> None:
    """Where history says that a day is many pages, a first page from it would be a guess."""
    days = partitions_between("daily", MONTH)[-2:]
    with month(tmp_path, 30 * 5 * CAP) as simulation:
        list(simulation.exporter(HUNT).export(days[:1]))
        first = len(simulation.calls)
        list(simulation.exporter(HUNT).export(days[1:]))
        second = [ROWS in call.query for call in simulation.calls[first:]]
        assert second == [True, *[False] * 6]

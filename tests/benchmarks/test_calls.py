"""The benchmark of calls: hard days as they are said to be, and counts that hide nothing."""

import json
from collections import Counter

import pyarrow as pa
import pytest
from click.testing import CliRunner

from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests.benchmarks import calls
from tests.benchmarks.calls import _check, as_table, halving, hourly, main, measure, ours
from tests.benchmarks.workloads import DAY, Workload, workloads

ROWS, CAP = 22_000, 1_000
DAYS = {day.name: day for day in workloads(rows=ROWS, cap=CAP)}
HARD = [name for name in DAYS if name != "fits one call"]


def fullest(day: Workload, seconds: int) -> int:
    """Rows in the fullest bin of so many seconds."""
    width = seconds * TICKS_PER_SECOND
    return max(Counter(instant // width for instant in day.instants).values())


def test_the_days_have_what_their_names_say() -> None:
    """At least twenty caps of rows each, all within the day, the same for a seed."""
    for name in HARD:
        assert DAYS[name].rows == ROWS
        assert DAYS[name].lower_bound == 22
    assert all(instant in DAY.window for day in DAYS.values() for instant in day.instants)
    assert {day.name: day for day in workloads(rows=ROWS, cap=CAP)} == DAYS
    assert fullest(DAYS["uniform"], 60) < 40
    assert 1.5 < fullest(DAYS["daily rhythm"], 3_600) / fullest(DAYS["uniform"], 3_600) < 2
    assert fullest(DAYS["bursty"], 10) > CAP / 2
    assert fullest(DAYS["heavy-tailed"], 60) > 10 * fullest(DAYS["uniform"], 60)
    assert Counter(DAYS["one-tick burst"].instants).most_common(1)[0][1] == 2.5 * CAP
    assert DAYS["fits one call"].rows < CAP


def test_a_third_of_a_bursty_day_is_in_its_bursts() -> None:
    """In a few dozen seconds of the whole day."""
    seconds = Counter(instant // TICKS_PER_SECOND for instant in DAYS["bursty"].instants)
    assert sum(rows for _, rows in seconds.most_common(100)) >= ROWS // 3


@pytest.mark.parametrize("way", [ours, hourly, halving])
def test_every_call_and_every_row_is_counted(way: object) -> None:
    """What was received and not landed is waste, whichever way it was had."""
    assert callable(way)
    [day] = [day for day in workloads(rows=150, cap=40) if day.name == "daily rhythm"]
    run = way(day)
    assert run.failure is None
    assert (run.outcome.rows, run.outcome.cap, run.outcome.lower_bound) == (150, 40, 4)
    assert run.outcome.calls >= 4
    assert run.outcome.wasted_rows >= 0
    # Each call takes a fifth of a second, whatever it brings.
    assert run.outcome.running_seconds > 0.2 * run.outcome.calls


def test_halving_wastes_each_answer_that_reaches_the_cap() -> None:
    """And says so where it ends at a tick that time can't divide."""
    [day] = [day for day in workloads(rows=100, cap=40) if day.name == "one-tick burst"]
    run = halving(day)
    assert run.failure is not None
    assert "time can't divide" in run.failure
    # From a day down to a tick, each call to the burst brings forty rows for nothing.
    assert run.outcome.wasted_rows >= 40 * 39
    assert "* one-tick burst, halving: [" in as_table({day.name: {"halving": run}})


@pytest.mark.parametrize("ids", [[0, 1], [0, 1, 1], [0, 2, 1]])
def test_an_export_that_loses_or_doubles_rows_is_no_measurement(ids: list[int]) -> None:
    """However few calls it takes."""
    first = DAY.window.start
    day = Workload("three", 10, [first, first + 1, first + 2])
    times = [instant * NANOSECONDS_PER_TICK for instant in day.instants]
    whole = {"ReportId": [0, 1, 2], "Timestamp": pa.array(times, pa.timestamp("ns"))}
    _check(day, pa.table(whole))
    wrong = {"ReportId": ids, "Timestamp": whole["Timestamp"][: len(ids)]}
    with pytest.raises(AssertionError, match="three"):
        _check(day, pa.table(wrong))


def test_it_prints_one_object_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With huntlake's outcome of each day, and beside them those of the other ways."""
    few = ("uniform", "fits one call")
    monkeypatch.setattr(
        calls, "workloads", lambda **sizes: [d for d in workloads(**sizes) if d.name in few]
    )
    result = CliRunner().invoke(main, ["--json", "--rows", "30", "--cap", "31"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert set(said) == {"workloads", "baselines"}
    assert set(said["workloads"]) == set(few)
    for each in said["workloads"].values():
        assert set(each) == {
            *("rows", "cap", "lower_bound"),
            *("calls", "wasted_rows", "running_seconds"),
        }
        assert each["lower_bound"] == each["calls"] == 1
    assert {each["calls"] for each in said["baselines"]["hourly"].values()} == {24}


def test_it_prints_a_table_for_people() -> None:
    """A line for each day and way."""
    [day] = [day for day in workloads(rows=30, cap=31) if day.name == "uniform"]
    table = as_table(measure([day])).splitlines()
    assert len(table) == 4
    assert table[1].split()[:6] == ["uniform", "30", "31", "huntlake", "1", "1"]

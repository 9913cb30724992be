"""Pulling a batch: what may share a call, what a page proves, and what is refused."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.errors import CannotSplit, RowsMissing
from pipelines.hunt_in_tenant import MOST_TOGETHER
from pipelines.hunts import ExportSettings, Hunt
from pipelines.kql.rewrite import BUCKET, ROWS
from pipelines.progress import Counted, Event, SliceCut
from pipelines.slicing import partition, partitions_between
from pipelines.standin import Fault, RunningTimeModel, StandinLimits
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant
from tests.slicing.simulation import Simulation

TABLE = "AlertInfo"
HUNT = Hunt("alerts", "AlertInfo | project Timestamp, AlertId")
# What a snapshot table holds may change between two calls, so no hash divides these rows.
UNHASHED = Hunt(
    "alerts",
    "let known = toscalar(DeviceTvmSoftwareVulnerabilities | count);"
    " AlertInfo | extend Known = known | project Timestamp, AlertId, Known",
)
DAYS = [partition("daily", f"2026-11-{day}") for day in (17, 18, 19)]
START = parse_instant("2026-11-19")
MINUTE = 60 * TICKS_PER_SECOND
OPEN = {"calls": (), "running": ()}


def alerts(*instants: int) -> dict[str, dict[str, list[object]]]:
    names = [f"alert {number}" for number in range(len(instants))]
    return {TABLE: {"Timestamp": list(instants), "AlertId": names}}


def every_minute(count: int) -> list[int]:
    return [START + number * MINUTE for number in range(count)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("AlertInfo", True),
        ("AlertInfo | project AlertId", False),
        ("AlertInfo | where Timestamp > ago(1d)", False),
        ("AlertInfo | summarize n = count() by bin(Timestamp, 1h)", True),
        ("AlertInfo | summarize n = count() by bin(Timestamp, 7h)", False),
        ("AlertInfo | summarize n = count() by AlertId", False),
        ("AlertInfo | top 5 by Timestamp", False),
    ],
)
def test_partitions_share_a_call_where_their_rows_can_be_told_apart(
    query: str, expected: bool, tmp_path: Path
) -> None:
    """Not where now(), a lost time or a bin over midnight ties the hunt to its own day."""
    with Simulation(tmp_path, {}) as simulation:
        at = simulation.at(Hunt("alerts", query))
        assert at.may_span(DAYS[0], DAYS[1]) is expected
        assert at.may_span(DAYS[0], DAYS[2]) is False


def test_a_month_of_hours_is_exported_in_several_runs(tmp_path: Path) -> None:
    """Each partition of a run holds a file open, and a process may have only so many."""
    hourly = Hunt("alerts", HUNT.query, export=ExportSettings(partitions="hourly"))
    hours = partitions_between("hourly", Window(DAYS[0].window.start, DAYS[-1].window.end))
    with Simulation(tmp_path, {}) as simulation:
        runs = list(simulation.at(hourly).adjacent(hours * 4))
        assert [len(run) for run in runs] == [72] * 4
        month = Window(DAYS[0].window.start - 10 * DAYS[0].window.ticks, DAYS[-1].window.end)
        runs = list(simulation.at(hourly).adjacent(partitions_between("hourly", month)))
        assert [len(run) for run in runs] == [MOST_TOGETHER, 13 * 24 - MOST_TOGETHER]


def test_quiet_days_without_any_columns_land(tmp_path: Path) -> None:
    """The service may leave the schema out of an answer without rows."""
    with Simulation(tmp_path, alerts()) as simulation:
        simulation.faults.next(Fault.NO_SCHEMA)
        high = Hunt("alerts", "AlertInfo | where Severity == 'High'")
        exports = list(simulation.exporter(high).export(DAYS))
        assert [each.receipt.rows for each in exports] == [0, 0, 0]
        assert len(simulation.calls) == 1


def test_a_full_page_lands_up_to_its_last_cell(tmp_path: Path) -> None:
    """The service cuts without a word, so rows that share the last one's time may be missing."""
    instants = [*every_minute(8), START + 7 * MINUTE, START + 7 * MINUTE]
    limits = StandinLimits(rows=9, **OPEN)
    with Simulation(tmp_path, alerts(*instants), limits=limits) as simulation:
        [exported] = simulation.exporter(UNHASHED).export(DAYS[2:])
        page, rest = exported.receipt.slices
    assert (page.proof, page.rows, page.wasted_rows) == ("full page", 7, 2)
    assert page.span.end.instant == rest.span.start.instant == START + 7 * MINUTE
    assert (rest.proof, rest.rows) == ("whole answer", 3)


def test_a_full_page_by_hash_lands_up_to_its_last_bucket(tmp_path: Path) -> None:
    """Within a cell too; and the column that tells the buckets is no one's."""
    instants = [*every_minute(2), *[START + 7 * MINUTE] * 20]
    limits = StandinLimits(rows=9, **OPEN)
    with Simulation(tmp_path, alerts(*instants), limits=limits) as simulation:
        [exported] = simulation.exporter(HUNT).export(DAYS[2:])
        first, *_, last = exported.receipt.slices
    assert (first.proof, first.rows, first.wasted_rows) == ("full page", 8, 1)
    assert first.span.end.instant == START + 7 * MINUTE
    assert first.span.end.bucket > 0
    assert last.proof == "whole answer"
    assert exported.receipt.rows == 22
    assert BUCKET not in pq.read_schema(exported.path).names


@pytest.mark.parametrize(
    ("query", "partitions", "says"),
    [
        ("AlertInfo | top 9 by AlertId", "daily", "can't be cut: it is whole.*make its partitions"),
        ("AlertInfo | top 9 by AlertId", "hourly", "can't be cut: it is whole.*further$"),
        ("AlertInfo | summarize n = count() by bin(Timestamp, 1tick)", "daily", None),
        ("AlertInfo | project Timestamp", "daily", "alike"),
    ],
)
def test_what_can_not_be_split_says_why_and_what_to_do(
    query: str, partitions: str, says: str | None, tmp_path: Path
) -> None:
    """Nothing is committed, and no half of it either."""
    settings = ExportSettings(partitions=partitions)
    hunt = Hunt("alerts", query, export=settings)
    last = partition(partitions, "2026-11-19" if partitions == "daily" else "2026-11-19-00:00")
    limits = StandinLimits(rows=5, **OPEN)
    with Simulation(tmp_path, alerts(*[START] * 9), limits=limits) as simulation:
        if says is None:
            assert len(list(simulation.exporter(hunt).export([last]))) == 1
            return
        with pytest.raises(CannotSplit, match=f"alerts, partition {last.key}, slice .*{says}"):
            list(simulation.exporter(hunt).export([last]))
        assert not simulation.layout.partition_file("alerts", "simulated", last).exists()


def test_a_count_that_fails_does_not_stop_an_export(tmp_path: Path) -> None:
    """Counting was to save calls: it goes on without, page by page."""
    limits = StandinLimits(rows=50, **OPEN)
    with Simulation(tmp_path, alerts(*every_minute(300)), limits=limits) as simulation:
        simulation.faults.when(ROWS, Fault.TOO_HEAVY)
        seen: list[Event] = []
        [exported] = simulation.exporter(HUNT, seen.append).export(DAYS[2:])
        counts = [call for call in simulation.calls if ROWS in call.query]
    assert exported.receipt.rows == 300
    assert exported.receipt.counted_rows is None
    assert len(counts) == exported.receipt.wasted_calls == 1
    assert not any(isinstance(each, Counted | SliceCut) for each in seen)


def test_rows_that_were_counted_and_do_not_come_are_refused(tmp_path: Path) -> None:
    """What goes missing between a count and its pull is no quiet day."""
    limits = StandinLimits(rows=50, **OPEN)
    with Simulation(tmp_path, alerts(*every_minute(300)), limits=limits) as simulation:

        def lose(query: str) -> None:
            if len(simulation.calls) == 3:
                simulation.events.clear(TABLE)

        simulation.before_call(lose)
        with pytest.raises(RowsMissing, match="partition 2026-11-19: the service counted 300 rows"):
            list(simulation.exporter(HUNT).export(DAYS[2:]))
        assert not simulation.layout.partition_file("alerts", "simulated", DAYS[2]).exists()


def test_rows_that_came_since_the_count_are_welcome(tmp_path: Path) -> None:
    """The receipt says what was counted, and has more."""
    limits = StandinLimits(rows=50, **OPEN)
    with Simulation(tmp_path, alerts(*every_minute(300)), limits=limits) as simulation:

        def arrive(query: str) -> None:
            if len(simulation.calls) == 3:
                late = {"Timestamp": [START + 299 * MINUTE + 1], "AlertId": ["late"]}
                simulation.events.insert(TABLE, late)

        simulation.before_call(arrive)
        [exported] = simulation.exporter(HUNT).export(DAYS[2:])
    assert (exported.receipt.counted_rows, exported.receipt.rows) == (300, 301)


def test_an_interrupted_export_does_not_count_again(tmp_path: Path) -> None:
    """Its count is kept until it has served."""
    limits = StandinLimits(rows=50, **OPEN)
    with Simulation(tmp_path, alerts(*every_minute(300)), limits=limits) as simulation:

        def interrupt(query: str) -> None:
            if len(simulation.calls) == 4:
                raise KeyboardInterrupt

        simulation.before_call(interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(simulation.exporter(HUNT).export(DAYS[2:]))
        simulation.before_call(lambda _: None)
        [exported] = simulation.exporter(HUNT).export(DAYS[2:])
        assert not any(ROWS in call.query for call in simulation.calls[4:])
    assert exported.receipt.counted_rows == exported.receipt.rows == 300


def test_what_is_left_of_a_quota_goes_to_a_smaller_page(tmp_path: Path) -> None:
    """Before the hour's end frees more, a part of a page comes instead of none."""
    instants = [START + number * MINUTE for number in range(1_000)]
    limits = StandinLimits(rows=200, calls=(), running=((100.0, 3_600.0),))
    model = RunningTimeModel(seconds_per_call=0.0, seconds_per_row=0.2, passes=True)
    with Simulation(tmp_path, alerts(*instants), limits=limits, running_time=model) as simulation:
        [exported] = simulation.exporter(HUNT).export(DAYS[2:])
        pages = [call for call in simulation.calls if ROWS not in call.query]
        assert exported.receipt.rows == 1_000
        first_hour = [each for each in pages if each.when_ns < pages[0].when_ns + 3_600 * 10**9]
        spent = sum(each.modelled_seconds for each in first_hour)
        assert [each.rows for each in first_hour[:2]] == [200, 200]
        assert 80 < spent <= 100
        assert all(each.status == 200 for each in simulation.calls)


def test_a_page_made_smaller_by_the_quota_is_no_reason_to_give_up(tmp_path: Path) -> None:
    """A cell that fills a part of a page may well fit a whole one, once the quota has that."""
    instants = [*every_minute(398), *[START + 399 * MINUTE] * 150]
    limits = StandinLimits(rows=200, calls=(), running=((100.0, 3_600.0),))
    model = RunningTimeModel(seconds_per_call=0.0, seconds_per_row=0.2, passes=True)
    with Simulation(tmp_path, alerts(*instants), limits=limits, running_time=model) as simulation:
        [exported] = simulation.exporter(UNHASHED).export(DAYS[2:])
        # Two whole pages, a smaller one of which nothing is whole, and the cell once it fits.
        assert [call.rows for call in simulation.calls if ROWS not in call.query][:2] == [200, 200]
        assert exported.receipt.wasted_calls == 1
    assert exported.receipt.rows == 548

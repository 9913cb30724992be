"""Late events: found by a count, pulled alone, and committed without taking anything away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import SliceFailed
from pipelines.hunts import ExportSettings, Hunt
from pipelines.late import Recounts
from pipelines.progress import Event, SliceStaged
from pipelines.standin import Fault
from pipelines.windows import datetime_from_instant
from tests.late.scene import (
    ALERTS,
    BINNED,
    DAY_SECONDS,
    DAYS,
    GROUPED,
    HOUR,
    NAMED,
    RECENT,
    SECOND,
    START,
    TABLE,
    TIMELESS,
    alerts,
    all_ids,
    check_receipt,
    counts,
    exported,
    hourly,
    ids_of,
    pulls,
    receipt_of,
    recounted,
    rows_of,
    simulated,
    width_of,
)
from tests.slicing.simulation import Simulation

LATE = (START + 5, START + 30 * HOUR + 1, START + 30 * HOUR + 2, START + 95 * HOUR)


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with simulated(tmp_path, *hourly()) as simulation:
        yield simulation


def arrive_late(simulation: Simulation, *instants: int) -> None:
    simulation.events.insert(TABLE, alerts(*(instants or LATE), name="late "))


def test_late_events_of_many_days_come_with_one_count_and_one_pull(
    simulation: Simulation,
) -> None:
    """Near or far: the windows that grew are brought by one query."""
    [at] = exported(simulation, ALERTS)
    arrive_late(simulation)
    made = len(simulation.calls)
    found = {each.partition: each for each in recounted(at)}
    assert ids_of(at) == all_ids(simulation)
    calls = simulation.calls[made:]
    assert (len(counts(calls)), len(pulls(calls))) == (1, 1)
    # The bins that grew, and the events of the same minutes.
    assert pulls(calls)[0].rows == len(LATE)
    assert {key: each.late_rows for key, each in found.items()} == {
        "2026-11-16": 1,
        "2026-11-17": 2,
        "2026-11-18": 0,
        "2026-11-19": 1,
    }
    assert sum(each.calls for each in found.values()) == 2
    for each in DAYS:
        check_receipt(at, each)


def test_hunts_are_counted_in_one_call(simulation: Simulation) -> None:
    """Where each means in a union what it means alone; the others by themselves."""
    hunts = exported(simulation, ALERTS, NAMED, TIMELESS, RECENT)
    made = len(simulation.calls)
    found = recounted(*hunts)
    assert len(found) == 16
    assert not any(each.bins_grown or each.late_rows for each in found)
    # One for three, and one for each day of the hunt that its day's end has a part in.
    assert len(simulation.calls) - made == 1 + len(DAYS)
    arrive_late(simulation)
    recounted(*hunts)
    for at in hunts[:3]:
        assert ids_of(at) == all_ids(simulation)


def test_one_hunt_s_trouble_keeps_no_other_from_its_recount(simulation: Simulation) -> None:
    """They are counted one by one then, and the failure is raised once all are done."""
    hunts = exported(simulation, NAMED, ALERTS)
    arrive_late(simulation)
    for _ in range(2):
        simulation.faults.when("none", Fault.FORBIDDEN_HTML)
    with pytest.raises(SliceFailed, match="named"):
        recounted(*hunts)
    assert ids_of(hunts[1]) == all_ids(simulation)


@pytest.mark.parametrize("hunt", [BINNED, GROUPED, TIMELESS, RECENT], ids=lambda hunt: hunt.name)
def test_other_verdicts_become_what_a_fresh_export_gives(
    hunt: Hunt, simulation: Simulation, tmp_path: Path
) -> None:
    """Though the number of an aggregate's rows may be the same, and the rows may have no time."""
    [at] = exported(simulation, hunt)
    arrive_late(simulation)
    recounted(at)
    lake = rows_of(at)
    list(simulation.exporter(hunt).export(DAYS, refresh=True))
    assert rows_of(at) == lake


def test_an_aggregate_that_is_the_same_is_not_committed_again(simulation: Simulation) -> None:
    """Its days come in one call, as in an export, and the files are untouched."""
    [at] = exported(simulation, BINNED)
    before = [at.target(each).stat().st_mtime_ns for each in DAYS]
    made = len(simulation.calls)
    found = recounted(at)
    assert len(simulation.calls) == made + 1
    assert {each.what for each in found} == {"it was pulled again, and is the same"}
    assert [at.target(each).stat().st_mtime_ns for each in DAYS] == before


@pytest.mark.parametrize("hunt", [ALERTS, TIMELESS, BINNED], ids=lambda hunt: hunt.name)
def test_what_vanished_at_the_service_stays(hunt: Hunt, simulation: Simulation) -> None:
    """A day with fewer rows, or none, takes nothing away; the journal says so."""
    [at] = exported(simulation, hunt)
    before = rows_of(at)
    simulation.events.clear(TABLE)
    found = recounted(at)
    assert rows_of(at) == before
    assert all(each.bins_shrunk for each in found)
    assert {each.late_rows for each in found} == {0}


def test_a_bin_of_which_fewer_rows_come_than_landed_stays(simulation: Simulation) -> None:
    """It had grown when it was counted, and lost rows until it was pulled."""
    [at] = exported(simulation, ALERTS)
    before = ids_of(at)
    own = START + HOUR // 2
    arrive_late(simulation, own, START + 50 * HOUR)

    def vanish(query: str) -> None:
        if "HuntlakeRows" not in query:
            simulation.events.clear(TABLE)
            simulation.events.insert(TABLE, alerts(START + 50 * HOUR, name="late "))

    simulation.before_call(vanish)
    recounted(at)
    landed = ids_of(at)
    assert before < landed
    assert landed.total() == before.total() + 1
    found = Recounts(at.layout).by_partition(at.tenant.name, now_ns=simulation.clock.now_ns())
    assert "fewer came" in found["alerts", "2026-11-16"][-1].what
    for each in DAYS:
        check_receipt(at, each)


def test_without_mending_it_is_only_said(simulation: Simulation) -> None:
    """And a later recount still finds it."""
    [at] = exported(simulation, ALERTS)
    arrive_late(simulation)
    before = ids_of(at)
    found = recounted(at, mend=False)
    assert [each.bins_grown for each in found] == [1, 1, 0, 1]
    assert ids_of(at) == before
    recounted(at)
    assert ids_of(at) == all_ids(simulation)


def test_the_nightly_recount_asks_no_more_than_is_due(simulation: Simulation) -> None:
    """Twice in a morning costs nothing; after three quiet days nothing is asked any more."""
    [at] = exported(simulation, ALERTS)
    simulation.clock.sleep(3_600)
    assert recounted(at, partitions=None) == []
    states = []
    for _ in range(5):
        simulation.clock.sleep(DAY_SECONDS)
        states.append([each.settled for each in recounted(at, partitions=None)])
    assert states == [[False] * 4, [False] * 4, [True] * 4, [], []]


def test_growth_begins_the_settling_anew(simulation: Simulation) -> None:
    """Of the days that grew alone."""
    [at] = exported(simulation, ALERTS)
    simulation.clock.sleep(2 * DAY_SECONDS)
    arrive_late(simulation, START + 1)
    recounted(at, partitions=None)
    simulation.clock.sleep(DAY_SECONDS + 3_600)
    assert [each.settled for each in recounted(at, partitions=None)] == [False, True, True, True]
    simulation.clock.sleep(2 * DAY_SECONDS)
    [last] = recounted(at, partitions=None)
    assert (last.partition, last.settled) == ("2026-11-16", True)


def test_an_aggregate_is_pulled_again_only_where_that_can_settle_it(
    simulation: Simulation,
) -> None:
    """Once, after the settling time."""
    [at] = exported(simulation, GROUPED)
    simulation.clock.sleep(2 * DAY_SECONDS)
    assert recounted(at, partitions=None) == []
    simulation.clock.sleep(2 * DAY_SECONDS)
    assert [each.settled for each in recounted(at, partitions=None)] == [True] * 4


def test_what_is_past_the_horizon_or_not_committed_is_not_asked_for(
    simulation: Simulation,
) -> None:
    """The service would count nothing there."""
    [at] = exported(simulation, ALERTS, partitions=DAYS[1:])
    assert len(recounted(at)) == 3
    simulation.clock.sleep(28 * DAY_SECONDS)
    made = len(simulation.calls)
    before = ids_of(at, DAYS[1:])
    assert [each.partition for each in recounted(at)] == ["2026-11-19"]
    assert len(simulation.calls) == made + 1
    assert ids_of(at, DAYS[1:]) == before


def test_a_column_s_ticks_and_what_is_kept_aside_survive(tmp_path: Path) -> None:
    """Rows that stay are copied as they are: 100 ns, and values that their type can't hold."""
    query = "HuntlakeTypes | project Timestamp, Sentinel, Span, LogonId, LogonID"
    hunt = Hunt("types", query, export=ExportSettings(time_column="Timestamp"))

    def typed(*instants: int) -> dict[str, list[object]]:
        count = len(instants)
        return {
            "Timestamp": [*instants],
            "Sentinel": [-621_355_968_000_000_000] * count,
            "Span": [7] * count,
            "LogonId": [*range(count)],
            "LogonID": ["x"] * count,
        }

    with simulated(tmp_path, *hourly(1)) as simulation:
        simulation.events.insert("HuntlakeTypes", typed(START + 1, START + HOUR + 3))
        [at] = exported(simulation, hunt, partitions=DAYS[:1])
        simulation.events.insert("HuntlakeTypes", typed(START + 2 * HOUR + 9))
        recounted(at, partitions=DAYS[:1])
        found = rows_of(at, DAYS[:1])
        receipt = receipt_of(at, DAYS[0])
        simulation.events.clear("HuntlakeTypes")
    assert {row[0] for row in found} == {START + 1, START + HOUR + 3, START + 2 * HOUR + 9}
    assert receipt.kept_aside == 3
    assert receipt.kept_aside_by_column == {"Sentinel": 3}
    check_receipt(at, DAYS[0])


def test_the_journal_has_a_row_for_each_partition_and_recount(simulation: Simulation) -> None:
    """With the columns that the catalogue shows."""
    [at] = exported(simulation, ALERTS)
    arrive_late(simulation)
    said = recounted(at)
    now_ns = simulation.clock.now_ns()
    kept = Recounts(at.layout).by_partition(at.tenant.name, now_ns=now_ns)
    assert {key[1] for key in kept} == {each.key for each in DAYS}
    by_key = {each.partition: each for each in said}
    for each in DAYS:
        [row] = kept["alerts", each.key]
        told = by_key[each.key]
        assert (row.landed_rows, row.counted_rows, row.late_rows, row.what) == (
            *(told.landed_rows, told.counted_rows, told.late_rows),
            told.what,
        )
        assert row.window == each.window
        assert datetime_from_instant(row.counted_ns // 100).year == 2026


def test_many_rows_in_few_bins_are_counted_more_finely_first(tmp_path: Path) -> None:
    """A second count spares pulling whole hours for a second's events."""
    crowded = [START + 2 * second * SECOND for second in range(5_500)]
    with simulated(tmp_path, *crowded, rows=100) as simulation:
        [at] = exported(simulation, ALERTS, partitions=DAYS[:1])
        arrive_late(simulation, *(START + hour * HOUR + 1 for hour in (0, 1, 2)))
        made = len(simulation.calls)
        recounted(at, partitions=DAYS[:1])
        calls = simulation.calls[made:]
        assert ids_of(at, DAYS[:1]) == all_ids(simulation)
    widths = [width_of(call) for call in counts(calls)]
    assert widths == sorted(widths, reverse=True)
    assert 2 <= len(widths) <= 3
    # Three bins of half an hour have 2,700.
    assert sum(call.rows for call in pulls(calls)) < 120


def test_a_count_that_is_too_much_is_asked_in_parts(simulation: Simulation) -> None:
    """Of fewer hunts, and then of fewer days."""
    hunts = exported(simulation, ALERTS, NAMED)
    arrive_late(simulation)
    simulation.faults.when("HuntlakeHunt", Fault.TOO_HEAVY)
    recounted(*hunts)
    assert [ids_of(at) for at in hunts] == [all_ids(simulation)] * 2


def test_what_passes_the_horizon_meanwhile_is_mended_as_far_as_it_was_pulled(
    tmp_path: Path,
) -> None:
    """Its whole windows are good, the others stay as they landed, and later days go on."""
    late = [START + hour * HOUR + second * SECOND for hour in (1, 5, 30) for second in range(40)]
    with simulated(tmp_path, *hourly(), rows=50) as simulation:
        exported(simulation, ALERTS)

        def pass_the_horizon(event: Event) -> None:
            if isinstance(event, SliceStaged) and event.partition == DAYS[0].key:
                simulation.clock.sleep(
                    max(0, (START + 6 * HOUR) // 10**7 + 30 * DAY_SECONDS - now())
                )

        def now() -> float:
            return simulation.clock.now_ns() / 10**9

        arrive_late(simulation, *late)
        simulation.clock.sleep(START // 10**7 + 30 * DAY_SECONDS - 7_200 - now())
        at = simulation.at(ALERTS, pass_the_horizon)
        found = {each.partition: each.late_rows for each in recounted(at)}
        assert found["2026-11-16"] == 40
        assert found["2026-11-17"] == 40
        for each in DAYS:
            check_receipt(at, each)

"""Counting again what landed: what agrees, what doesn't, and where."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.hunts import Hunt
from pipelines.late.landed import BinDifference
from pipelines.plan_text import verification_lines
from pipelines.slicing import partition
from pipelines.verify import Verification, verify
from pipelines.windows import TICKS_PER_SECOND, Window
from tests.slicing.simulation import Simulation

DAY = partition("daily", "2026-11-18")
HOUR = 3_600 * TICKS_PER_SECOND
START = DAY.window.start

ROWS = Hunt(name="rows", query="AlertInfo | project Timestamp, AlertId")
TIMELESS = Hunt(name="timeless", query="AlertInfo | project AlertId")
BINNED = Hunt(name="binned", query="AlertInfo | summarize n = count() by bin(Timestamp, 1h)")
GROUPED = Hunt(name="grouped", query="AlertInfo | summarize n = count() by AlertId")


def alerts(*times: int) -> dict[str, list[object]]:
    return {"Timestamp": [*times], "AlertId": [str(time) for time in times]}


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    """Three rows in two hours, on the edges of bins."""
    events = {"AlertInfo": alerts(START, START + HOUR - 1, START + HOUR)}
    with Simulation(tmp_path, events) as simulation:
        yield simulation


def verified(simulation: Simulation, hunt: Hunt) -> Verification:
    [found] = verify(simulation.at(hunt), [DAY])
    return found


@pytest.mark.parametrize("hunt", [ROWS, TIMELESS, BINNED, GROUPED], ids=lambda hunt: hunt.name)
def test_what_landed_is_what_is_counted(hunt: Hunt, simulation: Simulation) -> None:
    """Whatever the verdict, one call shows it."""
    [exported] = simulation.exporter(hunt).export([DAY])
    found = verified(simulation, hunt)
    assert found.holds
    assert found.landed == found.counted == exported.receipt.rows
    assert len(simulation.calls) == 2
    assert list(verification_lines(found)) == [
        f"2026-11-18: {found.landed} rows landed and counted"
    ]


def test_late_rows_are_found_in_their_bin(simulation: Simulation) -> None:
    """An hour that has more than landed is named, and the others aren't."""
    list(simulation.exporter(ROWS).export([DAY]))
    simulation.events.insert("AlertInfo", alerts(START + 5 * HOUR, START + 6 * HOUR - 1))
    found = verified(simulation, ROWS)
    late = Window(START + 5 * HOUR, START + 6 * HOUR)
    assert (found.landed, found.counted, found.holds) == (3, 5, False)
    assert found.by_bin == (BinDifference(late, landed=0, counted=2),)
    assert "DIFFERS: 3 rows landed, 5 counted" in next(verification_lines(found))


def test_rows_that_moved_between_bins_are_found(simulation: Simulation) -> None:
    """As many in all are not the same."""
    list(simulation.exporter(ROWS).export([DAY]))
    simulation.events.clear("AlertInfo")
    simulation.events.insert("AlertInfo", alerts(START, START + HOUR, START + HOUR + 1))
    found = verified(simulation, ROWS)
    assert (found.landed, found.counted, found.holds) == (3, 3, False)
    assert [(each.landed, each.counted) for each in found.by_bin] == [(2, 1), (1, 2)]


@pytest.mark.parametrize("hunt", [TIMELESS, GROUPED], ids=lambda hunt: hunt.name)
def test_without_times_the_sums_are_compared(hunt: Hunt, simulation: Simulation) -> None:
    """What time can't tell apart differs as a whole."""
    list(simulation.exporter(hunt).export([DAY]))
    simulation.events.insert("AlertInfo", alerts(START + 1))
    found = verified(simulation, hunt)
    assert (found.landed, found.counted, found.holds, found.by_bin) == (3, 4, False, ())


def test_what_can_t_be_counted_says_why(simulation: Simulation) -> None:
    """Not committed, or past the horizon: no call, and not called good."""
    found = verified(simulation, ROWS)
    assert not found.holds
    assert "not committed" in (found.why or "")
    list(simulation.exporter(ROWS).export([DAY]))
    made = len(simulation.calls)
    simulation.clock.sleep(29 * 86_400)
    found = verified(simulation, ROWS)
    assert not found.holds
    assert "past the horizon" in (found.why or "")
    assert len(simulation.calls) == made


def test_adjacent_partitions_are_counted_in_one_call(simulation: Simulation) -> None:
    """Each is compared by itself, though the count was one; what isn't committed parts the runs."""
    days = [partition("daily", f"2026-11-{day}") for day in (15, 16, 17, 18)]
    exported = [days[0], *days[2:]]
    list(simulation.exporter(ROWS).export(exported))
    made = len(simulation.calls)
    simulation.events.insert("AlertInfo", alerts(days[2].window.start + 5))
    found = list(verify(simulation.at(ROWS), days))
    assert len(simulation.calls) == made + 2
    assert [each.partition for each in found] == days
    assert [each.holds for each in found] == [True, False, False, True]
    assert [(each.landed, each.counted) for each in found] == [(0, 0), (None, None), (0, 1), (3, 3)]

"""What becomes of the other partitions where one fails."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import errors
from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.committing import PartitionExport
from pipelines.errors import HuntlakeError
from pipelines.going_on import AFTERMATHS, PartitionFailed, export_in_spite
from pipelines.hunts import Hunt
from pipelines.progress import Event, TryingLater
from pipelines.slicing import partition
from pipelines.standin import Fault, StandinLimits
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests.slicing.simulation import Simulation

# It can't be cut, so that each day is a call or fails; a heavy day has more than the cap.
HUNT = Hunt(name="top", query="AlertInfo\n| top 1000 by AlertId\n| project Timestamp, AlertId")
DAYS = [partition("daily", f"2026-11-{day}") for day in range(12, 18)]
KEYS = [each.key for each in DAYS]
CAP = 100
HOUR_NS = 3_600 * NANOSECONDS_PER_SECOND


@pytest.fixture
def heavy() -> set[str]:
    return {"2026-11-13"}


@pytest.fixture
def simulation(tmp_path: Path, heavy: set[str]) -> Iterator[Simulation]:
    times = [
        day.window.start + number * TICKS_PER_SECOND
        for day in DAYS
        for number in range(2 * CAP if day.key in heavy else 10)
    ]
    events = {"AlertInfo": {"Timestamp": times, "AlertId": [str(time) for time in times]}}
    limits = StandinLimits(rows=CAP)
    with Simulation(tmp_path, events, limits=limits) as simulation:
        yield simulation


class Told(list[Event]):
    """What was told, and how often something is tried again later."""

    @property
    def later(self) -> list[TryingLater]:
        return [each for each in self if isinstance(each, TryingLater)]


def outcomes(
    simulation: Simulation, told: Told, *, retries: int = 3, hunt: Hunt = HUNT
) -> list[PartitionExport | PartitionFailed]:
    exporter = simulation.exporter(hunt, told.append)
    return list(export_in_spite(exporter, DAYS, refresh=False, retries=retries))


def exported(found: list[PartitionExport | PartitionFailed]) -> list[str]:
    return [each.partition.key for each in found if isinstance(each, PartitionExport)]


def failed(found: list[PartitionExport | PartitionFailed]) -> list[PartitionFailed]:
    return [each for each in found if isinstance(each, PartitionFailed)]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_day_that_fails_keeps_no_other_from_loading(simulation: Simulation, told: Told) -> None:
    """It is told of in its place, and not tried again where that would be in vain."""
    found = outcomes(simulation, told)
    assert [each.partition.key for each in found] == KEYS
    [bad] = failed(found)
    assert (bad.partition.key, type(bad.error)) == ("2026-11-13", errors.CannotSplit)
    assert (bad.untried, told.later) == ((), [])
    assert len(simulation.calls) == len(DAYS)


@pytest.mark.parametrize("heavy", [{"2026-11-12", "2026-11-13", "2026-11-14"}])
def test_three_in_a_row_are_the_hunt_s_fault(simulation: Simulation, told: Told) -> None:
    """The rest is not tried, as each failure costs quota."""
    found = outcomes(simulation, told)
    assert exported(found) == []
    assert [each.key for each in failed(found)[-1].untried] == KEYS[3:]
    assert len(simulation.calls) == 3


def test_what_expired_is_refused_and_the_rest_exported(simulation: Simulation, told: Told) -> None:
    """The others expire next. What had landed is told of, and its file is as it was."""
    assert "2026-11-13" not in exported(outcomes(simulation, told))
    file = simulation.at(HUNT).target(DAYS[0])
    bytes_before = file.read_bytes()
    for day in DAYS[2:]:
        simulation.at(HUNT).target(day).unlink()
    ages = 30 * 86_400 * TICKS_PER_SECOND
    simulation.clock.ns = (DAYS[2].window.start + ages) * NANOSECONDS_PER_TICK
    calls = len(simulation.calls)
    found = outcomes(simulation, told)
    assert exported(found) == KEYS[2:]
    gone = failed(found)
    assert [each.partition.key for each in gone] == KEYS[:2]
    assert all(isinstance(each.error, errors.PartitionExpired) for each in gone)
    assert [each.landed is not None for each in gone] == [True, False]
    assert file.read_bytes() == bytes_before
    assert len(simulation.calls) - calls == len(KEYS[2:])


def test_an_outage_is_waited_for(simulation: Simulation, told: Told) -> None:
    """Ten minutes, half an hour, one and a half; what was committed is not tried again."""
    simulation.faults.next(None, *[Fault.RESET] * 10)
    started_ns = simulation.clock.now_ns()
    found = outcomes(simulation, told)
    assert exported(found) == [key for key in KEYS if key != "2026-11-13"]
    assert [each.partition for each in told.later] == ["2026-11-13", "2026-11-13"]
    assert HOUR_NS * 2 / 3 <= simulation.clock.now_ns() - started_ns < HOUR_NS


def test_an_outage_without_end_ends_the_export(simulation: Simulation, told: Told) -> None:
    """After the tries that its hunt allows, with what was not tried."""
    simulation.faults.next(None, *[Fault.RESET] * 100)
    found = outcomes(simulation, told, retries=1)
    assert exported(found) == KEYS[:1]
    [down] = failed(found)
    assert isinstance(down.cause, errors.ConnectionFailed)
    assert [each.key for each in down.untried] == KEYS[2:]
    assert len(told.later) == 1


def test_what_somebody_has_to_mend_is_not_waited_for(simulation: Simulation, told: Told) -> None:
    """A missing permission fails every day alike: one call, and the rest is not tried."""
    simulation.faults.next(*[Fault.FORBIDDEN_HTML] * 10)
    [bad] = outcomes(simulation, told)
    assert isinstance(bad, PartitionFailed)
    assert isinstance(bad.cause, errors.Forbidden)
    assert "grant the permission" in bad.advice
    assert len(bad.untried) == len(DAYS) - 1
    assert (len(simulation.calls), told.later) == (1, [])


def test_an_error_that_stops_nothing_else_says_so_by_name() -> None:
    """What is not in the table stops the export: nobody has thought of it."""
    [default] = [kind for kind in AFTERMATHS if kind is HuntlakeError]
    assert default is HuntlakeError
    unknown = PartitionFailed(DAYS[0], errors.QueryRejected(""))
    assert unknown.aftermath is AFTERMATHS[HuntlakeError]


def test_the_table_is_in_the_documentation() -> None:
    """Row by row: copy what this prints where they differ."""
    page = Path(__file__).parents[1] / "docs" / "operating.md"
    expected = [
        f"| `{kind.__name__}` | {after.then} | {'yes' if after.passes else 'no'} |"
        for kind, after in AFTERMATHS.items()
    ]
    lines = page.read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if re.match(r"\| `\w+` \| .* \| (yes|no) \|", line)]
    assert found == expected, "\n".join(["", *expected])

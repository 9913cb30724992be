"""One call in flight for each tenant, whichever processes call, and the death of one of them."""

import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from pipelines.standin import RunningTimeModel, Standin, StandinLimits, SyntheticSettings
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, datetime_from_instant
from tests import processes
from tests.held_calls import HoldingClock

DAY = 86_400 * TICKS_PER_SECOND
HUNTS = {
    "network": "DeviceNetworkEvents | project Timestamp, DeviceId, ReportId",
    "logons": "DeviceLogonEvents | project Timestamp, DeviceId, ReportId",
}


@pytest.fixture(scope="module")
def clock() -> HoldingClock:
    return HoldingClock()


@pytest.fixture(scope="module")
def standin(clock: HoldingClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A tenant in the machine's own time, since the processes read that."""
    today = clock.now_ns() // NANOSECONDS_PER_TICK // DAY * DAY
    with Standin(
        tmp_path_factory.mktemp("standin"),
        data=SyntheticSettings(end=today, days=3, rows_per_day=1_000, busiest_day_rows=None),
        limits=StandinLimits(rows=300, calls=(), running=()),
        running_time=RunningTimeModel(passes=True),
        clock=clock,
    ) as standin:
        yield standin


@pytest.fixture
def environment(standin: Standin, tmp_path: Path) -> dict[str, str]:
    hunts = tmp_path / "hunts"
    hunts.mkdir()
    for name, query in HUNTS.items():
        (hunts / f"{name}.kql").write_text(query)
    return {
        **standin.environment(),
        "HUNTLAKE_DATA": str(tmp_path / "data"),
        "HUNTLAKE_HUNTS": str(hunts),
        "HUNTLAKE_LIMITS": "graph,rows=300,calls_per_minute=1000",
    }


@pytest.fixture
def start(
    standin: Standin, environment: dict[str, str], tmp_path: Path
) -> Callable[[str, int], tuple[ForkServerProcess, Path]]:
    """Starts a process that exports the day so many days back; what it says is in the file."""

    def start_export(hunt: str, back: int) -> tuple[ForkServerProcess, Path]:
        start, end = (
            f"{datetime_from_instant(standin.data.end - each * DAY):%Y-%m-%d}"
            for each in (back, back - 1)
        )
        said = tmp_path / f"{hunt}-{back}.txt"
        arguments = ("export", "--hunt", hunt, "--from", start, "--to", end)
        process = processes.start(
            processes.huntlake, *arguments, environment=environment, said=said
        )
        return process, said

    return start_export


Start = Callable[[str, int], tuple[ForkServerProcess, Path]]
WAITS = "another call to tenant demo is in flight"


@pytest.mark.parametrize("other", [("network", 2), ("logons", 1)], ids=["day", "hunt"])
def test_two_exports_never_call_at_once(
    other: tuple[str, int], standin: Standin, clock: HoldingClock, start: Start
) -> None:
    """Another day of the hunt, or another hunt: while one calls the other waits, to the end."""
    before = len(standin.calls)
    with clock.holding_next():
        first, _ = start("network", 1)
        clock.wait_until_held()
        second, said = start(*other)
        processes.wait_until_said(WAITS, said, second)
    assert [processes.ended(process) for process in (first, second)] == [0, 0]
    calls = standin.calls[before:]
    assert len(calls) > 2
    assert {call.in_flight for call in calls} == {1}


def test_the_death_of_the_one_that_calls_lets_the_other_go_on(
    standin: Standin, clock: HoldingClock, start: Start
) -> None:
    """After kill -9 in mid-call the other ends, though the tenant still works on the dead call."""
    with clock.holding_next():
        holder, _ = start("network", 1)
        clock.wait_until_held()
        other, said = start("logons", 1)
        processes.wait_until_said(WAITS, said, other)
        before = len(standin.calls)
        holder.kill()
        assert processes.ended(other) == 0
        assert len(standin.calls) > before
    assert processes.ended(holder) == -signal.SIGKILL

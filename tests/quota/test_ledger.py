"""The ledger: what was spent, and when the next call may start."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quota import CallQuota, Ledger, Limits, RunningQuota, Turn

S = 1_000_000_000
GUARD = S // 2
H = Turn("h")
LIMITS = Limits(
    rows=100,
    response_bytes=None,
    request_seconds=60,
    data_age_days=30,
    calls=(CallQuota(3, 60),),
    running=(RunningQuota(100, 3_600),),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(tmp_path / "state" / "ledger.sqlite")


def spend(ledger: Ledger, at: float, running: float, tenant: str = "t") -> int:
    call = ledger.store.reserve(tenant, H, started_ns=int(at * S), worst_seconds=60)
    ledger.store.settle(
        call, ended_ns=int((at + running) * S), running_seconds=running, outcome="answered"
    )
    return call


def start(ledger: Ledger, now: float, expected: float = 1.0, tenant: str = "t"):
    turn = Turn("h", expected_seconds=expected)
    return ledger.next_start(tenant, LIMITS, turn, now_ns=int(now * S))


def test_an_unused_tenant_may_be_called_at_once(ledger: Ledger) -> None:
    """Nothing spent, nothing to wait for."""
    assert start(ledger, 1_000) == type(start(ledger, 1_000))(1_000 * S, None)


def test_the_fourth_call_waits_for_the_first_to_leave_the_minute(ledger: Ledger) -> None:
    """The window slides: it is the oldest of the last three calls that must be a minute old."""
    for at in (0, 10, 20):
        spend(ledger, at, 1)
    found = start(ledger, 30)
    assert found.at_ns == 60 * S + GUARD
    assert found.reason == "3 calls a minute are used"
    assert start(ledger, 60.5).reason is None


def test_running_time_is_waited_for_exactly(ledger: Ledger) -> None:
    """A call may start when enough earlier running time has left the hour for it to fit."""
    spend(ledger, 0, 60)
    spend(ledger, 1_000, 30)
    assert start(ledger, 2_000, expected=10).reason is None
    found = start(ledger, 2_000, expected=11)
    # What leaves before half of the call has passed has left when it ends.
    assert found.at_ns == (60 + 3_600) * S - 5_500_000_000
    assert found.reason == "90 of 100 s of running time an hour are used"


def test_a_call_longer_than_the_quota_waits_for_all_of_it(ledger: Ledger) -> None:
    """It can't fit, but waiting for ever helps nobody: it gets an empty window."""
    spend(ledger, 0, 5)
    assert start(ledger, 10, expected=1_000).at_ns == (5 + 3_600) * S


def test_a_dead_process_s_call_counts_at_its_worst(ledger: Ledger) -> None:
    """A reservation that nobody settled may have run for as long as one call can."""
    ledger.store.reserve("t", H, started_ns=0, worst_seconds=60)
    assert start(ledger, 100, expected=40).reason is None
    assert start(ledger, 100, expected=41).at_ns == (60 + 3_600) * S - 20_500_000_000


def test_tenants_do_not_share_quota(ledger: Ledger) -> None:
    """One tenant's calls never delay another's."""
    for at in (0, 1, 2):
        spend(ledger, at, 50)
    assert start(ledger, 3, tenant="other").reason is None


def test_a_refusal_by_the_service_is_remembered(ledger: Ledger) -> None:
    """The later of two refusals stands, and it ends by itself."""
    ledger.store.block("t", until_ns=500 * S, reason="429, running time")
    ledger.store.block("t", until_ns=400 * S, reason="429, calls")
    assert start(ledger, 100).at_ns == 500 * S
    assert start(ledger, 100).reason == "429, running time"
    assert start(ledger, 500).reason is None


def test_the_service_s_own_figure_replaces_the_wire_s(ledger: Ledger) -> None:
    """A call that took 90 s on the wire but ran for 2 leaves 98 s of quota."""
    call = spend(ledger, 0, 90)
    ledger.store.correct(call, running_seconds=2)
    assert start(ledger, 100, expected=98).reason is None


def test_the_expected_time_is_the_longest_of_late(ledger: Ledger) -> None:
    """A hunt's own last calls say what the next may take; before the first, five seconds."""
    assert ledger.expected_seconds("t", H) == 5
    spend(ledger, 0, 3)
    spend(ledger, 10, 7)
    assert ledger.expected_seconds("t", H) == 7
    for at in range(20):
        spend(ledger, 20 + at, 1)
    assert ledger.expected_seconds("t", H) == 1


def test_it_survives_the_process(tmp_path: Path) -> None:
    """What one process wrote down, the next one counts."""
    spend(Ledger.at(tmp_path / "ledger.sqlite"), 0, 100)
    assert start(Ledger.at(tmp_path / "ledger.sqlite"), 200, expected=1).reason is not None


def test_it_tells_what_is_left_of_each_quota(ledger: Ledger) -> None:
    """A person sees calls and seconds left, as they are at the moment."""
    spend(ledger, 0, 30)
    left = [each.left for each in ledger.used("t", LIMITS, now_ns=50 * S)]
    assert left == ["2 calls/min", "70 s/h"]
    later = [each.left for each in ledger.used("t", LIMITS, now_ns=100 * S)]
    assert later == ["3 calls/min", "70 s/h"]


@settings(max_examples=25, deadline=None)
@given(calls=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 50)), min_size=1, max_size=20))
def test_calls_that_start_when_told_overrun_no_quota(calls: list[tuple[float, float]]) -> None:
    """Whatever calls take, if each starts when the ledger says, no window ever holds too much."""
    # No fixture here: Hypothesis keeps them to the very end, when DuckDB complains of what is left.
    with tempfile.TemporaryDirectory() as folder:
        made = calls_when_told(Ledger.at(Path(folder) / "ledger.sqlite"), calls)
    for began, ended, _ in made:
        in_minute = [one for one in made if began <= one[0] < began + 60 * S]
        assert len(in_minute) <= 3
        in_hour = [one for one in made if ended - 3_600 * S < one[1] <= ended]
        assert sum(one[2] for one in in_hour) <= 100 + 1e-3


def calls_when_told(
    ledger: Ledger, calls: list[tuple[float, float]]
) -> list[tuple[int, int, float]]:
    """Make calls (seconds idle before, seconds running), each when the ledger lets it start."""
    now, made = 0, []
    for idle, running in calls:
        now += int(idle * S)
        now = ledger.next_start("t", LIMITS, Turn("h", expected_seconds=running), now_ns=now).at_ns
        spend(ledger, now / S, running)
        made.append((now, now + int(running * S), running))
        now = made[-1][1]
    return made


@given(
    st.lists(st.tuples(st.floats(0, 3_000), st.floats(0, 60)), max_size=8),
    st.lists(st.floats(0, 60), max_size=12),
)
@settings(max_examples=40, deadline=None)
def test_the_forecast_is_what_then_happens(
    earlier: list[tuple[float, float]], expected: list[float]
) -> None:
    """Calls of the expected length, each started when the ledger lets it, end when it was said."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.at(Path(folder) / "ledger.sqlite")
        for at, running in earlier:
            spend(ledger, at, running)
        now_ns = 3_100 * S
        forecast = ledger.finish_ns("t", LIMITS, expected_seconds=expected, now_ns=now_ns)
        for seconds in expected:
            start_ns = ledger.next_start(
                "t", LIMITS, Turn("h", expected_seconds=seconds), now_ns=now_ns
            ).at_ns
            now_ns = start_ns + round(seconds * S)
            call = ledger.store.reserve("t", H, started_ns=start_ns, worst_seconds=60)
            ledger.store.settle(call, ended_ns=now_ns, running_seconds=seconds, outcome="answered")
        assert forecast == now_ns

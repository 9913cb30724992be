"""The gate: one call in flight for each tenant, when its quota allows."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock, SystemClock
from pipelines.errors import Throttled
from pipelines.quota import Gate, Ledger, Turn, Wait, parse_limits

H = Turn("h")
LIMITS = parse_limits("seed,calls_per_minute=2")


def a_gate(folder: Path, clock=None, tenant: str = "t") -> Gate:
    return Gate(
        tenant=tenant,
        limits=LIMITS,
        ledger=Ledger.at(folder / "ledger.sqlite"),
        locks=folder / "locks",
        clock=clock or SimulatedClock(10**18),
    )


def test_a_used_quota_is_waited_for_and_announced_once(tmp_path: Path) -> None:
    """The third call of a minute waits until the first is a minute old, and says so."""
    clock = SimulatedClock(10**18)
    gate = a_gate(tmp_path, clock)
    waits: list[Wait] = []
    for _ in range(3):
        with gate.call(H, waits.append):
            clock.sleep(2)
    assert [wait.reason for wait in waits] == ["2 calls a minute are used"]
    assert waits[0].until_ns == 10**18 + 60_500_000_000
    assert clock.now_ns() == waits[0].until_ns + 2 * NANOSECONDS_PER_SECOND


def test_a_429_blocks_the_tenant_and_spends_no_running_time(tmp_path: Path) -> None:
    """The next call waits as long as the service asked, whichever process makes it."""
    clock = SimulatedClock(10**18)
    with pytest.raises(Throttled), a_gate(tmp_path, clock).call(H, print):
        raise Throttled("no", retry_after_seconds=2_871, quota="running time")
    waits: list[Wait] = []
    with a_gate(tmp_path, clock).call(H, waits.append):
        pass
    assert waits[0].until_ns == 10**18 + 2_871 * NANOSECONDS_PER_SECOND
    assert "429, running time" in waits[0].reason


def test_a_failed_call_s_time_is_spent(tmp_path: Path) -> None:
    """The service may have worked all the while; the ledger counts the time on the wire."""
    clock = SimulatedClock(10**18)
    gate = a_gate(tmp_path, clock)

    def fail_after_ten_minutes() -> None:
        with gate.call(H, print):
            clock.sleep(599)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_ten_minutes()
    waits: list[Wait] = []
    with gate.call(H, waits.append):
        pass
    assert "running time an hour" in waits[0].reason


@pytest.mark.parametrize("shared", [True, False])
def test_two_threads_never_hold_one_tenant_together(shared: bool, tmp_path: Path) -> None:
    """While one call is in flight the other waits, through one gate or another."""
    clock = SimulatedClock(10**18)
    first = a_gate(tmp_path, clock)
    second = first if shared else a_gate(tmp_path, clock)
    waiting, order = threading.Event(), []

    def other() -> None:
        with second.call(H, lambda _: waiting.set()):
            order.append("second")

    with first.call(H, print):
        thread = threading.Thread(target=other)
        thread.start()
        assert waiting.wait(timeout=30)
        order.append("first")
    thread.join(timeout=30)
    assert order == ["first", "second"]


def test_other_tenants_are_not_kept_waiting(tmp_path: Path) -> None:
    """The one place is the tenant's, not the machine's."""
    with a_gate(tmp_path).call(H, print), a_gate(tmp_path, tenant="other").call(H, pytest.fail):
        pass


def _hold(folder: Path, held) -> None:
    with a_gate(folder, SystemClock()).call(H, print):
        held.set()
        signal.pause()


def test_the_holder_s_death_frees_the_tenant(tmp_path: Path) -> None:
    """After kill -9 in mid-call another process goes on, and the call counts as far as it may run.

    Nobody can say that the service has ended it: it may go on for as long as one call can.
    """
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, held))
    holder.start()
    assert held.wait(timeout=60)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(timeout=60)
    clock = SimulatedClock(SystemClock().now_ns())
    gate = a_gate(tmp_path, clock)
    with gate.call(H, pytest.fail):
        clock.sleep(1)
    clock.sleep(600)
    waits: list[Wait] = []
    with gate.call(H, waits.append):
        pass
    assert "601 of 600 s of running time an hour are used" in waits[0].reason

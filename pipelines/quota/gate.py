"""One call in flight for each tenant, across processes, and never before its quota allows.

What belongs here: waiting, and holding the tenant's one place. What does not: the arithmetic of
quotas (``ledger``), or what a call does.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import BaseFileLock, FileLock, Timeout

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.errors import LakeUnwritable, Throttled
from pipelines.quota.ledger import Ledger
from pipelines.quota.limits import Limits
from pipelines.quota.order import Turn, Waiter

# While another calls, or goes first: its end, or its death, is to be seen within seconds.
_SHORTEST_NAP_SECONDS: Final = 0.25
_LONGEST_POLL_SECONDS: Final = 2.0
_SLOWER: Final = 1.5
# Quota that would be left for less is not worth a call of its own.
_WORTH_A_CALL_NS: Final = 60 * NANOSECONDS_PER_SECOND
# A wait is cut into pieces so that what another process learned meanwhile counts.
_LONGEST_NAP_SECONDS: Final = 60.0
_SIGN_OF_LIFE_NS: Final = 30 * NANOSECONDS_PER_SECOND


# Whoever isn't written down yet came last.
_NEWEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wait:
    """Why no call may start yet, and until when (``None``: until another process is done)."""

    reason: str
    until_ns: int | None


@dataclass(slots=True)
class Call:
    """One call that may be sent now, and for how long it may run (``None``: as was expected)."""

    id: int
    started_ns: int
    room_seconds: float | None = None


class Gate:
    """The way to one tenant: every call goes through it."""

    def __init__(
        self, *, tenant: str, limits: Limits, ledger: Ledger, locks: Path, clock: Clock
    ) -> None:
        self._tenant = tenant
        self._limits = limits
        self._ledger = ledger
        self._clock = clock
        self._lock_file = _lock_file(locks, tenant)
        try:
            locks.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def call(self, turn: Turn, on_wait: Callable[[Wait], None]) -> Iterator[Call]:
        """Wait for the tenant's place, turn and quota, and hold the place while the block runs.

        Where a quota has too little left for the whole call, and enough for a smaller one that is
        worth it, the call comes at once, with ``room_seconds``: what is left is used up before more
        is waited for. The block's time on the clock is settled as the call's running time, also
        when the block fails; a ``Throttled`` that it raises spends none and blocks the tenant until
        the service takes calls again. Raises ``LakeUnwritable`` where the call can't be written
        down.
        """
        # One for each call, since one that is held lets its own holder's other threads in. The
        # operating system frees it when the process dies, however it dies.
        lock = FileLock(self._lock_file, thread_local=False)
        room_seconds = self._wait_for_turn(lock, turn, on_wait)
        try:
            call = self._reserve(turn, room_seconds)
            outcome, running = "failed", None
            try:
                yield call
                outcome = "answered"
            except Throttled as error:
                outcome, running = "throttled", 0.0
                self._learn(error)
                raise
            finally:
                self._settle(call, outcome, running)
        finally:
            lock.release()

    def ends_ns(self, expected_seconds: Sequence[float]) -> list[int]:
        """When each call of these running times would be done (Unix time, nanoseconds)."""
        return self._ledger.ends_ns(
            self._tenant,
            self._limits,
            expected_seconds=expected_seconds,
            now_ns=self._clock.now_ns(),
        )

    def correct(self, call: Call, running_seconds: float) -> None:
        """The running time that the service itself reports, in place of the time on the wire."""
        self._ledger.store.correct(call.id, running_seconds=running_seconds)

    def _wait_for_turn(
        self, lock: BaseFileLock, turn: Turn, on_wait: Callable[[Wait], None]
    ) -> float | None:
        """Return with the lock held. Whoever has to wait is written down while it does."""
        wait = self._try_turn(lock, turn, None)
        if not isinstance(wait, Wait):
            return wait
        waiter = self._ledger.store.wait(self._tenant, turn, now_ns=self._clock.now_ns())
        try:
            told: str | None = None
            seen_ns = waiter.since_ns
            poll = _SHORTEST_NAP_SECONDS
            while isinstance(wait, Wait):
                if wait.reason != told:
                    on_wait(wait)
                    told, poll = wait.reason, _SHORTEST_NAP_SECONDS
                self._nap(wait, poll)
                poll = min(poll * _SLOWER, _LONGEST_POLL_SECONDS)
                now_ns = self._clock.now_ns()
                if now_ns - seen_ns >= _SIGN_OF_LIFE_NS:
                    self._ledger.store.still_waits(waiter, now_ns=now_ns)
                    seen_ns = now_ns
                wait = self._try_turn(lock, turn, waiter)
            return wait
        finally:
            self._ledger.store.leave(waiter)

    def _try_turn(
        self, lock: BaseFileLock, turn: Turn, waiter: Waiter | None
    ) -> Wait | float | None:
        """Take the lock if a call may start now; otherwise leave it free and say why.

        Returns the call's ``room_seconds`` where it may.
        """
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return Wait(f"another call to tenant {self._tenant} is in flight", None)
        except OSError as error:
            raise self._unwritable(error) from error
        wait: Wait | float | None = None
        try:
            wait = self._obstacle(turn, waiter)
        except BaseException:
            lock.release()
            raise
        if isinstance(wait, Wait):
            lock.release()
        return wait

    def _unwritable(self, error: OSError) -> LakeUnwritable:
        return LakeUnwritable(
            f"the lock {self._lock_file} can't be taken: {error.strerror or error}. Nothing is "
            f"called without it; make room, see who may write there, or set HUNTLAKE_DATA to a "
            f"folder of yours"
        )

    def _obstacle(self, turn: Turn, waiter: Waiter | None) -> Wait | float | None:
        """Why no call of this turn may start now: somebody goes first, or a quota is used up.

        Else how long it may run.
        """
        now_ns = self._clock.now_ns()
        waiting = self._ledger.store.waiting(self._tenant, now_ns=now_ns)
        me = waiter or Waiter(_NEWEST, turn, now_ns)
        others = [each for each in waiting if each.id != me.id]
        first = me
        if others:
            first = self._ledger.first_of(self._tenant, [me, *others], now_ns=now_ns)
        # Where a quota holds up the first, the others need not look before it doesn't.
        start = self._ledger.next_start(self._tenant, self._limits, first.turn, now_ns=now_ns)
        must_wait = start.reason is not None and start.at_ns > now_ns
        if must_wait and first is me:
            room = self._room_left(turn, start.at_ns - now_ns, now_ns)
            if room is not None:
                return room
        if must_wait:
            return Wait(start.reason or "", start.at_ns)
        if first is not me:
            return Wait(f"{first.turn.hunt} goes first ({first.turn.urgency})", None)
        return None

    def _room_left(self, turn: Turn, wait_ns: int, now_ns: int) -> float | None:
        """What is left for a smaller call, where it would else be left for long."""
        if turn.least_seconds is None or wait_ns < _WORTH_A_CALL_NS:
            return None
        room = self._ledger.room_seconds(self._tenant, self._limits, turn, now_ns=now_ns)
        return room if turn.least_seconds <= room < math.inf else None

    def _nap(self, wait: Wait, poll_seconds: float) -> None:
        if wait.until_ns is None:
            self._clock.sleep(poll_seconds)
            return
        left = (wait.until_ns - self._clock.now_ns()) / NANOSECONDS_PER_SECOND
        self._clock.sleep(min(left, _LONGEST_NAP_SECONDS))

    def _reserve(self, turn: Turn, room_seconds: float | None) -> Call:
        started_ns = self._clock.now_ns()
        call_id = self._ledger.store.reserve(
            self._tenant,
            turn,
            started_ns=started_ns,
            worst_seconds=self._limits.request_seconds,
        )
        return Call(call_id, started_ns, room_seconds)

    def _settle(self, call: Call, outcome: str, running_seconds: float | None) -> None:
        ended_ns = self._clock.now_ns()
        if running_seconds is None:
            running_seconds = (ended_ns - call.started_ns) / NANOSECONDS_PER_SECOND
        self._ledger.store.settle(
            call.id, ended_ns=ended_ns, running_seconds=running_seconds, outcome=outcome
        )

    def _learn(self, error: Throttled) -> None:
        self._ledger.learn_refusal(
            self._tenant,
            self._limits,
            of_running_time=error.quota == "running time",
            wait_seconds=error.retry_after_seconds,
            now_ns=self._clock.now_ns(),
            reason=f"the service refuses calls (429, {error.quota})",
        )


def is_calling(locks: Path, tenant: str) -> bool:
    """Whether a process holds the tenant's one place: it calls, or looks whether it may."""
    path = _lock_file(locks, tenant)
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _lock_file(locks: Path, tenant: str) -> Path:
    return locks / f"tenant-{tenant}.lock"

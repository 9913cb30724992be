"""One call in flight for each tenant, across processes, and never before its quota allows.

What belongs here: waiting, and holding the tenant's one place. What does not: the arithmetic of
quotas (``ledger``), or what a call does.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.errors import Throttled
from pipelines.quota.ledger import Ledger
from pipelines.quota.limits import Limits

_POLL_SECONDS = 0.25
# A wait is cut into pieces so that what another process learned meanwhile counts.
_LONGEST_NAP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Why no call may start yet, and until when (``None``: until another process is done)."""

    reason: str
    until_ns: int | None


@dataclass(slots=True)
class Call:
    """One call that may be sent now."""

    id: int
    started_ns: int


class Gate:
    """The way to one tenant: every call goes through it."""

    def __init__(
        self, *, tenant: str, limits: Limits, ledger: Ledger, locks: Path, clock: Clock
    ) -> None:
        self._tenant = tenant
        self._limits = limits
        self._ledger = ledger
        self._clock = clock
        locks.mkdir(parents=True, exist_ok=True)
        self._lock_file = locks / f"tenant-{tenant}.lock"

    @contextmanager
    def call(self, hunt: str, on_wait: Callable[[Wait], None]) -> Iterator[Call]:
        """Wait for the tenant's place and quota, and hold both while the block runs.

        The block's time on the clock is settled as the call's running time, also when the block
        fails; a ``Throttled`` that it raises spends none and blocks the tenant until the service
        takes calls again.
        """
        # One for each call, since one that is held lets its own holder's other threads in. The
        # operating system frees it when the process dies, however it dies.
        lock = FileLock(self._lock_file, thread_local=False)
        self._wait_for_turn(lock, hunt, on_wait)
        try:
            call = self._reserve(hunt)
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

    def finish_ns(self, expected_seconds: Sequence[float]) -> int:
        """When calls of these running times would be done (Unix time, nanoseconds)."""
        return self._ledger.finish_ns(
            self._tenant,
            self._limits,
            expected_seconds=expected_seconds,
            now_ns=self._clock.now_ns(),
        )

    def correct(self, call: Call, running_seconds: float) -> None:
        """The running time that the service itself reports, in place of the time on the wire."""
        self._ledger.correct(call.id, running_seconds=running_seconds)

    def _wait_for_turn(
        self, lock: BaseFileLock, hunt: str, on_wait: Callable[[Wait], None]
    ) -> None:
        told: str | None = None
        while True:
            wait = self._try_turn(lock, hunt)
            if wait is None:
                return
            if wait.reason != told:
                on_wait(wait)
                told = wait.reason
            self._nap(wait)

    def _try_turn(self, lock: BaseFileLock, hunt: str) -> Wait | None:
        """Take the lock if a call may start now; otherwise leave it free and say why."""
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return Wait(f"another call to tenant {self._tenant} is in flight", None)
        try:
            now_ns = self._clock.now_ns()
            start = self._ledger.next_start(
                self._tenant,
                self._limits,
                expected_seconds=self._ledger.expected_seconds(self._tenant, hunt),
                now_ns=now_ns,
            )
        except BaseException:
            lock.release()
            raise
        if start.reason is None or start.at_ns <= now_ns:
            return None
        lock.release()
        return Wait(start.reason, start.at_ns)

    def _nap(self, wait: Wait) -> None:
        if wait.until_ns is None:
            self._clock.sleep(_POLL_SECONDS)
            return
        left = (wait.until_ns - self._clock.now_ns()) / NANOSECONDS_PER_SECOND
        self._clock.sleep(min(left, _LONGEST_NAP_SECONDS))

    def _reserve(self, hunt: str) -> Call:
        started_ns = self._clock.now_ns()
        call_id = self._ledger.reserve(
            self._tenant,
            hunt,
            started_ns=started_ns,
            worst_seconds=self._limits.request_seconds,
        )
        return Call(call_id, started_ns)

    def _settle(self, call: Call, outcome: str, running_seconds: float | None) -> None:
        ended_ns = self._clock.now_ns()
        if running_seconds is None:
            running_seconds = (ended_ns - call.started_ns) / NANOSECONDS_PER_SECOND
        self._ledger.settle(
            call.id, ended_ns=ended_ns, running_seconds=running_seconds, outcome=outcome
        )

    def _learn(self, error: Throttled) -> None:
        wait_ns = math.ceil(error.retry_after_seconds * NANOSECONDS_PER_SECOND)
        self._ledger.block(
            self._tenant,
            until_ns=self._clock.now_ns() + wait_ns,
            reason=f"the service refuses calls (429, {error.quota})",
        )

"""What each attempt to export a partition took, as a row of ``huntlake.exports``.

What belongs here: adding it up from the events of an export, and writing it down. What does not:
the columns' meanings (``lake.tables``), or what a partition cost in all its attempts, which its
receipt says.

Worth a row is what asked the service for something, or should have: a partition that was found
committed is no attempt, and nor is one that was stopped before its first call.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import HuntlakeError, LakeUnwritable, PartitionRefused
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.lake import EXPORTS, Journal
from pipelines.progress import (
    CallFailed,
    Event,
    JournalNotKept,
    PartitionCommitted,
    PartitionNotCommitted,
    PartitionStarted,
    SliceStaged,
    Waiting,
    WaitOver,
)
from pipelines.recovery import Remedy
from pipelines.slicing import Partition
from pipelines.windows import NANOSECONDS_PER_TICK, Window, datetime_from_instant

Outcome = Literal["committed", "failed", "refused", "stopped"]

_AGAIN: Final = frozenset({Remedy.WAIT, Remedy.RETRY, Remedy.FRESH_TOKEN})
# The service's own words may quote the query.
_SERVICE: Final = re.compile(r"the service says: .*?(?= \(request id |\Z)", re.DOTALL)


@dataclass(slots=True)
class Attempt:
    """One attempt to export a partition, so far. Instants are Unix time in nanoseconds."""

    started_ns: int
    window: Window | None = None
    calls: int = 0
    counting_calls: int = 0
    wasted_calls: int = 0
    running_seconds: float = 0.0
    wait_seconds: float = 0.0
    retries: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, event: SliceStaged | PartitionNotCommitted) -> None:
        """Add what a slice took, or what was spent since the last one."""
        self.calls += event.calls
        self.counting_calls += event.counting_calls
        self.wasted_calls += event.wasted_calls
        self.running_seconds += event.running_seconds


class Meter:
    """An observer that measures, passes on what others should hear, and writes rows down.

    It must not stand in the way: where the journal can't be written, that is told.
    """

    def __init__(self, at: HuntInTenant, run: str | None) -> None:
        self._at = at
        self._run = run
        self._journal = Journal(at.layout, EXPORTS.kind, EXPORTS.schema)
        self._attempts: dict[str, Attempt] = {}
        self._committed: dict[str, Attempt] = {}
        self._waiting: tuple[str, int] | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if not isinstance(event, Waiting):
            self._end_wait()
        self._measure(event)
        # After that, since an observer may end the export.
        if not isinstance(event, WaitOver | PartitionNotCommitted):
            self._at.observer(event)

    def _measure(self, event: Event) -> None:
        match event:
            case Waiting() if self._waiting is None:
                self._attempt(event)
                self._waiting = event.partition, self._at.clock.now_ns()
            case PartitionStarted(window=window):
                self._attempt(event).window = window
            case SliceStaged():
                self._attempt(event).add(event)
            case CallFailed():
                attempt = self._attempt(event)
                attempt.errors[event.kind] += 1
                attempt.retries += event.remedy in _AGAIN
            case PartitionCommitted():
                self._end_committed(event)
            case PartitionNotCommitted():
                self._end_not_committed(event)

    def taken(self, partition: Partition) -> Attempt | None:
        """What the partition took that was committed; ``None`` where it was found committed."""
        return self._committed.pop(partition.key, None)

    def _attempt(self, event: Event) -> Attempt:
        if event.partition not in self._attempts:
            self._attempts[event.partition] = Attempt(self._at.clock.now_ns())
        return self._attempts[event.partition]

    def _end_wait(self) -> None:
        if self._waiting is not None:
            partition, since_ns = self._waiting
            waited = (self._at.clock.now_ns() - since_ns) / NANOSECONDS_PER_SECOND
            if partition in self._attempts:
                self._attempts[partition].wait_seconds += waited
            self._waiting = None

    def _end_committed(self, event: PartitionCommitted) -> None:
        attempt = self._attempt(event)
        del self._attempts[event.partition]
        if not event.reused:
            self._committed[event.partition] = attempt
            self._keep(
                event, event.window, attempt, "committed", rows=event.rows, bytes=event.file_bytes
            )

    def _end_not_committed(self, event: PartitionNotCommitted) -> None:
        attempt = self._attempt(event)
        attempt.add(event)
        del self._attempts[event.partition]
        error = event.error
        if isinstance(error, PartitionRefused) and not attempt.calls:
            self._keep(event, event.window, attempt, "refused", error=own_words(error))
        elif isinstance(error, Exception):
            self._keep(event, event.window, attempt, "failed", error=own_words(error))
        elif attempt.calls:
            self._keep(event, event.window, attempt, "stopped")
        # Those that were pulled while this one was being committed.
        for partition, other in self._attempts.items():
            if other.calls and other.window:
                self._keep(Event(event.hunt, partition), other.window, other, "stopped")
        self._attempts.clear()

    def _keep(
        self, event: Event, window: Window, attempt: Attempt, outcome: Outcome, **more: Any
    ) -> None:
        now_ns = self._at.clock.now_ns()
        row = {
            "tenant": self._at.tenant.name,
            "hunt": event.hunt,
            "partition": event.partition,
            "window_start": datetime_from_instant(window.start),
            "window_end": datetime_from_instant(window.end),
            "surface": self._at.tenant.surface.name,
            "run": self._run,
            "started_at": datetime_from_instant(attempt.started_ns // NANOSECONDS_PER_TICK),
            "ended_at": datetime_from_instant(now_ns // NANOSECONDS_PER_TICK),
            "outcome": outcome,
            "calls": attempt.calls,
            "counting_calls": attempt.counting_calls,
            "wasted_calls": attempt.wasted_calls,
            "running_seconds": attempt.running_seconds,
            "wait_seconds": attempt.wait_seconds,
            "retries": attempt.retries,
            "errors": sorted(attempt.errors.items()),
            **more,
        }
        try:
            self._journal.append(self._at.tenant.name, [row], at_ns=now_ns)
        except LakeUnwritable as error:
            self._at.observer(JournalNotKept(event.hunt, event.partition, str(error)))


def own_words(error: Exception) -> str:
    """The error without what the service said, which a log may have and a journal may not.

    Of an error that huntlake did not mean to raise, its class: its text may be anything.
    """
    if not isinstance(error, HuntlakeError):
        return type(error).__name__
    return _SERVICE.sub("the run's log has what the service says", str(error))

"""What a run's log says while an export goes on.

What belongs here: one line for each event worth a row in Dagster's event log, which is never
pruned. What does not: records or queries.
"""

import logging

import dagster as dg

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.progress import CallFailed, Event, HistoryNotKept, SurfaceRetires, Waiting
from pipelines.recovery import Remedy

_WAIT_LOG_SECONDS = 60


class RunLog:
    """An observer that writes to the run's log; waits at most once a minute."""

    def __init__(self, log: dg.DagsterLogManager, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._next_wait_ns = 0

    def __call__(self, event: Event) -> None:
        """Write the event as one line."""
        if isinstance(event, Waiting) and not self._may_log_wait():
            return
        self._log.log(_level(event), "%s", event)

    def _may_log_wait(self) -> bool:
        now_ns = self._clock.now_ns()
        if now_ns < self._next_wait_ns:
            return False
        self._next_wait_ns = now_ns + _WAIT_LOG_SECONDS * NANOSECONDS_PER_SECOND
        return True


def _level(event: Event) -> int:
    match event:
        case CallFailed(remedy=Remedy.FAIL):
            return logging.ERROR
        case CallFailed() | HistoryNotKept() | SurfaceRetires():
            return logging.WARNING
        case _:
            return logging.INFO

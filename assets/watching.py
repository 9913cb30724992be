"""What a run's log says while an export goes on.

What belongs here: one line for each event worth a row in Dagster's event log, which is never
pruned, and looking out for the horizon. What does not: records or queries.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import dagster as dg

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.engine import Engine
from pipelines.hunts import Hunt
from pipelines.overdue import TooLate
from pipelines.progress import (
    CallFailed,
    Counted,
    Event,
    HistoryNotKept,
    PartitionCommitted,
    SliceStaged,
    SurfaceRetires,
    TryingLater,
    Waiting,
)
from pipelines.recovery import Remedy
from pipelines.slicing import Partition

_WAIT_LOG_SECONDS = 60
# A forecast reads the receipt of each partition that is left.
_LOOK_NS: Final = 600 * NANOSECONDS_PER_SECOND


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


class HorizonWatch:
    """An observer that tells which partitions will not make it before the horizon.

    It looks at the start, once rows were counted or pulled, and now and then; it tells when what it
    finds has changed, with the number of partitions that are left. It makes no call.
    """

    def __init__(
        self,
        engine: Engine,
        hunt: Hunt,
        partitions: Sequence[Partition],
        tell: Callable[[Sequence[TooLate], int], None],
    ) -> None:
        self._engine = engine
        self._hunt = hunt
        self._left = {each.key: each for each in partitions}
        self._tell = tell
        self._told: list[str] = []
        self._next_ns = 0

    def __call__(self, event: Event) -> None:
        """Look again where the event may have changed what is to be expected."""
        match event:
            case PartitionCommitted():
                self._left.pop(event.partition, None)
            case Counted():
                self.look()
            case SliceStaged() if self._engine.clock.now_ns() >= self._next_ns:
                # The first answer tells what the others will take.
                self._next_ns = self._engine.clock.now_ns() + _LOOK_NS
                self.look()

    def look(self) -> None:
        """Forecast what is left, by what is known."""
        left = list(self._left.values())
        found = self._engine.plan(self._hunt, left, may_count=False).too_late
        keys = [each.partition for each in found]
        if keys != self._told:
            self._told = keys
            self._tell(found, len(left))


def _level(event: Event) -> int:
    match event:
        case CallFailed(remedy=Remedy.FAIL):
            return logging.ERROR
        case CallFailed() | HistoryNotKept() | SurfaceRetires() | TryingLater():
            return logging.WARNING
        case _:
            return logging.INFO

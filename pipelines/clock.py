"""The one place that reads the time and sleeps.

Everything else takes a ``Clock``, so that tests run days of quota in milliseconds.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.windows import NANOSECONDS_PER_TICK

NANOSECONDS_PER_SECOND = 1_000_000_000


class Clock(Protocol):
    """Reads the time and waits. Safe to use from several threads."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``; an interrupt (Ctrl-C, a cancelled run) ends it early."""
        ...


def now_ticks(clock: Clock) -> int:
    """The clock's time as an instant (see ``windows``)."""
    return clock.now_ns() // NANOSECONDS_PER_TICK


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """See ``Clock``."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """See ``Clock``."""
        if seconds > 0:
            time.sleep(seconds)


@dataclass(slots=True)
class SimulatedClock:
    """A clock that moves only when somebody sleeps on it, for tests and simulations."""

    ns: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def now_ns(self) -> int:
        """See ``Clock``."""
        with self._lock:
            return self.ns

    def sleep(self, seconds: float) -> None:
        """Move the time on at once; nothing waits."""
        with self._lock:
            self.ns += max(0, round(seconds * NANOSECONDS_PER_SECOND))

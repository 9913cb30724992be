"""One simulated time for several threads: it moves on when all of them sleep.

What belongs here: the clock. What does not: what threads do with it. ``SimulatedClock`` is for one
thread, whose sleep moves the time on at once.
"""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.clock import NANOSECONDS_PER_SECOND


@dataclass(slots=True)
class VirtualClock:
    """See ``pipelines.clock.Clock``. Only threads that ``run`` has started may sleep on it."""

    ns: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _awake: int = 0
    _sleepers: list[tuple[int, int, threading.Event]] = field(default_factory=list, repr=False)
    _number: int = 0

    def now_ns(self) -> int:
        """See ``Clock``."""
        return self.ns

    def sleep(self, seconds: float) -> None:
        """Wait until the others' sleeping has brought the time there."""
        event = threading.Event()
        with self._lock:
            self._number += 1
            wake_ns = self.ns + max(0, round(seconds * NANOSECONDS_PER_SECOND))
            heapq.heappush(self._sleepers, (wake_ns, self._number, event))
            self._one_less()
        event.wait()

    def run(self, *targets: Callable[[], None]) -> None:
        """Run all in threads of their own, and return when the last is done.

        Raises what the first of them raised that failed.
        """
        failures: list[BaseException] = []

        def guarded(target: Callable[[], None]) -> None:
            try:
                target()
            except BaseException as error:  # noqa: BLE001 - raised again below, in the caller
                failures.append(error)
            finally:
                with self._lock:
                    self._one_less()

        self._awake = len(targets)
        threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _one_less(self) -> None:
        """Somebody sleeps, or is done: once nobody is awake, the first sleeper's time comes.

        One at a time, also where several wake at one instant, so that each run is the same.
        """
        self._awake -= 1
        if self._awake == 0 and self._sleepers:
            wake_ns, _, event = heapq.heappop(self._sleepers)
            self.ns = max(self.ns, wake_ns)
            self._awake = 1
            event.set()

"""A tenant's clock by which a call goes on for as long as a test likes.

What belongs here: holding a call. What does not: what happens to its caller meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.clock import SystemClock
from tests.processes import PATIENCE_SECONDS


class HoldingClock:
    """The machine's time, since processes read that; to sleep takes none, unless it is held."""

    def __init__(self) -> None:
        self.now_ns = SystemClock().now_ns
        self._held, self._release = threading.Event(), threading.Event()
        self._hold_next = False

    @contextmanager
    def holding_next(self) -> Iterator[None]:
        """Hold the next who sleeps, until the block ends."""
        self._held.clear()
        self._release.clear()
        self._hold_next = True
        try:
            yield
        finally:
            self._release.set()

    def wait_until_held(self) -> None:
        """Return once somebody is held."""
        assert self._held.wait(PATIENCE_SECONDS), "nobody came"

    def sleep(self, seconds: float) -> None:
        """See ``Clock``."""
        if self._hold_next:
            self._hold_next = False
            self._held.set()
            assert self._release.wait(PATIENCE_SECONDS), "nobody released it"

"""What the stand-in enforces, and how long it says that a query ran.

What belongs here: caps, quotas and the model of running time. What does not: the bodies of refusals
(``replies``). Written apart from ``pipelines.quota``, which it is there to test.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipelines.clock import NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class StandinLimits:
    """Caps and quotas; the defaults are the ``seed`` contract. Quotas are (amount, seconds).

    ``overlong`` is what becomes of a query that would run longer than ``request_seconds``: the 400
    that was recorded of the service, or the 504 of a gateway that waits no longer.
    """

    rows: int = 100_000
    response_bytes: int | None = None
    request_seconds: float = 600.0
    calls: tuple[tuple[int, float], ...] = ((15, 60.0),)
    running: tuple[tuple[float, float], ...] = ((600.0, 3_600.0), (14_400.0, 86_400.0))
    data_age_days: int = 30
    overlong: Literal["preempted", "timed_out"] = "preempted"


@dataclass(frozen=True, slots=True)
class RunningTimeModel:
    """How long a query is said to run, so that a quota can be used up without waiting.

    ``seconds_per_row_sorted`` is for the rows that a ``top`` at the query's end chooses from. No
    source states what the service takes; this is a quarter of what it takes to deliver a row, so
    that pages cut from a window that they nearly fill cost little more than plain ones, and pages
    cut from a window with a hundred pages in it cost far more. With ``passes`` the time passes on
    the stand-in's clock before it answers.
    """

    seconds_per_call: float = 0.2
    seconds_per_row: float = 2e-6
    seconds_per_hour_scanned: float = 0.005
    seconds_per_row_sorted: float = 5e-7
    passes: bool = False

    def seconds(self, rows: int, hours_scanned: float, rows_sorted: int = 0) -> float:
        """The modelled running time."""
        return (
            self.seconds_per_call
            + rows * self.seconds_per_row
            + hours_scanned * self.seconds_per_hour_scanned
            + rows_sorted * self.seconds_per_row_sorted
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A quota that is used up: the amount, its window, and when a call is taken again."""

    amount: float
    window_seconds: float
    wait_seconds: float
    of_running_time: bool


@dataclass(slots=True)
class QuotaBook:
    """The calls of one tenant, counted in sliding windows."""

    limits: StandinLimits
    # When a call started; when it ended and for how long it ran. All in nanoseconds: a sum of
    # floats depends on its order, and a wait that was promised must be kept exactly.
    _started: deque[int] = field(default_factory=deque)
    _ran: deque[tuple[int, int]] = field(default_factory=deque)

    def refusal(self, now_ns: int) -> Refusal | None:
        """Why a call that arrives now is refused; ``None`` where it is taken.

        Of several quotas that are used up it names the one that takes longest to free.
        """
        self._forget(now_ns)
        refusals = [
            Refusal(amount, seconds, wait / NANOSECONDS_PER_SECOND, of_running_time=of_running_time)
            for of_running_time, amount, seconds, wait in self._waits(now_ns)
        ]
        return max(refusals, key=lambda refusal: refusal.wait_seconds, default=None)

    def take(self, now_ns: int) -> None:
        """Count a call that is taken."""
        self._started.append(now_ns)

    def spend(self, now_ns: int, seconds: float) -> None:
        """Count what a call ran."""
        self._ran.append((now_ns, _ns(seconds)))

    def _waits(self, now_ns: int) -> Iterator[tuple[bool, float, float, int]]:
        for amount, seconds in self.limits.calls:
            inside = [at for at in self._started if at > now_ns - _ns(seconds)]
            if len(inside) >= amount:
                yield False, amount, seconds, inside[-amount] + _ns(seconds) - now_ns
        for amount_seconds, seconds in self.limits.running:
            used = [(at, ran) for at, ran in self._ran if at > now_ns - _ns(seconds)]
            if sum(ran for _, ran in used) >= _ns(amount_seconds):
                free = _until_below(used, _ns(amount_seconds)) + _ns(seconds)
                yield True, amount_seconds, seconds, free - now_ns

    def _forget(self, now_ns: int) -> None:
        """Drop what has left every window, so that a long run stays quick."""
        longest_call = max((_ns(seconds) for _, seconds in self.limits.calls), default=0)
        while self._started and self._started[0] <= now_ns - longest_call:
            self._started.popleft()
        longest_run = max((_ns(seconds) for _, seconds in self.limits.running), default=0)
        while self._ran and self._ran[0][0] <= now_ns - longest_run:
            self._ran.popleft()


def _until_below(used: Sequence[tuple[int, int]], amount: int) -> int:
    """When the call ended whose leaving the window brings the total below the amount."""
    total = sum(ran for _, ran in used)
    for at, ran in used:
        total -= ran
        if total < amount:
            return at
    return used[-1][0]


def _ns(seconds: float) -> int:
    return round(seconds * NANOSECONDS_PER_SECOND)

"""Who goes first, where several exports wait for one tenant.

What belongs here: the order, as a pure function of who waits and what each was given. What does
not: writing down who waits (``store``), and waiting (``gate``).

What falls off the horizon within a day is lost if it waits, so it goes first, the next to go before
others. Then what a person waits for, the nightly loads, and backfills. Among equals the hunt goes
that had least of the last day's running time: a small one is done before a large one is half done.
And whoever has waited for an hour without a single call gets one, so that none starves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.windows import NANOSECONDS_PER_TICK, Window

_DAY_NS: Final = 86_400 * NANOSECONDS_PER_SECOND
# Data that is gone in less may be lost to a queue; more than a day's quota is a queue's length.
_EXPIRING_NS: Final = _DAY_NS
# The last whole day, loaded in the night after it, is over for less than this.
_NIGHTLY_NS: Final = 2 * _DAY_NS
_PATIENCE_NS: Final = 3_600 * NANOSECONDS_PER_SECOND


class Urgency(IntEnum):
    """How urgent an export's next call is; the lower goes first."""

    EXPIRING = 0
    INTERACTIVE = 1
    NIGHTLY = 2
    BACKFILL = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Turn:
    """What an export asks the gate for: its next call, and what is to come after it.

    ``due_ns`` is when what it pulls falls off the horizon (``None``: never). ``expected_seconds``
    is the running time of the call (``None``: nobody knows yet), and ``least_seconds`` what a
    smaller one would take that is still worth its call (``None``: it can't be smaller);
    ``calls_left`` and ``seconds_left`` are those of the export in all, this call included.
    """

    hunt: str
    partition: str = ""
    urgency: Urgency = Urgency.INTERACTIVE
    due_ns: int | None = None
    expected_seconds: float | None = None
    least_seconds: float | None = None
    calls_left: int = 1
    seconds_left: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiter:
    """A turn that somebody waits for, and since when (Unix time, nanoseconds)."""

    id: int
    turn: Turn
    since_ns: int


@dataclass(frozen=True, slots=True)
class Served:
    """What a hunt had of the last day: seconds of running time, and when it was called last."""

    seconds: float
    last_ns: int


def urgency_of(window: Window, *, now_ns: int, data_age_days: int) -> tuple[Urgency, int]:
    """How urgent pulling a window is, and when its first instant falls off the horizon."""
    due_ns = window.start * NANOSECONDS_PER_TICK + data_age_days * _DAY_NS
    if due_ns - now_ns < _EXPIRING_NS:
        return Urgency.EXPIRING, due_ns
    if now_ns - window.end * NANOSECONDS_PER_TICK < _NIGHTLY_NS:
        return Urgency.NIGHTLY, due_ns
    return Urgency.BACKFILL, due_ns


def first_of(waiting: Iterable[Waiter], served: Mapping[str, Served], *, now_ns: int) -> Waiter:
    """The one whose turn it is. Raises ``ValueError`` where nobody waits."""

    def key(waiter: Waiter) -> tuple[int, int, float, int, int]:
        turn, had = waiter.turn, served.get(waiter.turn.hunt)
        since_ns = max(waiter.since_ns, had.last_ns) if had else waiter.since_ns
        if now_ns - since_ns >= _PATIENCE_NS:
            return (-1, since_ns, 0.0, waiter.since_ns, waiter.id)
        due_ns = (turn.due_ns or 0) if turn.urgency is Urgency.EXPIRING else 0
        seconds = had.seconds if had else 0.0
        return (turn.urgency, due_ns, seconds, waiter.since_ns, waiter.id)

    return min(waiting, key=key)

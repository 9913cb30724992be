"""When those who wait for a tenant would be called, and be done.

What belongs here: playing the queue through, with the same order and the same arithmetic as the
gate. What does not: reading who waits (``ledger``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota import order, starts
from pipelines.quota.limits import Limits
from pipelines.quota.order import Served, Urgency, Waiter
from pipelines.quota.starts import Account, Spent

# Each step looks at a day of calls, and what is further away than these is guesswork anyway.
_STEPS: Final = 300


@dataclass(frozen=True, slots=True)
class Queued:
    """Somebody who waits, with the calls that it has before it and their running time in all.

    ``start_ns`` is when the first of them would start and ``done_ns`` when the last would end;
    ``None``: later than the forecast reaches.
    """

    waiter: Waiter
    calls: int
    seconds: float
    start_ns: int | None = None
    done_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everybody who waits, in the order of their next calls, and how far the forecast reaches."""

    queue: tuple[Queued, ...]
    until_ns: int


def forecast(
    account: Account,
    limits: Limits,
    queue: Sequence[Queued],
    served: Mapping[str, Served],
    *,
    now_ns: int,
) -> Forecast:
    """Play the queue through, call by call, if nobody else comes and nothing fails.

    Each call is taken to run for the mean of its export, and to need no time beside that.
    """
    reach_ns = starts.reach_ns(limits)
    spent, had = list(account.spent), dict(served)
    waiting = {each.waiter.id: each for each in queue}
    left = {each.waiter.id: each.calls for each in queue}
    for _ in range(min(_STEPS, sum(left.values()))):
        first, now_ns = _next(
            Account(spent, account.outside, account.blocked),
            limits,
            ([each for each in waiting.values() if left[each.waiter.id]]),
            had,
            now_ns,
        )
        seconds = first.seconds / first.calls
        start_ns, now_ns = now_ns, now_ns + _ns(seconds)
        spent = [call for call in spent if call.last_ns > now_ns - reach_ns]
        spent.append(Spent(start_ns, now_ns, seconds, seconds))
        waiter = first.waiter
        before = had.get(waiter.turn.hunt)
        had[waiter.turn.hunt] = Served((before.seconds if before else 0.0) + seconds, start_ns)
        left[waiter.id] -= 1
        # It comes back for its next call, behind those of its kind who waited meanwhile.
        waiting[waiter.id] = replace(
            first,
            waiter=replace(waiter, since_ns=now_ns),
            start_ns=start_ns if first.start_ns is None else first.start_ns,
            done_ns=None if left[waiter.id] else now_ns,
        )
    played = [replace(waiting[each.waiter.id], waiter=each.waiter) for each in queue]
    played.sort(key=lambda each: (each.start_ns is None, each.start_ns or 0))
    return Forecast(tuple(played), now_ns)


def _next(
    account: Account,
    limits: Limits,
    queue: Sequence[Queued],
    had: Mapping[str, Served],
    now_ns: int,
) -> tuple[Queued, int]:
    """Whose call comes next, and when: as at the gate, the order may change while all wait."""
    by_id = {each.waiter.id: each for each in queue}
    waiters = [each.waiter for each in queue]
    while True:
        first = by_id[order.first_of(waiters, had, now_ns=now_ns).id]
        start = starts.next_start(
            account,
            limits,
            expected_seconds=first.seconds / first.calls,
            now_ns=now_ns,
            reserve=first.waiter.turn.urgency is Urgency.INTERACTIVE,
        )
        now_ns = start.at_ns
        if order.first_of(waiters, had, now_ns=now_ns).id == first.waiter.id:
            return first, now_ns


def _ns(seconds: float) -> int:
    return round(seconds * NANOSECONDS_PER_SECOND)

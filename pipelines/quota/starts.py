"""When the next call may start, and which quota says so: the arithmetic of quotas.

What belongs here: pure functions of what was spent. What does not: where that is written down
(``store``), or waiting (``gate``).

A call counts against a quota of calls from its start, and against one of running time from its end,
for as long as the quota's window. The service may count at other moments of a call; these are the
ones at which no later reading of "in any hour" finds more than was allowed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota.limits import CallQuota, Limits, Quota, RunningQuota

# The service counts a call when it arrives, some way after we wrote down that it started. Two
# calls a window apart on our side must not arrive less than a window apart on the service's.
_ARRIVAL_GUARD_NS: Final = NANOSECONDS_PER_SECOND // 2
# Sums of floats leave a trace of what was added and taken away again.
_TRACE_SECONDS: Final = 1e-6
# What others used leaves the window in so many pieces, since nobody knows when they used it.
_PIECES: Final = 12


@dataclass(frozen=True, slots=True)
class Spent:
    """One call: ``running_seconds`` are ``None`` while nobody has settled it.

    Then it may still run, up to ``worst_seconds`` after its start.
    """

    started_ns: int
    ended_ns: int | None
    running_seconds: float | None
    worst_seconds: float

    def seconds_by(self, at_ns: int) -> float:
        """The running time that it has had by an instant at most."""
        if self.running_seconds is not None:
            return self.running_seconds
        return min((at_ns - self.started_ns) / NANOSECONDS_PER_SECOND, self.worst_seconds)

    @property
    def last_ns(self) -> int:
        """When it ended, or will have ended at the latest."""
        if self.ended_ns is not None:
            return self.ended_ns
        return self.started_ns + _ns(self.worst_seconds)


@dataclass(frozen=True, slots=True)
class Outside:
    """What others of the tenant were found to have used of a quota when the service refused us.

    Of when they used it, only this is known: it begins to leave the quota at ``first_ns``, when the
    service will take calls again, and has left at ``last_ns``, a whole window after it was found.
    """

    of_running_time: bool
    per_seconds: int
    amount: float
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Start:
    """When the next call may start, and which quota says so (``None``: it may start now)."""

    at_ns: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Used:
    """How much of one quota is used: calls, or seconds of running time.

    ``by_others`` is the part that the service's refusals told of; ``frees_ns`` is when the next of
    it is free again (``None``: nothing is used).
    """

    quota: Quota
    used: float
    by_others: float
    frees_ns: int | None

    @property
    def amount(self) -> float:
        """What the quota allows."""
        return self.quota.amount

    @property
    def left(self) -> str:
        """What is left of it, short: ``9 calls/min``, ``540 s/h``."""
        unit = "calls" if isinstance(self.quota, CallQuota) else "s"
        return f"{max(0, self.amount - self.used):,.0f} {unit}/{self.quota.unit}"


@dataclass(frozen=True, slots=True)
class Account:
    """What counts against a tenant's quotas: our calls, and what we know of others'.

    ``blocked`` is the service's own refusal, while it lasts.
    """

    spent: Sequence[Spent]
    outside: Sequence[Outside] = ()
    blocked: Start | None = None


def next_start(
    account: Account, limits: Limits, *, expected_seconds: float, now_ns: int, reserve: bool
) -> Start:
    """The first instant at which a call of ``expected_seconds`` overruns no quota.

    ``reserve``: the part that is kept for people may be used too.
    """
    starts = [Start(now_ns, None)]
    if account.blocked is not None and account.blocked.at_ns > now_ns:
        starts.append(account.blocked)
    for quota in limits.quotas:
        ours = _entries(account, quota, now_ns, outside=False)
        all_ = _entries(account, quota, now_ns, outside=True)
        needed = 1.0 if isinstance(quota, CallQuota) else expected_seconds
        share = limits.share - (0.0 if reserve else limits.reserve)
        ours_allowed = quota.part(share)
        starts.append(_start(ours, ours_allowed, quota.of(ours_allowed), needed, now_ns))
        if len(all_) > len(ours):
            start = _start(all_, quota.amount, quota, needed, now_ns)
            by_others = start.reason and f"{start.reason}, some of it by others"
            starts.append(Start(start.at_ns, by_others))
    return max(starts, key=lambda start: start.at_ns)


def finish_ns(
    account: Account, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
) -> int:
    """When calls of these running times would be done, one after another, if nobody else calls.

    Beside the running time a call is taken to need no time.
    """
    reach = reach_ns(limits)
    spent = list(account.spent)
    for seconds in expected_seconds:
        account = Account(spent, account.outside, account.blocked)
        start = next_start(account, limits, expected_seconds=seconds, now_ns=now_ns, reserve=False)
        now_ns = start.at_ns + _ns(seconds)
        spent = [call for call in spent if call.last_ns > now_ns - reach]
        spent.append(Spent(start.at_ns, now_ns, seconds, seconds))
    return now_ns


def used(account: Account, limits: Limits, *, now_ns: int) -> list[Used]:
    """What is used of each quota, in the order of the profile."""
    found = []
    for quota in limits.quotas:
        ours = sum(
            each.amount_by(now_ns) for each in _entries(account, quota, now_ns, outside=False)
        )
        entries = _entries(account, quota, now_ns, outside=True)
        total = sum(each.amount_by(now_ns) for each in entries)
        frees = min((each.leaves_ns for each in entries), default=None)
        found.append(Used(quota, total, total - ours, frees))
    return found


def found_outside(
    account: Account, limits: Limits, *, of_running_time: bool, wait_seconds: float, now_ns: int
) -> Outside | None:
    """What others must have used, where the service says that a quota is used up and we did not.

    Which window it is the service does not say: it is the shortest that the wait fits in. ``None``
    where no quota of ours is meant, or we have used all of it ourselves.
    """
    quotas: Iterable[Quota] = limits.running if of_running_time else limits.calls
    quota = next((each for each in quotas if each.per_seconds >= wait_seconds), None)
    if quota is None:
        return None
    known = sum(each.amount_by(now_ns) for each in _entries(account, quota, now_ns, outside=True))
    unknown = quota.amount - known
    if unknown <= _TRACE_SECONDS:
        return None
    first_ns, last_ns = now_ns + _ns(wait_seconds), _leaves_ns(now_ns, quota)
    return Outside(of_running_time, quota.per_seconds, unknown, first_ns, max(first_ns, last_ns))


def reach_ns(limits: Limits) -> int:
    """How long ago a call may have started and still count: it counts from when it ended."""
    windows = [quota.per_seconds for quota in limits.quotas]
    return _ns(max(windows, default=0) + limits.request_seconds + 1)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that counts against a quota until it leaves."""

    leaves_ns: int
    amount: float
    open_call: Spent | None = None

    def amount_by(self, at_ns: int) -> float:
        return self.amount if self.open_call is None else self.open_call.seconds_by(at_ns)


def _entries(account: Account, quota: Quota, now_ns: int, *, outside: bool) -> list[_Entry]:
    """What still counts, the first to leave first."""
    running = isinstance(quota, RunningQuota)
    entries = []
    for call in account.spent:
        if running:
            is_open = call if call.running_seconds is None else None
            leaves = _leaves_ns(call.last_ns, quota)
            entries.append(_Entry(leaves, call.running_seconds or 0.0, is_open))
        else:
            leaves = _leaves_ns(call.started_ns, quota) + _ARRIVAL_GUARD_NS
            entries.append(_Entry(leaves, 1.0))
    if outside:
        entries += [
            entry
            for each in account.outside
            if each.of_running_time == running and each.per_seconds == quota.per_seconds
            for entry in _spread(each)
        ]
    counting = [each for each in entries if each.leaves_ns > now_ns]
    return sorted(counting, key=lambda each: each.leaves_ns)


def _spread(outside: Outside) -> Iterator[_Entry]:
    """Taken to have been used evenly: it leaves piece by piece."""
    for number in range(_PIECES):
        gone = (outside.last_ns - outside.first_ns) * number // (_PIECES - 1)
        yield _Entry(outside.first_ns + gone, outside.amount / _PIECES)


def _leaves_ns(at_ns: int, quota: Quota) -> int:
    """When what was spent at an instant counts no more."""
    window_ns = quota.per_seconds * NANOSECONDS_PER_SECOND
    if quota.calendar:
        return at_ns - at_ns % window_ns + window_ns
    return at_ns + window_ns


def _start(
    entries: Sequence[_Entry], allowed: float, quota: Quota, needed: float, now_ns: int
) -> Start:
    """The first instant at which the entries that are left have room for what is needed.

    What needs more than all there is gets an empty window: to wait for ever helps nobody.
    """
    room = allowed - min(needed, allowed) + _TRACE_SECONDS
    running = isinstance(quota, RunningQuota)
    duration_ns = _ns(needed) if running else 0
    total = sum(each.amount for each in entries)
    unsettled = [each for each in entries if each.open_call is not None]

    def used_by(start_ns: int, left: float) -> float:
        """With the calls that nobody settled, as long as they may have run when ours ends."""
        still = [each for each in unsettled if each.leaves_ns > start_ns]
        return left + sum(each.amount_by(start_ns + duration_ns) for each in still)

    if used_by(now_ns, total) <= room:
        return Start(now_ns, None)
    reason = _reason(used_by(now_ns, total), quota, running=running)
    left = total
    for each in entries:
        left -= each.amount
        if used_by(each.leaves_ns, left) <= room:
            return Start(each.leaves_ns, reason)
    return Start(entries[-1].leaves_ns if entries else now_ns, reason)


def _reason(amount: float, quota: Quota, *, running: bool) -> str:
    return f"{amount:,.0f} of {quota} are used" if running else f"{quota} are used"


def _ns(seconds: float) -> int:
    return round(seconds * NANOSECONDS_PER_SECOND)

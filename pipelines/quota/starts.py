"""When the next call may start, and which quota says so: the arithmetic of quotas.

What belongs here: pure functions of what was spent. What does not: where that is written down
(``store``), or waiting (``gate``).

A call counts against a quota of calls from its start, and against one of running time from its end,
for as long as the quota's window. The service may count at other moments of a call; these are the
ones at which no later reading of "in any hour" finds more than was allowed.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota.limits import CallQuota, Limits, Quota, RunningQuota

# The service counts a call when it arrives, some way after we wrote down that it started. Two
# calls a window apart on our side must not arrive less than a window apart on the service's.
_ARRIVAL_GUARD_NS: Final = NANOSECONDS_PER_SECOND // 2
# Others don't use the same in each hour: so much more of a quota is left to them than was found.
_MARGIN: Final = 1 / 4
# The service takes no call while a quota is used up, to the last second.
_LEFT_SECONDS: Final = 0.5
# Of what is expected of a call, at least this part will have passed when it ends.
_AT_LEAST: Final = 0.5
# Each looks at all calls of the longest window, so that thousands would take minutes.
_PLAYED: Final = 400
# Sums of floats leave a trace of what was added and taken away again.
_TRACE_SECONDS: Final = 1e-6


class Spent(NamedTuple):
    """One call: ``running_seconds`` are ``None`` while nobody has settled it.

    Then it may still run, up to ``worst_seconds`` after its start. A tuple, since a day has a
    thousand of them and all are read before each call.
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
    """Running time that others of the tenant were found to have used when the service refused us.

    Of when they used it, only this is known: the service takes a call again at ``first_ns``, and
    all of it has left at ``last_ns``, a whole window after it was found. Until then others are
    taken to go on using as much.
    """

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
    it is free again, and ``all_free_ns`` when all of it is (``None``: nothing is used).
    """

    quota: Quota
    used: float
    by_others: float
    frees_ns: int | None
    all_free_ns: int | None

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
    share = limits.usable(reserve=reserve)
    for quota in limits.quotas:
        ours = _Use.of(account, quota, now_ns)
        needed = 1.0 if isinstance(quota, CallQuota) else expected_seconds
        allowed = quota.part(share)
        starts.append(ours.start(allowed, quota.of(allowed), needed, now_ns))
        others = [each for each in account.outside if _is_of(each, quota)]
        if others:
            starts.append(_start_beside(others, ours, account, needed, now_ns))
    return max(starts, key=lambda start: start.at_ns)


def room_seconds(account: Account, limits: Limits, *, now_ns: int, reserve: bool) -> float:
    """For how long a call that starts now may run at most, so that it overruns no quota.

    0 where none may start; infinite where the profile has no quota of running time.
    """
    if next_start(account, limits, expected_seconds=0.0, now_ns=now_ns, reserve=reserve).reason:
        return 0.0
    share = limits.usable(reserve=reserve)
    room = math.inf
    for quota in limits.running:
        ours = _Use.of(account, quota, now_ns)
        others = [each for each in account.outside if _is_of(each, quota)]
        # What nobody settled may run on beside the call.
        ours_by_then = ours.amount(now_ns + _ns(limits.request_seconds))
        theirs = sum(each.amount for each in others if each.last_ns > now_ns)
        room = min(room, quota.part(share) - ours_by_then, quota.amount - ours_by_then - theirs)
    return max(0.0, room - _LEFT_SECONDS)


def finish_ns(
    account: Account, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
) -> int:
    """When the last of such calls would be done; see ``ends_ns``."""
    ends = ends_ns(account, limits, expected_seconds=expected_seconds, now_ns=now_ns)
    return ends[-1] if ends else now_ns


def ends_ns(
    account: Account, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
) -> list[int]:
    """When each call of these running times would be done, one after another, if nobody else calls.

    Beside the running time a call is taken to need no time. Of many calls the first are played
    through, one by one, and the others more roughly.
    """
    reach = reach_ns(limits)
    spent = list(account.spent)
    ends = []
    for seconds in expected_seconds[:_PLAYED]:
        account = Account(spent, account.outside, account.blocked)
        start = next_start(account, limits, expected_seconds=seconds, now_ns=now_ns, reserve=False)
        now_ns = start.at_ns + _ns(seconds)
        spent = [call for call in spent if call.last_ns > now_ns - reach]
        spent.append(Spent(start.at_ns, now_ns, seconds, seconds))
        ends.append(now_ns)
    return [*ends, *_beyond(spent, limits, expected_seconds[_PLAYED:], now_ns)]


def _beyond(
    spent: Sequence[Spent], limits: Limits, expected_seconds: Sequence[float], now_ns: int
) -> Iterator[int]:
    """When further calls would end: each once what it has no room beside has left each window.

    Like ``next_start``, and in one pass: without what others use, a refusal of the service, or the
    calendar, which move all of so many calls by little.
    """
    share = limits.usable(reserve=False)
    before = sorted((call.last_ns, call.seconds_by(call.last_ns)) for call in spent)
    windows = [(quota, quota.part(share), deque(before)) for quota in limits.quotas]
    used = [_amount(quota, before) for quota in limits.quotas]
    for seconds in expected_seconds:
        for number, (quota, amount, window) in enumerate(windows):
            needed = 1.0 if isinstance(quota, CallQuota) else seconds
            while window and used[number] + needed > amount + _TRACE_SECONDS:
                left_ns, its_seconds = window.popleft()
                used[number] -= 1.0 if isinstance(quota, CallQuota) else its_seconds
                now_ns = max(now_ns, left_ns + _ns(quota.per_seconds))
        now_ns += _ns(seconds)
        for number, (quota, _, window) in enumerate(windows):
            window.append((now_ns, seconds))
            used[number] += 1.0 if isinstance(quota, CallQuota) else seconds
        yield now_ns


def _amount(quota: Quota, calls: Iterable[tuple[int, float]]) -> float:
    return sum(1.0 if isinstance(quota, CallQuota) else seconds for _, seconds in calls)


def used(account: Account, limits: Limits, *, now_ns: int) -> list[Used]:
    """What is used of each quota, in the order of the profile."""
    found = []
    for quota in limits.quotas:
        ours = _Use.of(account, quota, now_ns)
        others = [each for each in account.outside if _is_of(each, quota)]
        by_others = sum(each.amount for each in others if each.last_ns > now_ns)
        leaves = [at for at, _ in ours.beside(others, now_ns).entries]
        leaves += [leaves_ns(call.last_ns, quota) for call in ours.unsettled]
        total = ours.amount(now_ns) + by_others
        frees_ns, all_free_ns = min(leaves, default=None), max(leaves, default=None)
        found.append(Used(quota, total, by_others, frees_ns, all_free_ns))
    return found


def found_outside(
    account: Account, limits: Limits, *, wait_seconds: float, now_ns: int
) -> list[Outside]:
    """The running time that others must have used, where the service says that none is left.

    Of calls nothing is learned: their windows are short, and the service says when to come again.
    Which window it is the service does not say: it is taken for the shortest that the wait fits in,
    and comes first: what was known of others there is known better now. What is new of it was used
    in the longer ones too. Nothing, where no quota of ours is meant, or we have used it all.
    """
    meant = [each for each in limits.running if each.per_seconds >= wait_seconds]
    if not meant:
        return []
    quota, *longer = meant
    theirs = quota.amount - _Use.of(account, quota, now_ns).amount(now_ns)
    if theirs <= _TRACE_SECONDS:
        return []
    known = sum(
        each.amount for each in account.outside if _is_of(each, quota) and each.last_ns > now_ns
    )
    first_ns, last_ns = now_ns + _ns(wait_seconds), leaves_ns(now_ns, quota)
    amount = theirs + quota.amount * _MARGIN
    found = [Outside(quota.per_seconds, amount, first_ns, max(first_ns, last_ns))]
    for each in longer if theirs > known else []:
        last_ns = leaves_ns(now_ns, each)
        found.append(Outside(each.per_seconds, theirs - known, last_ns, last_ns))
    return found


def reach_ns(limits: Limits) -> int:
    """How long ago a call may have started and still count: it counts from when it ended."""
    windows = [quota.per_seconds for quota in limits.quotas]
    return _ns(max(windows, default=0) + limits.request_seconds + 1)


@dataclass(frozen=True, slots=True)
class _Use:
    """What counts against one quota: amounts with the instants at which they leave it.

    Of what nobody settled the amount grows until then. There may be a thousand calls in a day and
    the question is asked before each: hence plain pairs, put in order only where they must be.
    """

    quota: Quota
    entries: Sequence[tuple[int, float]]
    unsettled: Sequence[Spent] = ()

    @classmethod
    def of(cls, account: Account, quota: Quota, now_ns: int) -> Self:
        """What is ours."""
        if isinstance(quota, CallQuota):
            leaves = (
                leaves_ns(call.started_ns, quota) + _ARRIVAL_GUARD_NS for call in account.spent
            )
            return cls(quota, [(at, 1.0) for at in leaves if at > now_ns])
        entries, unsettled = [], []
        for call in account.spent:
            at_ns = leaves_ns(call.last_ns, quota)
            if at_ns <= now_ns:
                continue
            if call.running_seconds is None:
                unsettled.append(call)
            else:
                entries.append((at_ns, call.running_seconds))
        return cls(quota, entries, unsettled)

    def beside(self, others: Iterable[Outside], now_ns: int) -> Self:
        """The same with what others use."""
        theirs = [(each.last_ns, each.amount) for each in others if each.last_ns > now_ns]
        return replace(self, entries=[*self.entries, *theirs]) if theirs else self

    def amount(self, at_ns: int) -> float:
        """All of it, at an instant at which all of it still counts."""
        settled = sum(amount for _, amount in self.entries)
        return settled + sum(call.seconds_by(at_ns) for call in self.unsettled)

    def start(
        self, allowed: float, said: Quota, needed: float, now_ns: int, *, early: bool = True
    ) -> Start:
        """The first instant at which what is left has room for what is needed.

        ``said`` is the quota as messages name it. ``early``: what has left when the call ends
        needn't have left when it starts. What needs more than all there is gets an empty window: to
        wait for ever helps nobody.
        """
        running = isinstance(self.quota, RunningQuota)
        room = allowed - min(needed, allowed) + _TRACE_SECONDS
        taken = max(room, allowed - _LEFT_SECONDS) if running and needed < allowed else room
        duration_ns = _ns(needed) if running else 0

        def growing(start_ns: int) -> float:
            """What nobody settled, as long as it may have run when our call ends."""
            return sum(
                call.seconds_by(start_ns + duration_ns)
                for call in self.unsettled
                if leaves_ns(call.last_ns, self.quota) > start_ns
            )

        left = sum(amount for _, amount in self.entries)
        if left + growing(now_ns) <= room:
            return Start(now_ns, None)
        much = f"{left + growing(now_ns):,.0f} of " if running else ""
        last = [(leaves_ns(call.last_ns, self.quota), 0.0) for call in self.unsettled]
        taken_ns = at_ns = now_ns
        for at_ns, amount in sorted([*self.entries, *last]):
            if left + growing(at_ns - 1) > taken:
                taken_ns = at_ns
            left -= amount
            if left + growing(at_ns) <= room:
                break
        if early and not self.quota.calendar:
            at_ns = max(taken_ns, at_ns - round(duration_ns * _AT_LEAST))
        return Start(at_ns, f"{much}{said} are used")


def _start_beside(
    others: Sequence[Outside], ours: _Use, account: Account, needed: float, now_ns: int
) -> Start:
    """The same with what others use. The one call that the service has promised goes through."""
    quota = ours.quota
    start = ours.beside(others, now_ns).start(quota.amount, quota, needed, now_ns, early=False)
    if start.reason is None:
        return start
    last_ns = max((call.started_ns for call in account.spent), default=0)
    promised = [
        max(now_ns, each.first_ns)
        for each in others
        # Where most of it is ours, others may well have taken what was free by then.
        if each.first_ns > last_ns and each.amount >= quota.amount * (0.5 + _MARGIN)
    ]
    at_ns = min([start.at_ns, *promised])
    return Start(at_ns, f"{start.reason}, some of it by others" if at_ns > now_ns else None)


def leaves_ns(at_ns: int, quota: Quota) -> int:
    """When what was spent at an instant counts no more."""
    window_ns = quota.per_seconds * NANOSECONDS_PER_SECOND
    if quota.calendar:
        return at_ns - at_ns % window_ns + window_ns
    return at_ns + window_ns


def _is_of(outside: Outside, quota: Quota) -> bool:
    return isinstance(quota, RunningQuota) and outside.per_seconds == quota.per_seconds


def _ns(seconds: float) -> int:
    return round(seconds * NANOSECONDS_PER_SECOND)

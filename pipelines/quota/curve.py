"""How much of a quota was used over time: the same arithmetic as the next start, looking back.

What belongs here: pure functions of what was spent. What does not: when the next call may start
(``starts``), or drawing.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota.limits import Quota, RunningQuota
from pipelines.quota.starts import Account, leaves_ns

# Sums of floats leave a trace of what was added and taken away again.
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Step:
    """From an instant to the next step's, so much counts: by our calls, and by others."""

    at_ns: int
    ours: float
    by_others: float

    @property
    def used(self) -> float:
        """All that counts."""
        return self.ours + self.by_others


def used_over(account: Account, quota: Quota, *, since_ns: int, until_ns: int) -> list[Step]:
    """What counted against a quota from one instant to another; the last step stands at the end.

    ``account`` must reach back to what still counted at the beginning.
    """
    ours: defaultdict[int, float] = defaultdict(float)
    others: defaultdict[int, float] = defaultdict(float)
    for at_ns, amount, is_ours in _changes(account, quota, until_ns):
        if at_ns <= until_ns:
            (ours if is_ours else others)[max(at_ns, since_ns)] += amount
    steps, our_sum, others_sum = [], 0.0, 0.0
    for at_ns in sorted({since_ns, *ours, *others, until_ns}):
        our_sum += ours[at_ns]
        others_sum += others[at_ns]
        steps.append(Step(at_ns, round(our_sum, _DIGITS), round(others_sum, _DIGITS)))
    return steps


def _changes(account: Account, quota: Quota, until_ns: int) -> Iterator[tuple[int, float, bool]]:
    """When something began or ceased to count: the instant, how much, and whether it is ours."""
    running = isinstance(quota, RunningQuota)
    for call in account.spent:
        if running:
            # One that nobody settled may have run until now, or as long as a call can.
            at_ns = min(call.last_ns, until_ns)
            amount = call.seconds_by(at_ns)
            gone_ns = leaves_ns(call.last_ns, quota)
        else:
            at_ns, amount = call.started_ns, 1.0
            gone_ns = leaves_ns(at_ns, quota)
        yield at_ns, amount, True
        yield gone_ns, -amount, True
    for each in account.outside if running else ():
        if each.per_seconds == quota.per_seconds:
            # It was found a whole window before it leaves, and used at some time before that.
            found_ns = each.last_ns - quota.per_seconds * NANOSECONDS_PER_SECOND
            yield found_ns, each.amount, False
            yield each.last_ns, -each.amount, False

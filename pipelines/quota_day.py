"""A day of a tenant's quota, as values to be drawn.

What belongs here: reading the day off the ledger. What does not: drawing it (``quota_plot``), or
the state of the quotas now (``quota_report``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.lake import LakeLayout
from pipelines.quota import Ledger, LedgerCall, Limits, RunningQuota, Start, Step, used_over
from pipelines.quota_report import HOUR_NS, Period

# The longest wait that the service has been seen to ask for is 2,871 s.
_LONGEST_REFUSAL_NS: Final = HOUR_NS
# Drawn where no quota of running time is stated.
_HOUR_WITHOUT_LIMIT: Final = RunningQuota(float("inf"), 3_600)


@dataclass(frozen=True, slots=True)
class UsedOverDay:
    """The running time that counted against one quota, all day long.

    ``limit`` is the quota and ``share`` what huntlake may use of it, in seconds; ``None`` where the
    limits state none.
    """

    unit: str
    steps: tuple[Step, ...]
    limit: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """One day: what was used over it, each call, and the stretches in which the service refused."""

    tenant: str
    period: Period
    used: tuple[UsedOverDay, ...]
    calls: tuple[LedgerCall, ...]
    refusals: tuple[Period, ...]


def quota_day(
    layout: LakeLayout, tenant: str, limits: Limits, period: Period, *, now_ns: int
) -> QuotaDay:
    """A tenant's day. Raises ``LakeUnwritable`` where the ledger can't be read."""
    ledger = Ledger.at(layout.ledger)
    until_ns = min(period.until_ns, now_ns)
    # A ledger asked as of the day's beginning tells what counted then, and all that came after.
    account = ledger.account(tenant, limits, now_ns=period.since_ns)
    if not limits.running:
        # It reaches back only as far as the limits' own windows do.
        spent = ledger.store.spent(tenant, since_ns=period.since_ns - 2 * HOUR_NS)
        account = replace(account, spent=spent)
    calls = ledger.calls(tenant, since_ns=period.since_ns - _LONGEST_REFUSAL_NS)
    return QuotaDay(
        tenant,
        period,
        tuple(
            UsedOverDay(
                unit=quota.unit,
                steps=tuple(used_over(account, quota, since_ns=period.since_ns, until_ns=until_ns)),
                limit=quota.seconds if limits.running else None,
                share=quota.part(limits.share) if limits.running and limits.share < 1 else None,
            )
            for quota in limits.running or (_HOUR_WITHOUT_LIMIT,)
        ),
        tuple(each for each in calls if each.started_ns in period),
        tuple(
            each
            for each in _refusals(calls, account.blocked)
            if each.until_ns > period.since_ns and each.since_ns < until_ns
        ),
    )


def _refusals(calls: Sequence[LedgerCall], last: Start | None) -> list[Period]:
    """When the service refused calls: from each 429 until the next call was sent.

    That is when the wait was over, or later where no work waited: how long the service asked to
    wait is known of its last refusal only, and of none is it taken to be more than an hour.
    """
    found = []
    for number, call in enumerate(calls):
        if call.outcome != "throttled" or call.ended_ns is None:
            continue
        until_ns = call.ended_ns + _LONGEST_REFUSAL_NS
        if number + 1 < len(calls):
            until_ns = min(until_ns, calls[number + 1].started_ns)
        elif last is not None and last.at_ns > call.ended_ns:
            until_ns = last.at_ns
        found.append(Period(call.ended_ns, until_ns))
    return found

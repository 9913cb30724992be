"""What ``huntlake quota`` answers: what is used and left, who spent it, and who waits.

What belongs here: reading it off the ledger, as values. What does not: words (``quota_text``), the
picture and its day (``quota_plot``, ``quota_day``), or the arithmetic of quotas (``quota``).

Nothing here calls the service or needs a sign-in: the ledger and the limits are enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.lake import LakeLayout
from pipelines.quota import (
    Forecast,
    Ledger,
    LedgerCall,
    Limits,
    Quota,
    RunningQuota,
    Start,
    Used,
    is_calling,
)

HOUR_NS: Final = 3_600 * NANOSECONDS_PER_SECOND
DAY_NS: Final = 24 * HOUR_NS


@dataclass(frozen=True, slots=True)
class Period:
    """From one instant to another, both in it (Unix time, nanoseconds)."""

    since_ns: int
    until_ns: int

    def __contains__(self, at_ns: int) -> bool:
        return self.since_ns <= at_ns <= self.until_ns


@dataclass(frozen=True, slots=True)
class QuotaState:
    """One quota now.

    ``share`` is what huntlake may use of it, ``background`` what of that schedules and backfills
    may; ``left`` is what is left to a call that a person makes, ``left_to_background`` to others.
    """

    used: Used
    share: float
    background: float

    @property
    def quota(self) -> Quota:
        """Which one."""
        return self.used.quota

    @property
    def ours(self) -> float:
        """What huntlake's own calls have used."""
        return self.used.used - self.used.by_others

    @property
    def by_others(self) -> float:
        """What is taken to be others'. The ledger keeps more for them than there is, to be sure."""
        return max(0.0, min(self.used.by_others, self.quota.amount - self.ours))

    @property
    def left(self) -> float:
        """See the class."""
        return self._left_of(self.share)

    @property
    def left_to_background(self) -> float:
        """See the class."""
        return self._left_of(self.background)

    def _left_of(self, allowed: float) -> float:
        return max(0.0, min(allowed - self.ours, self.quota.amount - self.ours - self.by_others))


@dataclass(frozen=True, slots=True)
class Spending:
    """What a hunt spent in a period: ``part`` is its part of all running time then, up to 1.

    ``failed`` counts calls without an answer, also those whose process died; ``refused`` those that
    the service throttled (429).
    """

    hunt: str
    calls: int
    running_seconds: float
    part: float
    failed: int
    refused: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class QuotaReport:
    """All of it, at one instant. ``refused`` is the service's own refusal, while it lasts."""

    tenant: str
    now_ns: int
    limits: Limits
    quotas: tuple[QuotaState, ...]
    refused: Start | None
    in_flight: LedgerCall | None
    forecast: Forecast
    period: Period
    spent: tuple[Spending, ...]
    spent_last_hour: tuple[Spending, ...]
    other_tenants: tuple[str, ...]

    @property
    def states_running_time(self) -> bool:
        """Whether the limits state any quota of running time."""
        return any(isinstance(each.quota, RunningQuota) for each in self.quotas)


def last_day(now_ns: int) -> Period:
    """The last 24 hours."""
    return Period(now_ns - DAY_NS, now_ns)


def utc_day(day: date) -> Period:
    """A day of the calendar."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start_ns = round(midnight.timestamp()) * NANOSECONDS_PER_SECOND
    return Period(start_ns, start_ns + DAY_NS)


def quota_report(
    layout: LakeLayout, tenant: str, limits: Limits, period: Period, *, now_ns: int
) -> QuotaReport:
    """The state of a tenant's quotas now, and who spent them in a period.

    Raises ``LakeUnwritable`` where the ledger can't be read.
    """
    ledger = Ledger.at(layout.ledger)
    last_hour = Period(now_ns - HOUR_NS, now_ns)
    since_ns = min(period.since_ns, last_hour.since_ns)
    calls = ledger.calls(tenant, since_ns=since_ns - 1)
    in_flight = _in_flight(calls, is_calling=is_calling(layout.locks, tenant))
    return QuotaReport(
        tenant=tenant,
        now_ns=now_ns,
        limits=limits,
        quotas=tuple(
            QuotaState(
                used,
                used.quota.part(limits.usable(reserve=True)),
                used.quota.part(limits.usable(reserve=False)),
            )
            for used in ledger.used(tenant, limits, now_ns=now_ns)
        ),
        refused=ledger.store.blocked(tenant, now_ns=now_ns),
        in_flight=in_flight,
        forecast=ledger.forecast(tenant, limits, now_ns=now_ns),
        period=period,
        spent=_spending(calls, period, in_flight, now_ns),
        spent_last_hour=_spending(calls, last_hour, in_flight, now_ns),
        other_tenants=tuple(each for each in ledger.store.tenants() if each != tenant),
    )


def _in_flight(calls: Sequence[LedgerCall], *, is_calling: bool) -> LedgerCall | None:
    """The call that somebody makes now. The others that nobody settled are of dead processes."""
    newest = calls[-1] if calls else None
    return newest if is_calling and newest is not None and newest.outcome is None else None


def _spending(
    calls: Iterable[LedgerCall], period: Period, in_flight: LedgerCall | None, now_ns: int
) -> tuple[Spending, ...]:
    """What each hunt spent, the largest first. A call counts in the period in which it started."""
    by_hunt: dict[str, list[LedgerCall]] = {}
    for call in calls:
        if call.started_ns in period:
            by_hunt.setdefault(call.hunt, []).append(call)
    seconds = {
        hunt: sum(each.spent.seconds_by(now_ns) for each in theirs)
        for hunt, theirs in by_hunt.items()
    }
    total = sum(seconds.values())
    found = [
        Spending(
            hunt=hunt,
            calls=len(theirs),
            running_seconds=seconds[hunt],
            part=seconds[hunt] / total if total else 0.0,
            failed=sum(
                each.outcome == "failed" or (each.outcome is None and each is not in_flight)
                for each in theirs
            ),
            refused=sum(each.outcome == "throttled" for each in theirs),
            last_ns=theirs[-1].started_ns,
        )
        for hunt, theirs in by_hunt.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.running_seconds, -each.calls, each.hunt)))

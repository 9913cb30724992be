"""The ledger: what was spent, who waits, and when the next call may start.

What belongs here: putting the record (``store``), the arithmetic (``starts``) and the order
together for one question. What does not: waiting, or keeping to one call in flight (``gate``).
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota import order, starts
from pipelines.quota.forecast import Forecast, Queued, forecast
from pipelines.quota.limits import Limits
from pipelines.quota.order import Turn, Urgency, Waiter
from pipelines.quota.sqlite_store import SqliteStore
from pipelines.quota.starts import Account, Start, Used
from pipelines.quota.store import LedgerCall, LedgerStore

_DEFAULT_EXPECTED_SECONDS: Final = 5.0
_HISTORY_CALLS: Final = 20
_DAY_NS: Final = 86_400 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Ledger:
    """Calls, their running time, the service's refusals and who waits, for any number of tenants.

    A call is written down before it is sent. A process that dies in mid-call leaves a reservation
    that nobody settles: it counts for as long as the call may have run by then.
    """

    store: LedgerStore

    @classmethod
    def at(cls, path: Path) -> Self:
        """The ledger in a SQLite file. Raises ``LakeUnwritable``."""
        return cls(SqliteStore(path))

    def kept_open(self) -> AbstractContextManager[None]:
        """Make steps cheaper for a while, in which the process must not fork."""
        return self.store.kept_open()

    def expected_seconds(self, tenant: str, turn: Turn) -> float:
        """What the turn says, or else the longest of the hunt's last calls, or a cautious guess."""
        if turn.expected_seconds is not None:
            return turn.expected_seconds
        longest = self.store.longest_seconds(tenant, turn.hunt, of_calls=_HISTORY_CALLS)
        return _DEFAULT_EXPECTED_SECONDS if longest is None else longest

    def next_start(self, tenant: str, limits: Limits, turn: Turn, *, now_ns: int) -> Start:
        """When a call may start, and why not sooner.

        To be asked only by who holds the tenant's one call: a reservation that isn't settled then
        belongs to a process that died.
        """
        return starts.next_start(
            self.account(tenant, limits, now_ns=now_ns),
            limits,
            expected_seconds=self.expected_seconds(tenant, turn),
            now_ns=now_ns,
            reserve=turn.urgency is Urgency.INTERACTIVE,
        )

    def room_seconds(self, tenant: str, limits: Limits, turn: Turn, *, now_ns: int) -> float:
        """For how long a call that starts now may run at most."""
        return starts.room_seconds(
            self.account(tenant, limits, now_ns=now_ns),
            limits,
            now_ns=now_ns,
            reserve=turn.urgency is Urgency.INTERACTIVE,
        )

    def first_of(self, tenant: str, waiting: Iterable[Waiter], *, now_ns: int) -> Waiter:
        """Whose turn it is."""
        served = self.store.served(tenant, since_ns=now_ns - _DAY_NS)
        return order.first_of(waiting, served, now_ns=now_ns)

    def finish_ns(
        self, tenant: str, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
    ) -> int:
        """When the last of such calls would be done; see ``ends_ns``."""
        each = self.ends_ns(tenant, limits, expected_seconds=expected_seconds, now_ns=now_ns)
        return each[-1] if each else now_ns

    def ends_ns(
        self, tenant: str, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
    ) -> list[int]:
        """When each call of these running times would be done, behind those who wait already."""
        queued = [
            each.seconds / each.calls
            for each in self._queue(tenant, now_ns=now_ns)
            for _ in range(each.calls)
        ]
        ends = starts.ends_ns(
            self.account(tenant, limits, now_ns=now_ns),
            limits,
            expected_seconds=[*queued, *expected_seconds],
            now_ns=now_ns,
        )
        return ends[len(queued) :]

    def used(self, tenant: str, limits: Limits, *, now_ns: int) -> list[Used]:
        """What is used of each quota, in the order of the profile."""
        return starts.used(self.account(tenant, limits, now_ns=now_ns), limits, now_ns=now_ns)

    def learn_refusal(  # noqa: PLR0913 - what the service said, each by name
        self,
        tenant: str,
        limits: Limits,
        *,
        of_running_time: bool,
        wait_seconds: float,
        now_ns: int,
        reason: str,
    ) -> None:
        """What a 429 teaches: until when nobody need ask, and what others must have used."""
        if of_running_time:
            found = starts.found_outside(
                self.account(tenant, limits, now_ns=now_ns),
                limits,
                wait_seconds=wait_seconds,
                now_ns=now_ns,
            )
            for number, each in enumerate(found):
                self.store.add_outside(tenant, each, instead=number == 0)
        until_ns = now_ns + round(wait_seconds * NANOSECONDS_PER_SECOND)
        self.store.block(tenant, until_ns=until_ns, reason=reason)

    def account(self, tenant: str, limits: Limits, *, now_ns: int) -> Account:
        """What may still count against the tenant's quotas."""
        since_ns = now_ns - starts.reach_ns(limits)
        return Account(
            self.store.spent(tenant, since_ns=since_ns),
            self.store.outside(tenant, now_ns=now_ns),
            self.store.blocked(tenant, now_ns=now_ns),
        )

    def calls(self, tenant: str, *, since_ns: int) -> list[LedgerCall]:
        """The calls that started after an instant, the first first."""
        return self.store.calls(tenant, since_ns=since_ns)

    def forecast(self, tenant: str, limits: Limits, *, now_ns: int) -> Forecast:
        """When each of those who wait would be called, and be done."""
        return forecast(
            self.account(tenant, limits, now_ns=now_ns),
            limits,
            self._queue(tenant, now_ns=now_ns),
            self.store.served(tenant, since_ns=now_ns - _DAY_NS),
            now_ns=now_ns,
        )

    def _queue(self, tenant: str, *, now_ns: int) -> list[Queued]:
        """Everybody who waits, with all that each has before it, as far as it knows."""
        found = []
        for waiter in self.store.waiting(tenant, now_ns=now_ns):
            calls = max(1, waiter.turn.calls_left)
            seconds = waiter.turn.seconds_left or calls * self.expected_seconds(tenant, waiter.turn)
            found.append(Queued(waiter, calls, seconds))
        return found

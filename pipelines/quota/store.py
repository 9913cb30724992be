"""What the ledger needs of a database: every call, the service's refusals, and who waits.

What belongs here: the protocol, and the call as it is read back. What does not: a database
(``sqlite_store``), what follows for the next call (``starts``), or who goes first (``order``).
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pipelines.quota.order import Served, Turn, Urgency, Waiter
from pipelines.quota.starts import Outside, Spent, Start


@dataclass(frozen=True, slots=True)
class LedgerCall:
    """One call as it was written down; what is ``None`` is not known (yet)."""

    hunt: str
    partition: str
    urgency: Urgency
    started_ns: int
    ended_ns: int | None
    running_seconds: float | None
    worst_seconds: float
    outcome: str | None

    @property
    def spent(self) -> Spent:
        """What counts of it against quotas."""
        return Spent(self.started_ns, self.ended_ns, self.running_seconds, self.worst_seconds)


class LedgerStore(Protocol):
    """What a database must do for the ledger. Every step is atomic, and seen by every process."""

    def kept_open(self) -> AbstractContextManager[None]:
        """Make steps cheaper for a while, in which the process must not fork."""
        ...

    def reserve(self, tenant: str, turn: Turn, *, started_ns: int, worst_seconds: float) -> int:
        """Write a call down before it is sent, durably; returns its id."""
        ...

    def settle(self, call_id: int, *, ended_ns: int, running_seconds: float, outcome: str) -> None:
        """Replace a reservation by what the call really took."""
        ...

    def correct(self, call_id: int, *, running_seconds: float) -> None:
        """The running time that the service itself reports for a settled call."""
        ...

    def calls(self, tenant: str, *, since_ns: int) -> list[LedgerCall]:
        """The calls that started after an instant, the first first."""
        ...

    def spent(self, tenant: str, *, since_ns: int) -> list[Spent]:
        """What the calls that started after an instant count against quotas, the first first."""
        ...

    def tenants(self) -> list[str]:
        """Everybody who was ever called, in alphabetical order."""
        ...

    def longest_seconds(self, tenant: str, hunt: str, *, of_calls: int) -> float | None:
        """The longest running time of a hunt's last so many answered calls."""
        ...

    def served(self, tenant: str, *, since_ns: int) -> Mapping[str, Served]:
        """What each hunt has had since an instant."""
        ...

    def block(self, tenant: str, *, until_ns: int, reason: str) -> None:
        """Remember that the service refuses calls until then; the later of two refusals wins."""
        ...

    def blocked(self, tenant: str, *, now_ns: int) -> Start | None:
        """The service's refusal, while it lasts."""
        ...

    def add_outside(self, tenant: str, found: Outside, *, instead: bool) -> None:
        """Remember what others have used; ``instead`` of all that was known of it."""
        ...

    def outside(self, tenant: str, *, now_ns: int) -> list[Outside]:
        """What others were found to have used that still counts."""
        ...

    def wait(self, tenant: str, turn: Turn, *, now_ns: int) -> Waiter:
        """Write down that somebody waits."""
        ...

    def still_waits(self, waiter: Waiter, *, now_ns: int) -> None:
        """A sign of life of somebody who waits."""
        ...

    def leave(self, waiter: Waiter) -> None:
        """Nobody waits there any more."""
        ...

    def waiting(self, tenant: str, *, now_ns: int) -> list[Waiter]:
        """Everybody who waits and is alive, those who came first first."""
        ...

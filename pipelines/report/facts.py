"""What the page says, as values.

What belongs here: the values. What does not: where they come from (``gathering``, ``calendar``), or
how they look (``page``, ``pictures``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class State(StrEnum):
    """A day of a hunt."""

    SETTLED = "settled"
    PROVISIONAL = "provisional"
    PARTLY = "partly there"
    MISSING = "missing"
    GONE = "gone"
    """Never landed, and older than the service's data."""
    NONE = "not due"

    @property
    def lacks(self) -> bool:
        """Whether rows are not there that should be, or should have been."""
        return self in {State.PARTLY, State.MISSING, State.GONE}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a hunt: how many of its due partitions landed, with how many rows."""

    day: date
    state: State
    landed: int
    due: int
    rows: int


@dataclass(frozen=True, slots=True)
class HuntDays:
    """A hunt's row of the calendar.

    ``can_be_had`` are the days that an export would still fill, the last of them up to
    ``had_until``; ``None`` for a snapshot, which is taken now.
    """

    tenant: str
    hunt: str
    title: str
    days: tuple[Day, ...]
    can_be_had: tuple[date, ...] = ()
    had_until: datetime | None = None

    def count(self, *states: State) -> int:
        """How many days are in one of the states."""
        return sum(each.state in states for each in self.days)


@dataclass(frozen=True, slots=True)
class DayOfHunt:
    """What one day of a hunt came to, over all its partitions: an amount in some unit."""

    day: date
    hunt: str
    amount: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a tenant's calls took of its quota in running time, day by day.

    ``limit_seconds`` is what it may use a day; ``None`` where no limit is stated or known.
    """

    tenant: str
    days: tuple[DayOfHunt, ...]
    limit_seconds: float | None


@dataclass(frozen=True, slots=True)
class HuntCost:
    """What a hunt took over the report's days: exports and recounts, in all tenants."""

    hunt: str
    calls: int
    running_seconds: float
    wait_seconds: float
    wasted_calls: int
    rows: int
    failed: int


@dataclass(frozen=True, slots=True)
class LateHunt:
    """What came late of a hunt, and what may still come."""

    tenant: str
    hunt: str
    late_rows: int
    provisional: int
    last_counted: datetime | None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A column that only some of a hunt's partitions have: those from ``first`` to ``last``."""

    tenant: str
    hunt: str
    column: str
    first: str
    last: str
    is_new: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """The newest failure of a partition that did not land after it."""

    tenant: str
    hunt: str
    partition: str
    ended_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page says. ``notes`` are parts that could not be told, and why."""

    now: datetime
    first_day: date
    lake: str
    hunts: tuple[HuntDays, ...]
    rows: tuple[DayOfHunt, ...]
    stored: tuple[DayOfHunt, ...]
    spent: tuple[Spent, ...]
    costs: tuple[HuntCost, ...]
    late: tuple[LateHunt, ...]
    late_by_day: Mapping[int, int]
    """How many rows came late, by how many days after their partition's end they were counted."""
    changes: tuple[SchemaChange, ...]
    failures: tuple[Failure, ...]
    partitions: int
    total_rows: int
    total_bytes: int
    kept_aside: int
    notes: tuple[str, ...] = field(default=())

    @property
    def shown_from(self) -> date:
        """The first day of which there is anything to show."""
        days = (each.day for hunt in self.hunts for each in hunt.days if each.state != State.NONE)
        return min(days, default=self.first_day)

    @property
    def tenants(self) -> tuple[str, ...]:
        """Those that the report is of."""
        return tuple(sorted({each.tenant for each in self.hunts}))

    @property
    def missing_days(self) -> int:
        """Days of hunts that an export would still fill."""
        return sum(len(each.can_be_had) for each in self.hunts)

    @property
    def gone_days(self) -> int:
        """Days of hunts that nobody can have any more."""
        return sum(each.count(State.GONE) for each in self.hunts)

    @property
    def provisional_days(self) -> int:
        """Days of hunts of which late rows may still come."""
        return sum(each.count(State.PROVISIONAL) for each in self.hunts)

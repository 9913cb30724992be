"""Each hunt's days: what landed, against what should have.

What belongs here: the rule of a day's state. What does not: reading the lake (``gathering``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pipelines.report.expected import Expected
from pipelines.report.facts import Day, HuntDays, State


@dataclass(frozen=True, slots=True)
class Landed:
    """What landed of a hunt's day: partitions, those of them that are provisional, and rows."""

    partitions: int
    provisional: int
    rows: int


_NOTHING = Landed(0, 0, 0)


def hunt_days(
    expected: Expected,
    landed: Mapping[date, Landed],
    *,
    first_day: date,
    now: datetime,
    data_age_days: int,
) -> HuntDays:
    """The days from ``first_day`` to today. The service's data reaches back ``data_age_days``.

    Before a hunt's start, or before its first partition where that isn't set, nothing is missing.
    """
    horizon = now - timedelta(days=data_age_days)
    is_snapshot = expected.partitions == "snapshot"
    oldest = now.date() if is_snapshot else horizon.date() + timedelta(days=1)
    start = expected.start or min([*landed, oldest])
    days = []
    can_be_had = []
    for number in range((now.date() - first_day).days + 1):
        day = first_day + timedelta(days=number)
        found = landed.get(day, _NOTHING)
        due = expected.due(day, now) if day >= start else 0
        is_gone = _is_gone(expected, day, horizon, now)
        days.append(
            Day(day, _state(found, due, is_gone=is_gone), found.partitions, due, found.rows)
        )
        if found.partitions < due and not is_gone:
            can_be_had.append(day)
    until = expected.until(can_be_had[-1], now) if can_be_had and not is_snapshot else None
    return HuntDays(
        expected.tenant, expected.hunt, expected.title, tuple(days), tuple(can_be_had), until
    )


def _is_gone(expected: Expected, day: date, horizon: datetime, now: datetime) -> bool:
    """Whether the service has the day's beginning no more; of a snapshot, whether it is past."""
    if expected.partitions == "snapshot":
        return day < now.date()
    return datetime(day.year, day.month, day.day, tzinfo=UTC) < horizon


def _state(found: Landed, due: int, *, is_gone: bool) -> State:
    if found.partitions >= due:
        if not found.partitions:
            return State.NONE
        return State.PROVISIONAL if found.provisional else State.SETTLED
    if found.partitions:
        return State.PARTLY
    return State.GONE if is_gone else State.MISSING

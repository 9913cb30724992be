"""A day of a hunt: what landed, against what should have."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.report.calendar import Landed, hunt_days
from pipelines.report.expected import Expected
from pipelines.report.facts import HuntDays, State

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
TODAY = NOW.date()


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


def days_of(
    landed: dict[date, Landed], *, kind: str = "daily", start: int | None = 50, shown: int = 60
) -> HuntDays:
    partitions: Any = kind
    expected = Expected("t", "h", "", partitions, None if start is None else day(start))
    return hunt_days(expected, landed, first_day=day(shown - 1), now=NOW, data_age_days=30)


def states(found: HuntDays) -> dict[int, State]:
    return {(TODAY - each.day).days: each.state for each in found.days}


@pytest.mark.parametrize(
    ("kind", "back", "landed", "state"),
    [
        ("daily", 1, Landed(1, 0, 7), State.SETTLED),
        ("daily", 1, Landed(1, 1, 7), State.PROVISIONAL),
        ("daily", 1, None, State.MISSING),
        # Not over, and so not due.
        ("daily", 0, None, State.NONE),
        ("daily", 29, None, State.MISSING),
        # Its first twelve hours are gone, and a day is had as a whole.
        ("daily", 30, None, State.GONE),
        ("daily", 40, Landed(1, 0, 0), State.SETTLED),
        ("daily", 50, None, State.GONE),
        # Before it was wanted.
        ("daily", 51, None, State.NONE),
        ("daily", 51, Landed(1, 0, 7), State.SETTLED),
        ("hourly", 1, Landed(24, 0, 7), State.SETTLED),
        ("hourly", 1, Landed(23, 0, 7), State.PARTLY),
        # Ten hours are due, of which each is late enough by two.
        ("hourly", 0, Landed(10, 10, 7), State.PROVISIONAL),
        ("hourly", 0, Landed(9, 9, 7), State.PARTLY),
        ("snapshot", 0, Landed(1, 0, 7), State.SETTLED),
        ("snapshot", 0, None, State.MISSING),
        # Nobody can take yesterday's.
        ("snapshot", 1, None, State.GONE),
    ],
)
def test_the_state_of_a_day(kind: str, back: int, landed: Landed | None, state: State) -> None:
    """At noon, with data of the last thirty days."""
    found = days_of({day(back): landed} if landed else {}, kind=kind)
    assert states(found)[back] is state


def test_without_a_start_nothing_is_missing_before_what_landed_first() -> None:
    """Nor, where nothing did, before what the service has whole."""
    assert states(days_of({}, start=None))[29] is State.MISSING
    assert states(days_of({}, start=None))[30] is State.NONE
    found = states(days_of({day(40): Landed(1, 0, 1)}, start=None))
    assert [found[back] for back in (41, 40, 39)] == [State.NONE, State.SETTLED, State.GONE]


def test_what_can_be_had_ends_with_the_last_partition_that_is_due() -> None:
    """An hour for hunts of hours; a snapshot is taken now."""
    assert days_of({}, kind="hourly").had_until == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert days_of({}).had_until == datetime(2026, 11, 30, tzinfo=UTC)
    snapshot = days_of({}, kind="snapshot")
    assert snapshot.can_be_had == (TODAY,)
    assert snapshot.had_until is None


LANDED = st.dictionaries(
    st.integers(0, 59).map(day),
    st.builds(Landed, st.integers(1, 24), st.integers(0, 24), st.integers(0, 9)),
)


@given(LANDED, st.sampled_from(["hourly", "daily", "snapshot"]), st.none() | st.integers(0, 70))
def test_every_day_has_a_state_and_what_can_be_had_is_lacking(
    landed: dict[date, Landed], kind: str, start: int | None
) -> None:
    """Each day once, in order; what landed is never called missing or gone."""
    found = days_of(landed, kind=kind, start=start)
    assert [each.day for each in found.days] == [day(back) for back in range(59, -1, -1)]
    for each in found.days:
        assert each.landed == (landed[each.day].partitions if each.day in landed else 0)
        assert each.state.lacks == (each.landed < each.due)
        if each.day in landed:
            assert each.state not in {State.MISSING, State.GONE, State.NONE}
    lacking = {each.day for each in found.days if each.state.lacks}
    assert set(found.can_be_had) <= lacking
    assert {each.day for each in found.days if each.state is State.MISSING} <= set(found.can_be_had)

"""When a partition is settled: by its receipt, its recounts and nothing else."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.landing import Receipt
from pipelines.late.freshness import Freshness, freshness, is_due
from pipelines.late.record import Recount
from pipelines.windows import NANOSECONDS_PER_TICK, Window
from tests.landing.samples import a_receipt, a_record, hours

HOUR = 3_600 * NANOSECONDS_PER_SECOND
DAY = 24 * HOUR
PULLED = hours(0, 24).end * NANOSECONDS_PER_TICK + 6 * HOUR
SETTLING = timedelta(days=3)


def receipt(pulled_ns: int = PULLED, verdict: str = "row-wise") -> Receipt:
    records = (
        a_record(hours(0, 12), 5, pulled_ns=pulled_ns - HOUR),
        a_record(hours(12, 24), 5, pulled_ns=pulled_ns),
    )
    values = {"rows": 10, "verdict": verdict}
    return Receipt(**{**_fields(a_receipt([])), **values, "slices": records})


def _fields(values: Receipt) -> dict[str, object]:
    return {name: getattr(values, name) for name in Receipt.__slots__}


def recount(at_ns: int, grown: int = 0, late: int = 0) -> Recount:
    window: Window = hours(0, 24)
    return Recount("t", "h", "p", window, at_ns, 10, 10, bins_grown=grown, late_rows=late)


def known(
    *recounts: Recount, now_ns: int = PULLED + 20 * DAY, verdict: str = "row-wise"
) -> Freshness:
    return freshness(
        receipt(verdict=verdict), recounts, settling=SETTLING, now_ns=now_ns, data_age_days=30
    )


def test_a_pull_alone_settles_nothing() -> None:
    """However long ago: nobody has looked again."""
    assert known().state == "provisional"
    assert known().last_counted_ns == PULLED


def test_two_counts_that_agree_settle_it_if_they_are_far_enough_apart() -> None:
    """The pull is the first of the two."""
    assert not known(recount(PULLED + 3 * DAY - 1)).settled
    assert known(recount(PULLED + 3 * DAY)).settled


def test_growth_begins_the_wait_anew() -> None:
    """Whether it was mended or not."""
    grown = recount(PULLED + 2 * DAY, grown=1, late=4)
    found = known(grown, recount(PULLED + 4 * DAY))
    assert (found.settled, found.late_rows, found.recounts) == (False, 4, 2)
    assert found.unchanged_since_ns == PULLED + 2 * DAY
    assert known(grown, recount(PULLED + 5 * DAY)).settled


def test_growth_after_it_was_settled_unsettles_it() -> None:
    """What a person asked for found it."""
    assert not known(recount(PULLED + 3 * DAY), recount(PULLED + 9 * DAY, grown=1)).settled


def test_past_the_horizon_nothing_more_can_come() -> None:
    """So that it is settled, and that is said."""
    found = known(now_ns=PULLED + 31 * DAY)
    assert (found.settled, found.past_horizon) == (True, True)
    assert known(verdict="snapshot").settled


@given(st.lists(st.tuples(st.integers(0, 15 * 24), st.integers(0, 2)), max_size=6))
def test_the_order_of_recounts_does_not_matter(
    counts: list[tuple[int, int]],
) -> None:
    """A settled partition has a quiet settling time behind it, and a count at its end."""
    recounts = [recount(PULLED + hour * HOUR, grown) for hour, grown in counts]
    found = known(*recounts)
    assert found == known(*reversed(recounts))
    quiet_since = max([PULLED, *(each.counted_ns for each in recounts if each.bins_grown)])
    latest = max([PULLED, *(each.counted_ns for each in recounts)])
    assert found.settled == (latest - quiet_since >= 3 * DAY)


def test_a_count_is_due_each_night_and_not_twice() -> None:
    """An aggregate is left alone until pulling it again can settle it."""
    for hours_later, by_counting, by_pulling in (
        (1, False, False),
        (24, True, False),
        (72, True, True),
    ):
        now_ns = PULLED + hours_later * HOUR
        found = known(now_ns=now_ns)
        for pulling, expected in ((False, by_counting), (True, by_pulling)):
            due = is_due(found, settling=SETTLING, now_ns=now_ns, by_pulling=pulling)
            assert due is expected
    settled = known(recount(PULLED + 3 * DAY))
    assert not is_due(settled, settling=SETTLING, now_ns=PULLED + 9 * DAY, by_pulling=False)


def test_a_short_settling_time_is_counted_within_it() -> None:
    """Half of it is the least between two counts."""
    short, found = timedelta(hours=4), known(now_ns=PULLED + 2 * HOUR)
    assert not is_due(found, settling=short, now_ns=PULLED + 2 * HOUR - 1, by_pulling=False)
    assert is_due(found, settling=short, now_ns=PULLED + 2 * HOUR, by_pulling=False)

"""When those who wait would be called, and be done."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.quota import Account, Forecast, Limits, Queued, Spent, Start, Turn, Urgency, Waiter
from pipelines.quota.forecast import forecast
from pipelines.quota.limits import CallQuota, RunningQuota
from pipelines.quota.order import Served
from pipelines.quota.starts import finish_ns

S = 1_000_000_000
NOW = 1_000_000 * S
LIMITS = Limits(1, None, 600, 30, (CallQuota(3, 60),), (RunningQuota(100, 3_600),))


def queued(number: int, hunt: str, urgency: Urgency, calls: int, seconds: float) -> Queued:
    return Queued(Waiter(number, Turn(hunt, urgency=urgency), NOW - S), calls, seconds)


def play(*queue: Queued, account: Account | None = None, limits: Limits = LIMITS) -> Forecast:
    return forecast(account or Account([]), limits, queue, {}, now_ns=NOW)


@given(st.integers(1, 40), st.floats(0.1, 90), st.lists(st.integers(0, 3_000), max_size=5))
def test_one_who_waits_alone_is_done_when_the_ledger_says(
    calls: int, seconds: float, ago: list[int]
) -> None:
    """The arithmetic of the queue is that of the next start, call by call."""
    account = Account([Spent(NOW - at * S, NOW - at * S + S, 1.0, 600) for at in sorted(ago)[::-1]])
    [found] = play(queued(1, "h", Urgency.BACKFILL, calls, calls * seconds), account=account).queue
    each = calls * seconds / calls
    assert found.done_ns == finish_ns(account, LIMITS, expected_seconds=[each] * calls, now_ns=NOW)


def test_the_urgent_goes_first_and_is_done_first() -> None:
    """What falls off the horizon before what a backfill pulls, whoever came first."""
    backfill = queued(1, "a", Urgency.BACKFILL, 2, 20)
    expiring = queued(2, "b", Urgency.EXPIRING, 2, 20)
    first, second = play(backfill, expiring).queue
    assert (first.waiter, second.waiter) == (expiring.waiter, backfill.waiter)
    assert first.start_ns == NOW
    assert first.done_ns is not None
    assert first.done_ns == second.start_ns == NOW + 20 * S


def test_a_small_hunt_is_done_before_a_large_one_is_half_done() -> None:
    """Among equals they take turns, so that one call does not wait for a hundred."""
    large = queued(1, "large", Urgency.BACKFILL, 20, 200)
    small = queued(2, "small", Urgency.BACKFILL, 1, 10)
    found = {each.waiter.turn.hunt: each for each in play(large, small).queue}
    assert found["small"].done_ns == NOW + 20 * S


def test_a_refusal_by_the_service_is_waited_for() -> None:
    """Nothing starts before it is over."""
    account = Account([], (), Start(NOW + 500 * S, "429"))
    [found] = play(queued(1, "h", Urgency.NIGHTLY, 1, 5), account=account).queue
    assert found.start_ns == NOW + 500 * S


def test_people_may_use_what_is_kept_for_them() -> None:
    """A call by hand starts in the reserve, where a backfill waits."""
    limits = Limits(1, None, 600, 30, (), (RunningQuota(100, 3_600),), reserve=0.5)
    account = Account([Spent(NOW - 60 * S, NOW - 10 * S, 50.0, 600)])
    by_hand = queued(1, "a", Urgency.INTERACTIVE, 1, 10)
    backfill = queued(2, "b", Urgency.BACKFILL, 1, 10)
    one, other = play(by_hand, backfill, account=account, limits=limits).queue
    assert one.start_ns == NOW
    assert other.start_ns is not None
    assert other.start_ns > NOW + 3_000 * S


def test_it_says_no_more_than_it_played_through() -> None:
    """A queue of thousands has no date; what is done within reach has one."""
    large = queued(1, "large", Urgency.BACKFILL, 5_000, 5_000)
    small = queued(2, "small", Urgency.EXPIRING, 1, 1)
    found = play(large, small)
    assert [each.done_ns is None for each in found.queue] == [False, True]
    assert found.until_ns > NOW


def test_what_a_hunt_had_of_the_day_counts() -> None:
    """Among equals, who had least goes first."""
    one, other = (queued(n, hunt, Urgency.NIGHTLY, 1, 5) for n, hunt in ((1, "a"), (2, "b")))
    had = {"a": Served(50.0, NOW - 60 * S)}
    found = forecast(Account([]), LIMITS, [one, other], had, now_ns=NOW)
    assert [each.waiter.turn.hunt for each in found.queue] == ["b", "a"]


def test_nobody_waits() -> None:
    """Then there is nothing to say."""
    assert play() == Forecast((), NOW)


def test_equals_take_turns_by_running_time_not_by_calls() -> None:
    """Who had little of it goes again, before one whose single call took long."""
    long = queued(1, "long", Urgency.BACKFILL, 2, 60)
    short = queued(2, "short", Urgency.BACKFILL, 2, 10)
    found = {each.waiter.turn.hunt: each for each in play(long, short).queue}
    assert found["short"].done_ns == NOW + 40 * S

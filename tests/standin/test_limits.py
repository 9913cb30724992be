"""The stand-in's quotas, by themselves: what it counts, and the wait that it promises."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.standin.limits import QuotaBook, RunningTimeModel, StandinLimits

SECOND = 1_000_000_000
NOON = 1_763_640_000 * SECOND


def book(
    calls: tuple[tuple[int, float], ...] = (), running: tuple[tuple[float, float], ...] = ()
) -> QuotaBook:
    return QuotaBook(StandinLimits(calls=calls, running=running))


def test_of_two_quotas_used_up_the_longer_wait_is_told() -> None:
    """A client that waits as it is told is not turned down again by the other."""
    quota = book(calls=((1, 60.0),), running=((1.0, 3_600.0), (1.0, 86_400.0)))
    quota.take(NOON)
    quota.spend(NOON, 2.0)
    refusal = quota.refusal(NOON + 10 * SECOND)
    assert refusal is not None
    assert refusal.of_running_time
    assert refusal.wait_seconds == 86_390


def test_a_call_leaves_the_window_exactly_at_its_end() -> None:
    """A nanosecond earlier it still counts."""
    quota = book(calls=((1, 60.0),))
    quota.take(NOON)
    assert quota.refusal(NOON + 60 * SECOND - 1) is not None
    assert quota.refusal(NOON + 60 * SECOND) is None


def test_a_quota_is_used_up_at_its_amount_not_above_it() -> None:
    """Ten minutes of running time an hour are not ten minutes and one more call."""
    quota = book(running=((600.0, 3_600.0),))
    quota.spend(NOON, 599.999_999_999)
    assert quota.refusal(NOON) is None
    quota.spend(NOON, 0.000_000_001)
    assert quota.refusal(NOON) is not None


@given(
    ran=st.lists(
        st.tuples(st.integers(0, 600 * SECOND), st.floats(0, 40)), min_size=1, max_size=40
    ),
    amount=st.floats(0.1, 300),
    window=st.sampled_from([60.0, 900.0, 3_600.0]),
)
def test_the_wait_for_running_time_is_exact(
    ran: list[tuple[int, float]], amount: float, window: float
) -> None:
    """A call is refused until the promised instant, and taken at it, whatever ran before."""
    quota = book(running=((amount, window),))
    now = NOON
    for pause, seconds in ran:
        now += pause
        quota.spend(now, seconds)
    refusal = quota.refusal(now)
    if refusal is None:
        return
    free = now + round(refusal.wait_seconds * SECOND)
    assert quota.refusal(free - SECOND // 1_000) is not None
    assert quota.refusal(free + SECOND // 1_000_000) is None


@given(
    pauses=st.lists(st.integers(0, 30 * SECOND), min_size=1, max_size=60),
    amount=st.integers(1, 20),
)
def test_no_window_ever_holds_more_calls_than_it_may(pauses: list[int], amount: int) -> None:
    """Taken where the book allows it, calls never crowd a minute; and a wait is never wasted."""
    quota = book(calls=((amount, 60.0),))
    now, taken = NOON, []
    for pause in pauses:
        now += pause
        refusal = quota.refusal(now)
        inside = sum(1 for at in taken if at > now - 60 * SECOND)
        assert (refusal is not None) == (inside >= amount)
        if refusal is None:
            quota.take(now)
            taken.append(now)


def test_a_page_of_a_far_too_large_window_costs_running_time() -> None:
    """What a ``top`` chooses from counts, so that small pages of a month aren't free."""
    model = RunningTimeModel()
    plain = model.seconds(100_000, 24.0)
    assert model.seconds(100_000, 24.0, 110_000) < 1.2 * plain
    assert model.seconds(100_000, 24.0, 20_000_000) > 10 * plain

"""Shares, reserves, calendars and what others use: what counts, and until when."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clock import NANOSECONDS_PER_SECOND as S
from pipelines.quota import CallQuota, Limits, RunningQuota, parse_limits, starts
from pipelines.quota.starts import (
    Account,
    Spent,
    Start,
    found_outside,
    next_start,
    room_seconds,
    used,
)

HOUR = 3_600 * S
LIMITS = parse_limits("seed,calls_per_minute=60,running_per_day=100000")


def spent(at: float, seconds: float) -> Spent:
    return Spent(int(at * S), int((at + seconds) * S), seconds, 600.0)


def start(account: Account, now: float, expected: float, limits: Limits = LIMITS, **options):
    return next_start(
        account,
        limits,
        expected_seconds=expected,
        now_ns=int(now * S),
        **{"reserve": False, **options},
    )


def test_a_share_leaves_the_rest_to_others() -> None:
    """Of 600 s an hour four fifths are ours."""
    limits = parse_limits("seed,running_per_day=100000,share=0.8")
    account = Account([spent(0, 470)])
    assert start(account, 500, 10, limits).reason is None
    late = start(account, 500, 11, limits)
    assert late.at_ns == 470 * S + HOUR - 5_500_000_000
    assert late.reason == "470 of 480 s of running time an hour are used"


def test_the_reserve_is_for_people() -> None:
    """A schedule stops where a person's own call still goes through."""
    limits = parse_limits("seed,running_per_day=100000,reserve=0.1")
    account = Account([spent(0, 540)])
    assert start(account, 600, 5, limits).reason is not None
    assert start(account, 600, 5, limits, reserve=True).reason is None


def test_a_calendar_s_hour_starts_anew() -> None:
    """What was used in the last minute of an hour is free in the next."""
    limits = parse_limits("seed,running_per_day=100000,windows=calendar")
    account = Account([spent(3_000, 599)])
    assert start(account, 3_599, 5, limits).at_ns == HOUR
    assert start(account, 3_600, 5, limits).reason is None
    assert start(account, 3_600, 5).at_ns == 3_599 * S + HOUR - 2_500_000_000


def test_a_call_that_nobody_settled_counts_for_as_long_as_it_may_have_run() -> None:
    """It grows until the limit of one call; another may start where both fit by its end."""
    account = Account([Spent(0, None, None, 600.0)])
    assert start(account, 10, 295).reason is None
    assert start(account, 10, 296).at_ns == 600 * S + HOUR
    assert start(account, 601, 1).at_ns == 600 * S + HOUR
    assert start(account, 4_200, 600).reason is None


def test_a_refusal_tells_what_others_have_used() -> None:
    """The rest of the quota, for a whole window; but one call goes through when it said so."""
    account = Account([spent(0, 200)])
    found, by_day = found_outside(account, LIMITS, wait_seconds=1_200, now_ns=1_000 * S)
    # And a quarter of the quota more, since they won't use the same in each hour.
    assert found.amount == pytest.approx(400 + 150)
    assert (found.first_ns, found.last_ns) == (2_200 * S, 1_000 * S + HOUR)
    assert (by_day.per_seconds, by_day.amount) == (86_400, pytest.approx(400))
    known = Account([spent(0, 200)], [found, by_day])
    assert start(known, 2_000, 60).at_ns == 2_200 * S
    assert start(known, 2_200, 60).reason is None
    # Once it was made, only what leaves of our own is free, until theirs has left too.
    then = Account([*known.spent, spent(2_200, 60)], known.outside)
    assert start(then, 2_300, 60).at_ns == 1_000 * S + HOUR
    assert "by others" in (start(then, 2_300, 60).reason or "")
    assert start(then, 1_000 + 3_600, 500).reason is None
    [_, by_hour, _] = used(known, LIMITS, now_ns=1_000 * S)
    assert by_hour.used == pytest.approx(750)
    assert by_hour.by_others == pytest.approx(550)


def test_where_most_was_ours_no_call_is_tried_on_a_promise() -> None:
    """Others may well have taken what was free by then: each window teaches us once."""
    account = Account([spent(0, 400)])
    [found, by_day] = found_outside(account, LIMITS, wait_seconds=1_200, now_ns=1_000 * S)
    known = Account([spent(0, 400)], [found, by_day])
    assert start(known, 2_000, 60).at_ns == 400 * S + HOUR


def test_a_quota_that_we_have_used_ourselves_teaches_nothing() -> None:
    """Nor does one that the profile doesn't have."""
    account = Account([spent(0, 600)])

    def found(limits: Limits, wait_seconds: float = 60):
        return found_outside(account, limits, wait_seconds=wait_seconds, now_ns=700 * S)

    assert found(LIMITS) == []
    assert found(parse_limits("graph")) == []
    assert found(LIMITS, 90_000) == []


calls = st.lists(
    st.tuples(st.floats(0, 2_000), st.floats(0, 120), st.floats(0.51, 1.0)), min_size=1, max_size=25
)


@settings(max_examples=60)
@given(calls, st.sampled_from([0.3, 0.8, 1.0]), st.booleans())
def test_calls_that_start_when_told_overrun_no_share(
    made: list[tuple[float, float, float]], share: float, calendar: bool
) -> None:
    """Whatever calls take, if they take no more than was expected of them."""
    limits = Limits(
        rows=9,
        response_bytes=None,
        request_seconds=600,
        data_age_days=30,
        calls=(CallQuota(5, 60, calendar),),
        running=(RunningQuota(400, 3_600, calendar), RunningQuota(2_000, 86_400, calendar)),
        share=share,
    )
    now, done = 0, []
    for idle, expected, part in made:
        expected = min(expected, 400 * share)  # noqa: PLW2901 - no longer call fits any window
        now = start(Account(done), now / S + idle, expected, limits).at_ns
        seconds = expected * part
        done.append(Spent(now, now + round(seconds * S), seconds, 600.0))
        now = done[-1].ended_ns or now
    for quota in limits.quotas:
        window = quota.per_seconds * S
        for call in done:
            at = call.started_ns if isinstance(quota, CallQuota) else call.ended_ns or 0
            first = at - at % window if calendar else at - window + 1
            inside = [
                1.0 if isinstance(quota, CallQuota) else each.running_seconds or 0.0
                for each in done
                if first
                <= (each.started_ns if isinstance(quota, CallQuota) else each.ended_ns or 0)
                <= at
            ]
            assert sum(inside) <= quota.part(share) + 1e-3


def test_a_call_may_start_before_what_it_needs_has_left() -> None:
    """It counts when it ends; but while a quota is used up to the last second none is taken."""
    account = Account([spent(0, 50), spent(100, 500)])
    found = start(account, 700, 60)
    assert found.at_ns == 50 * S + HOUR - 30 * S
    full = Account([spent(0, 50), spent(100, 550)])
    assert start(full, 700, 50).at_ns == 50 * S + HOUR


def test_what_is_left_of_a_quota_is_told() -> None:
    """For a call that can be made smaller; with a little left the service takes the next, too."""

    def room(account: Account, limits: Limits = LIMITS) -> float:
        return room_seconds(account, limits, now_ns=1_000 * S, reserve=False)

    assert room(Account([spent(0, 580)])) == pytest.approx(19.5)
    assert room(Account([spent(0, 600)])) == 0
    # Of a call that nobody settled the worst is still to come.
    assert room(Account([spent(0, 100), Spent(900 * S, None, None, 600.0)])) == 0
    assert room(Account([]), parse_limits("graph")) == float("inf")
    assert room(Account([], blocked=Start(2_000 * S, "429"))) == 0


def test_a_second_refusal_knows_better_what_others_use() -> None:
    """It takes the place of what was known, also where that had accounted for all."""
    account = Account([spent(0, 200)])
    first, by_day = found_outside(account, LIMITS, wait_seconds=9, now_ns=1_000 * S)
    again = found_outside(
        Account([spent(0, 200)], [first, by_day]),
        LIMITS,
        wait_seconds=9,
        now_ns=2_000 * S,
    )
    assert [each.amount for each in again] == [first.amount]
    assert again[0].last_ns == 2_000 * S + HOUR


@pytest.mark.parametrize("profile", ["seed", "mde", "graph", "seed,share=0.5,running_per_day=900"])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 8.0])
def test_many_calls_are_foreseen_as_one_by_one(
    profile: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand would else take minutes; they come out within a hundredth of the time."""
    limits = parse_limits(profile)
    account = Account([spent(at, 20) for at in range(0, 3_000, 500)])
    monkeypatch.setattr(starts, "_PLAYED", 50)
    many = {"expected_seconds": [seconds] * 300, "now_ns": 4_000 * S}
    roughly = starts.ends_ns(account, limits, **many)
    monkeypatch.setattr(starts, "_PLAYED", 300)
    exactly = starts.ends_ns(account, limits, **many)
    assert roughly[:50] == exactly[:50]
    for rough, exact in zip(roughly, exactly, strict=True):
        assert abs(rough - exact) <= 0.01 * (exact - 4_000 * S) + 2 * S

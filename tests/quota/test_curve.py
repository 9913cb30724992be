"""What was used of a quota over time."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.quota import Account, CallQuota, Limits, RunningQuota, Spent, used_over
from pipelines.quota.starts import Outside, used

S = 1_000_000_000
HOUR = 3_600 * S
NOW = 30 * HOUR

calls = st.lists(
    st.tuples(st.integers(0, 29 * 3_600), st.integers(0, 600)).map(
        lambda each: Spent(each[0] * S, (each[0] + each[1]) * S, float(each[1]), 600)
    ),
    max_size=30,
)
quotas = st.sampled_from(
    [
        RunningQuota(600, 3_600),
        RunningQuota(9_000, 86_400),
        RunningQuota(600, 3_600, calendar=True),
    ]
)


@given(calls, quotas, st.integers(0, 20))
def test_every_step_is_what_the_ledger_would_have_said_then(
    spent: list[Spent], quota: RunningQuota, since_hours: int
) -> None:
    """The curve and the next start count the same, at every instant of the day."""
    limits = Limits(1, None, 600, 30, (), (quota,))
    steps = used_over(Account(spent), quota, since_ns=since_hours * HOUR, until_ns=NOW)
    assert steps[0].at_ns == since_hours * HOUR
    assert steps[-1].at_ns == NOW
    for step in steps:
        by_then = [each for each in spent if each.last_ns <= step.at_ns]
        [then] = used(Account(by_then), limits, now_ns=step.at_ns)
        assert abs(step.ours - then.used) < 1e-3
        assert step.by_others == 0


def test_what_others_used_counts_from_when_it_was_found() -> None:
    """On top of ours, until the last of it has left the window."""
    quota = RunningQuota(600, 3_600)
    found = Outside(3_600, 500.0, 10 * HOUR + HOUR // 2, 11 * HOUR)
    steps = used_over(Account([], [found]), quota, since_ns=9 * HOUR, until_ns=NOW)
    assert [step.by_others for step in steps if step.at_ns < 10 * HOUR] == [0]
    assert [step.by_others for step in steps if step.at_ns == 10 * HOUR] == [500]
    assert all(step.by_others == 0 for step in steps if step.at_ns >= 11 * HOUR)
    assert all(step.ours == 0 for step in steps)


def test_a_call_that_nobody_settled_counts_for_as_long_as_it_may_have_run() -> None:
    """Until now where it still runs, at its worst where its process died."""
    quota = RunningQuota(600, 3_600)
    runs, died = Spent(NOW - 60 * S, None, None, 600), Spent(NOW - HOUR, None, None, 600)
    [*_, last] = used_over(Account([died, runs]), quota, since_ns=0, until_ns=NOW)
    assert last.used == 660


def test_calls_count_from_their_start() -> None:
    """Against a quota of calls, however long they run."""
    quota = CallQuota(3, 60)
    spent = [Spent(at * S, (at + 90) * S, 90.0, 600) for at in (10, 20, 75)]
    steps = used_over(Account(spent), quota, since_ns=0, until_ns=200 * S)
    assert [(step.at_ns // S, step.used) for step in steps] == [
        (0, 0), (10, 1), (20, 2), (70, 1), (75, 2), (80, 1), (135, 0), (200, 0),
    ]  # fmt: skip

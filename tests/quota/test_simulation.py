"""Exports that share a tenant for days, against the service's own book of its quotas."""

from tests.benchmarks.quota import Outcome, simulate


def hours(outcome: Outcome, hunt: str) -> float:
    return outcome.hours_to_the_last_call[hunt]


def test_a_quota_is_used_up_and_never_overrun() -> None:
    """While work waits, to 99 % and more; and the service has nothing to refuse."""
    outcome = simulate(1, seed=5, outside=False, backfilled_days=2)
    assert outcome.throttled == 0
    assert outcome.utilisation >= 0.99
    # The night's loads are through while the large backfill, which began before them, goes on;
    # and so is the small one.
    nights = [hours(outcome, hunt) for hunt in outcome.hours_to_the_last_call if "night" in hunt]
    assert max(nights) < 2
    assert hours(outcome, "small") < hours(outcome, "large") / 2


def test_a_client_that_asks_nobody_costs_a_refusal_a_window_at_most() -> None:
    """It takes a third of the quota, and all work is done beside it."""
    outcome = simulate(1, seed=5, outside=True, backfilled_days=1)
    assert outcome.most_throttled_in_a_window <= 1
    assert set(outcome.hours_to_the_last_call) >= {"large", "small", "nightly 0", "nightly 7"}

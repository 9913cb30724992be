"""Profiles of limits and their overrides."""

import pytest

from pipelines.quota import PROFILES, CallQuota, RunningQuota, parse_limits
from pipelines.quota.limits import OVERRIDES


def test_the_seed_profile_is_the_contract_that_was_asked_for() -> None:
    """15 calls a minute, 600 s an hour, 14,400 s a day, 100,000 rows, 600 s a call, 30 days."""
    seed = parse_limits("seed")
    assert seed.calls == (CallQuota(15, 60),)
    assert seed.running == (RunningQuota(600, 3_600), RunningQuota(14_400, 86_400))
    assert (seed.rows, seed.request_seconds, seed.data_age_days) == (100_000, 600, 30)


def test_each_limit_can_be_overridden_alone() -> None:
    """An override replaces its own limit and leaves the others of the profile."""
    limits = parse_limits("seed, rows=50000, calls_per_minute=30, running_per_hour=90.5")
    assert limits.rows == 50_000
    assert limits.calls == (CallQuota(30, 60),)
    assert limits.running == (RunningQuota(90.5, 3_600), RunningQuota(14_400, 86_400))
    assert limits.request_seconds == 600


def test_a_quota_that_a_profile_lacks_can_be_added() -> None:
    """A profile without calls an hour gets them, the shorter window first."""
    limits = parse_limits("graph,calls_per_hour=1500,running_per_day=3600")
    assert limits.calls == (CallQuota(45, 60), CallQuota(1_500, 3_600))
    assert limits.running == (RunningQuota(3_600, 86_400),)


@pytest.mark.parametrize("override", OVERRIDES)
def test_every_limit_is_known_and_must_be_positive(override: str) -> None:
    """Zero would stop every export for ever, without a word."""
    given = {"share": "0.7", "reserve": "0.7", "windows": "calendar"}.get(override, "7")
    assert parse_limits(f"seed,{override}={given}") != PROFILES["seed"]
    for bad in ("0", "-1", "many", "nan", "inf", ""):
        with pytest.raises(ValueError, match=override):
            parse_limits(f"seed,{override}={bad}")


def test_unknown_names_list_the_known_ones() -> None:
    """A slip of the pen is answered with what may stand there."""
    with pytest.raises(ValueError, match="there are seed, xdr, graph, mde"):
        parse_limits("sead")
    with pytest.raises(ValueError, match="there are rows"):
        parse_limits("seed,row=5")
    with pytest.raises(ValueError, match="whole number"):
        parse_limits("seed,rows=1.5")


def test_a_share_is_no_more_than_all_and_the_reserve_less_than_the_share() -> None:
    """A reserve that leaves nothing would stop every schedule, without a word."""
    limits = parse_limits("seed,share=0.8,reserve=0.25")
    assert (limits.share, limits.reserve) == (0.8, 0.25)
    for bad in ("share=1.2", "reserve=1", "share=0.3,reserve=0.3"):
        with pytest.raises(ValueError, match=r"share|reserve"):
            parse_limits(f"seed,{bad}")


def test_a_share_of_calls_is_whole_and_never_none() -> None:
    """Twelve of fifteen; of one call a minute still one."""
    assert CallQuota(15, 60).part(0.8) == 12
    assert CallQuota(15, 60).part(0.99) == 14
    assert CallQuota(1, 60).part(0.5) == 1
    assert RunningQuota(600, 3_600).part(0.8) == pytest.approx(480)

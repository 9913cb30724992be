"""Lengths of time and schedules as hunt files give them."""

from datetime import timedelta

import pytest
from dagster._utils.schedules import is_valid_cron_schedule
from hypothesis import given
from hypothesis import strategies as st

from pipelines.periods import format_period, parse_period
from pipelines.schedule import parse_schedule


@given(st.integers(1, 9_999), st.sampled_from("mhd"))
def test_a_period_is_read_as_it_is_written(number: int, unit: str) -> None:
    """Whatever unit it is then written in."""
    period = parse_period(f"{number}{unit}")
    assert parse_period(format_period(period)) == period
    assert period == number * {"m": timedelta(minutes=1), "h": timedelta(hours=1)}.get(
        unit, timedelta(days=1)
    )


@pytest.mark.parametrize("value", [2, 1.5, True, "2", "h", "-1h", "1h30m", "2 weeks", None])
def test_what_is_no_period_is_refused(value: object) -> None:
    """A bare number too, since its unit would be a guess."""
    with pytest.raises(ValueError, match="no length of time such as 90m, 2h or 3d"):
        parse_period(value)


@pytest.mark.parametrize(
    ("value", "schedule"),
    [
        (True, "nightly"),
        (False, None),
        ("nightly", "nightly"),
        ("hourly", "hourly"),
        (" 15  4 * * 1-5 ", "15 4 * * 1-5"),
        ("*/20 0,12 1-31/2 * *", "*/20 0,12 1-31/2 * *"),
    ],
)
def test_a_schedule_is_a_word_or_cron(value: object, schedule: str | None) -> None:
    """YAML's own true and false are nightly and never."""
    assert parse_schedule(value) == schedule


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("daily", "is no schedule; write nightly, hourly, false, or the five fields"),
        ("15 4 * *", "is no schedule"),
        (4, "is no schedule"),
        ("61 4 * * *", "'61' is no minute of a cron schedule: 0 to 59"),
        ("0 4-2 * * *", "'4-2' is no hour"),
        ("0 4 * jan *", "'jan' is no month of a cron schedule; write it in numbers"),
        ("0 4 * * 7", "'7' is no day of the week"),
        ("*/0 4 * * *", "no minute"),
        ("5/10 4 * * *", "has a step and no range; write 5-59/10"),
    ],
)
def test_what_is_no_schedule_is_refused(value: object, why: str) -> None:
    """With the file at hand: Dagster would refuse all hunts for one."""
    with pytest.raises(ValueError, match=why):
        parse_schedule(value)


_NUMBERS = st.integers(0, 70).map(str)
_ITEMS = st.one_of(
    st.just("*"),
    _NUMBERS,
    st.tuples(_NUMBERS, _NUMBERS).map("-".join),
    st.tuples(st.sampled_from(["*", "1-9", "3"]), _NUMBERS).map("/".join),
)


@given(st.lists(_ITEMS, min_size=5, max_size=5).map(" ".join))
def test_whatever_is_accepted_dagster_accepts(cron: str) -> None:
    """So that no hunt's file keeps the others from loading."""
    try:
        accepted = parse_schedule(cron)
    except ValueError:
        return
    assert accepted is not None
    assert is_valid_cron_schedule(accepted)

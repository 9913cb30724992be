"""What answers weigh: never nonsense, and nearer to what comes with each of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.slicing import Rates

amounts = st.floats(0, 1e9)
answers = st.one_of(
    st.builds(
        lambda rows, size, seconds, hours: (
            lambda rates: rates.after_pull(
                rows=rows, body_bytes=size, seconds=seconds, hours=hours, rows_per_cell=rows / 2
            )
        ),
        st.integers(0, 10**6),
        st.integers(0, 10**9),
        amounts,
        amounts,
    ),
    st.builds(
        lambda seconds, hours: lambda rates: rates.after_count(seconds=seconds, hours=hours),
        amounts,
        amounts,
    ),
    st.builds(
        lambda rows, hours: lambda rates: rates.after_partition(rows=rows, hours=hours),
        st.integers(0, 10**9),
        st.floats(1.0, 24.0),
    ),
    st.builds(lambda found: lambda rates: rates.at_least_bytes_per_row(found), amounts),
)


@given(st.lists(answers, max_size=12), amounts, amounts)
def test_whatever_comes_no_rate_is_nonsense(learned: list, rows: float, hours: float) -> None:
    """Neither negative nor endless nor no number; and they are kept as JSON."""
    rates = Rates()
    for learn in learned:
        rates = learn(rates)
    known = [each for each in rates.to_dict().values() if each is not None]
    assert all(math.isfinite(each) and each >= 0 for each in known)
    assert Rates.from_dict(rates.to_dict()) == rates
    assert 0 < rates.seconds(rows=rows, hours=hours) < math.inf


def test_rates_come_near_what_answers_are() -> None:
    """Each answer counts for a part, and the first for all."""
    rates = Rates().after_count(seconds=24.0, hours=24.0)
    assert rates.seconds_per_hour == 1.0
    for _ in range(20):
        rates = rates.after_pull(rows=1_000, body_bytes=200_000, seconds=12.0, hours=10.0)
    assert rates.bytes_per_row == 200
    assert rates.seconds_per_row == pytest.approx(0.002)
    for _ in range(20):
        rates = rates.after_pull(rows=1_000, body_bytes=400_000, seconds=12.0, hours=10.0)
    assert rates.bytes_per_row == pytest.approx(400, rel=0.01)
    assert rates.seconds(rows=1_000, hours=10) == pytest.approx(12.5)


def test_an_answer_of_a_few_rows_says_nothing_of_rows() -> None:
    """Its envelope weighs more than they do."""
    assert Rates().after_pull(rows=49, body_bytes=9_999, seconds=9, hours=9) == Rates()
    empty = Rates().after_pull(rows=0, body_bytes=99, seconds=6.0, hours=3.0)
    assert empty == Rates(seconds_per_hour=2.0)


def test_a_short_window_says_nothing_of_hours() -> None:
    """Such a call is mostly a call."""
    assert Rates().after_count(seconds=5.0, hours=0.1) == Rates()


def test_a_partition_moves_what_is_expected_little_by_little() -> None:
    """One busy day must not make every night after it begin with a count."""
    rates = Rates().after_partition(rows=2_400, hours=24.0)
    assert rates.rows_per_hour == 100
    assert rates.after_partition(rows=0, hours=24.0).rows_per_hour == 70
    assert rates.after_partition(rows=9_600, hours=24.0).rows_per_hour == 190


@pytest.mark.parametrize("value", [-1.0, "5", None, True, math.nan, math.inf])
def test_what_is_no_rate_counts_as_unknown(value: object) -> None:
    """In a file that something else may have written."""
    assert Rates.from_dict({"bytes_per_row": value}) == Rates()

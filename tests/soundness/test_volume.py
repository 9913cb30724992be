"""What is an unusual number of rows."""

from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.soundness import FEWEST_EARLIER, Landed, usual, volumes
from tests.soundness.lakes import days, landed

COUNTS = st.integers(0, 10**7)
MANY = st.integers(30, 10**6)
WEEKS = st.integers(FEWEST_EARLIER, 6)
# No week more than a third above or below the others.
STEADY = MANY.flatmap(
    lambda middle: st.lists(st.integers(middle * 3 // 4, middle * 4 // 3), min_size=3, max_size=6)
)


def is_unusual(rows: int, earlier: list[int]) -> bool:
    found = usual(earlier)
    assert found is not None
    return not found.has(rows)


@given(COUNTS, WEEKS)
def test_what_never_changes_is_usual(rows: int, weeks: int) -> None:
    """Whatever the number, none at all included."""
    assert not is_unusual(rows, [rows] * weeks)


@given(STEADY)
def test_ten_times_as_many_or_few_is_unusual(earlier: list[int]) -> None:
    """Where the weeks before were alike."""
    assert is_unusual(10 * max(earlier), earlier)
    assert is_unusual(min(earlier) // 10, [10 * each for each in earlier])


@given(STEADY, st.data())
def test_what_was_there_before_is_usual(earlier: list[int], data: st.DataObject) -> None:
    """Anything between the least and the most of steady weeks."""
    rows = data.draw(st.integers(min(earlier), max(earlier)))
    assert not is_unusual(rows, earlier)


@given(st.lists(st.integers(10, 10**6), min_size=3, max_size=6))
def test_none_where_there_were_always_some_is_unusual(earlier: list[int]) -> None:
    """However much they differ among themselves."""
    assert is_unusual(0, earlier)


@given(st.lists(COUNTS, min_size=2, max_size=5))
def test_none_is_usual_where_the_weekday_is_mostly_empty(earlier: list[int]) -> None:
    """A hunt that finds something now and then."""
    assert not is_unusual(0, [*[0] * len(earlier), *earlier])


@given(MANY, st.integers(0, 10**9), WEEKS, st.data())
def test_one_odd_week_changes_nothing(rows: int, odd: int, weeks: int, data: st.DataObject) -> None:
    """Neither what is usual, nor what isn't: neither median follows it."""
    earlier = [rows] * (weeks - 1)
    earlier.insert(data.draw(st.integers(0, weeks - 1)), odd)
    assert not is_unusual(rows, earlier)
    assert is_unusual(10 * rows, earlier)
    assert is_unusual(0, earlier) or odd == 0


@given(st.lists(MANY, min_size=3, max_size=6), MANY, st.integers(2, 1_000))
def test_the_rule_is_the_same_at_every_scale(earlier: list[int], rows: int, factor: int) -> None:
    """A hunt of a hundred rows and one of a million are judged alike."""
    found = usual(earlier)
    assert found is not None
    # Neither at the very border, which a product of floats may move.
    assume(all(abs(rows / border - 1) > 1e-6 for border in (found.least, found.most)))
    assert is_unusual(rows, earlier) == is_unusual(
        rows * factor, [each * factor for each in earlier]
    )


@given(st.lists(st.integers(0, 3), min_size=3, max_size=6), st.integers(0, 10))
def test_a_handful_is_no_news(earlier: list[int], rows: int) -> None:
    """Of few rows any factor is chance."""
    assert not is_unusual(rows, earlier)


@given(st.lists(COUNTS, max_size=FEWEST_EARLIER - 1))
def test_too_little_history_says_nothing(earlier: list[int]) -> None:
    """Of two weeks nobody knows which was the odd one."""
    assert usual(earlier) is None


def test_partitions_are_compared_with_the_same_weekday() -> None:
    """Sundays with Sundays, and what the hunt was before it was changed not at all."""
    month = days("2026-11-01", 29)
    rows = [landed(each, 100 if number % 7 == 0 else 10_000) for number, each in enumerate(month)]
    last = list(volumes(rows, since=month[28].window.start))
    assert [(each.landed.name, each.earlier) for each in last] == [("2026-11-29", (100,) * 4)]
    assert not last[0].is_unusual
    changed = [*rows[:-1], landed(month[28], 10_000, fingerprint="of another query")]
    [each] = volumes(changed, since=month[28].window.start)
    assert (each.earlier, each.usual, each.is_unusual) == ((), None, False)


def test_what_is_not_proven_whole_is_no_measure() -> None:
    """Nor is it told of here: another check does."""
    month = days("2026-11-01", 29)
    rows: list[Landed] = [landed(each, 500) for each in month]
    rows[0] = landed(month[0], 5, problems=("cut",))
    rows[27] = landed(month[27], 5, problems=("cut",))
    found = list(volumes(rows, since=month[27].window.start))
    assert [each.landed.name for each in found] == ["2026-11-29"]
    assert found[0].earlier == (500, 500, 500)

"""What answers teach: to ask for less after each that was too much, and for more again later."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.slicing import Caps, Density, Knowledge, Rates, Slice, least_seconds, next_slice
from pipelines.spans import BUCKETS, TICKS, Grid, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window

HOUR = 3_600 * TICKS_PER_SECOND
DAY = Window(0, 24 * HOUR)
GRIDS = (None, TICKS, Grid(HOUR), Grid(7 * HOUR, 3))
ROWS = 1_000


def knowing(
    *,
    grid: Grid | None = TICKS,
    paged: bool = True,
    hashable: bool = True,
    response_bytes: int | None = None,
    **values: object,
) -> Knowledge:
    paged = paged and grid is not None
    caps = Caps(ROWS, response_bytes, 600.0)
    return Knowledge(grid=grid, paged=paged, hashable=hashable, caps=caps, **values)


@st.composite
def knowledges(draw: st.DrawFn) -> Knowledge:
    grid = draw(st.sampled_from(GRIDS))
    density = None
    if draw(st.booleans()):
        density = Density.flat(DAY, draw(st.sampled_from((1, 999, 1_000, 10_000, 10**9))), grid)
    return knowing(
        grid=grid,
        paged=draw(st.booleans()),
        hashable=draw(st.booleans()),
        response_bytes=draw(st.sampled_from((None, 2_000, 10**6))),
        rates=draw(st.sampled_from((Rates(), Rates(bytes_per_row=50.0, seconds_per_hour=1.0)))),
        density=density,
    )


def buckets(asked: Slice) -> int:
    """How many buckets of its first cell a slice has."""
    start, end = asked.span.start, asked.span.end
    return (end.bucket if end.instant == start.instant else BUCKETS) - start.bucket


@given(knowledges(), st.lists(st.sampled_from(("large", "heavy", "much")), max_size=30), st.data())
def test_each_refusal_makes_the_next_slice_smaller_until_nothing_is(
    known: Knowledge, refusals: list[str], data: st.DataObject
) -> None:
    """Whatever is refused in whatever order, it comes to an end."""
    rest = Span.of(DAY)
    last = refusals[-1] if refusals else data.draw(st.sampled_from(("large", "heavy", "much")))
    sizes = []
    for number in range(300):
        asked = next_slice(rest, DAY, known)
        assert asked.span.start == rest.start
        sizes.append((asked.span.end, asked.limit or 0, asked.by_hash))
        refusal = refusals[number] if number < len(refusals) else last
        match refusal:
            case "large":
                smaller = known.after_too_large(asked)
            case "heavy":
                smaller = known.after_too_heavy(asked)
            case _:
                smaller = known.after_too_much(asked)
        if smaller is None:
            if refusal == "much":
                # Of a page that was cut the first cell alone is too much, or its first bucket.
                asked = replace(asked, span=known.crowded(asked))
            assert known.is_one_cell(asked.span)
            assert not known.hashable or buckets(asked) == 1
            break
        known = smaller
    else:
        pytest.fail("it never ends")
    for (end, limit, by_hash), (next_end, next_limit, next_by_hash) in pairwise(sizes):
        assert next_end <= end
        assert next_limit <= limit
        assert (next_end, next_limit, next_by_hash) != (end, limit, by_hash)


def test_what_was_refused_is_not_asked_for_again_behind_an_empty_half() -> None:
    """Finding a burst takes as many calls as there are halves of a day, not their square."""
    known, rest, calls = knowing(paged=False), Span.of(DAY), 0
    burst = 11 * HOUR + 7
    while True:
        asked = next_slice(rest, DAY, known)
        calls += 1
        if asked.span.start.instant <= burst < asked.span.end.instant:
            if known.is_one_cell(asked.span):
                break
            smaller = known.after_too_much(asked)
            assert smaller is not None
            known = smaller
        else:
            known = known.after_landing(asked.span, 0, seconds=1.0)
            rest = Span(asked.span.end, rest.end)
    assert calls <= 42
    # Once it is in, the rest of the day is one slice again.
    known = known.after_landing(Span(asked.span.start, Position(burst + 1)), ROWS - 1, seconds=1.0)
    rest = Span(Position(burst + 1), rest.end)
    assert next_slice(rest, DAY, known).span == rest


def test_a_page_that_is_one_cell_is_asked_for_again_by_hash() -> None:
    """Nothing of it was whole, so its first cell alone is too much: no earlier end helps."""
    asked = Slice(Span.of(DAY), ROWS)
    known = knowing(rates=Rates(rows_per_cell=1.0))
    assert not next_slice(Span.of(DAY), DAY, known).by_hash
    smaller = known.after_too_much(asked)
    assert smaller is not None
    by_hash = next_slice(Span.of(DAY), DAY, smaller)
    assert by_hash.by_hash
    # Where one bucket fills a page, nothing divides it.
    assert smaller.after_too_much(by_hash) is None
    assert smaller.crowded(by_hash) == Span(Position(0), Position(0, 1))
    assert knowing(hashable=False).after_too_much(asked) is None


@pytest.mark.parametrize("hashable", [True, False])
def test_a_smaller_page_that_is_one_cell_is_asked_for_whole(hashable: bool) -> None:
    """What the quota left of a page is filled sooner; only a whole one says that it is too much."""
    known = knowing(hashable=hashable, rates=Rates(rows_per_cell=1.0))
    asked = next_slice(Span.of(DAY), DAY, known)
    assert least_seconds(asked, known) is not None
    again = known.after_too_much(replace(asked, limit=99, by_hash=hashable))
    assert again is not None
    whole = next_slice(Span.of(DAY), DAY, again)
    assert whole.limit == ROWS
    assert least_seconds(whole, again) is None
    assert again.after_too_much(whole) is None


def test_a_call_that_was_too_heavy_does_not_shorten_the_windows_for_ever() -> None:
    """They grow again while calls are quick, and don't while calls take long."""
    known: Knowledge | None = knowing()
    for _ in range(5):
        assert known is not None
        known = known.after_too_heavy(next_slice(Span.of(DAY), DAY, known))
    assert known is not None
    assert known.ticks == DAY.ticks // 32
    landed = Span.of(Window(0, HOUR // 2))
    assert known.after_landing(landed, 5, seconds=500.0).ticks == known.ticks
    for _ in range(5):
        known = known.after_landing(landed, 5, seconds=1.0)
    assert known.ticks == DAY.ticks
    for _ in range(99):
        known = known.after_landing(landed, 5, seconds=1.0)
    assert known.ticks is None


def test_what_is_too_heavy_again_and_again_is_not_tried_again_and_again() -> None:
    """Once windows have grown to what was refused before, they grow by little: few are in vain."""
    known: Knowledge = knowing()
    bearable, refused = DAY.ticks // 3, 0
    for _ in range(200):
        asked = next_slice(Span.of(DAY), DAY, known)
        if asked.span.end.instant - asked.span.start.instant > bearable:
            refused += 1
            smaller = known.after_too_heavy(asked)
            assert smaller is not None
            known = smaller
        else:
            known = known.after_landing(asked.span, 5, seconds=1.0)
    assert refused <= 200 // 10


def test_a_size_that_was_too_large_is_neared_again_little_by_little() -> None:
    """So that one wide stretch doesn't make all that follows small."""
    known = knowing().after_too_large(Slice(Span.of(DAY), ROWS, 5_000.0))
    assert known is not None
    limits = [known.limit]
    while known.limit < ROWS:
        known = known.after_landing(Span.of(Window(0, HOUR)), known.limit, seconds=1.0)
        limits.append(known.limit)
    assert limits[0] == 600
    assert limits[1] <= 632
    assert len(limits) <= 13


def test_an_answer_of_a_few_rows_says_nothing_of_sizes() -> None:
    """Only one that was large and came all the same does."""
    known = knowing().after_too_large(Slice(Span.of(DAY), ROWS, 5_000.0))
    assert known is not None
    for rows in (0, 1, 299):
        known = known.after_landing(Span.of(Window(0, HOUR)), rows, seconds=1.0)
    assert known.limit == 600


def test_a_wrong_guess_of_the_rows_does_not_make_pages_tiny() -> None:
    """A count that has aged may say that a window is next to empty."""
    known = knowing().after_too_large(Slice(Span.of(DAY), ROWS, 0.2))
    assert known is not None
    assert known.limit == int(ROWS / 8 * 0.6)


@pytest.mark.parametrize("rows_too_large", [2, 1])
def test_a_page_has_room_for_a_row_and_the_one_that_ends_it(rows_too_large: int) -> None:
    """Of a page of one row nothing is ever whole, and it would be asked for again for ever."""
    known = knowing(row_limit=rows_too_large)
    assert known.limit == 2
    smaller = known.after_too_large(Slice(Span.of(DAY), 2))
    assert smaller is not None
    assert smaller.limit == 2
    assert smaller.reach == Position(DAY.end // 2)


def test_a_stated_size_is_filled_by_what_rows_weigh() -> None:
    """And what was too large all the same is remembered as heavier rows."""
    known = knowing(response_bytes=100_000, rates=Rates(bytes_per_row=200.0))
    assert known.limit == 450
    smaller = known.after_too_large(Slice(Span.of(DAY), 450, 450.0))
    assert smaller is not None
    assert smaller.limit == 270
    assert smaller.rates.bytes_per_row == pytest.approx(222.2, abs=0.1)


def test_a_burst_sets_no_pace() -> None:
    """Rows of a few ticks are no reason to go on in steps of a few ticks."""
    known = knowing().after_landing(Span.of(Window(0, 2)), 900, seconds=1.0)
    rest = Span.of(Window(2, DAY.end))
    assert next_slice(rest, DAY, known).span.end.instant >= 60 * TICKS_PER_SECOND


def test_running_time_bounds_windows() -> None:
    """Half a call's time may go into reading, an hour at least."""
    known = knowing(rates=Rates(seconds_per_hour=100.0))
    assert known.ticks == 3 * HOUR
    assert knowing(rates=Rates(seconds_per_hour=5_000.0)).ticks == HOUR
    assert knowing().ticks is None

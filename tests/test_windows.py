"""Instants and windows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.windows import (
    TICKS_PER_SECOND,
    Window,
    datetime_from_instant,
    format_instant,
    instant_from_datetime,
    parse_instant,
)

FIRST = parse_instant("0001-01-01T00:00:00Z")
LAST = parse_instant("9999-12-31T23:59:59.9999999Z")
instants = st.integers(FIRST, LAST)


@given(instants)
def test_text_keeps_every_tick(instant: int) -> None:
    """An instant written out and read again is the same instant, over the service's whole range."""
    assert parse_instant(format_instant(instant)) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", TICKS_PER_SECOND),
        ("1970-01-01T00:00:00.0000001Z", 1),
        ("1970-01-01T00:00:00.9Z", 9_000_000),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("1970-01-01T00:01", 60 * TICKS_PER_SECOND),
        ("1970-01-01 00:01:00+00:00", 60 * TICKS_PER_SECOND),
    ],
)
def test_reads_what_people_and_the_service_write(text: str, instant: int) -> None:
    """Dates, times with 0 to 7 fraction digits, with T or a space."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-02-30", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00.12345678Z"],
)
def test_refuses_what_it_would_have_to_guess(text: str) -> None:
    """Another zone, a digit below the tick, a day that doesn't exist: an error, not a guess."""
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


def test_trailing_zeros_are_cut_as_the_service_cuts_them() -> None:
    """``.9280000`` is written ``.928`` and a whole second without a fraction."""
    assert (
        format_instant(parse_instant("2026-11-20T01:02:03.9280000Z")) == "2026-11-20T01:02:03.928Z"
    )
    assert format_instant(parse_instant("2026-11-20")) == "2026-11-20T00:00:00Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_datetimes_are_exact_at_the_edges(moment: datetime) -> None:
    """A datetime's microseconds survive both ways."""
    assert datetime_from_instant(instant_from_datetime(moment)) == moment


def test_another_zone_is_the_same_instant_and_no_zone_is_refused() -> None:
    """The zone is used; where there is none, nothing is assumed."""
    zone = timezone(timedelta(hours=2))
    assert instant_from_datetime(datetime(1970, 1, 1, 2, tzinfo=zone)) == 0
    with pytest.raises(ValueError, match="no time zone"):
        instant_from_datetime(datetime(1970, 1, 1))  # noqa: DTZ001 - the point of the test


@given(instants, st.integers(1, 10**12))
def test_windows_are_half_open(start: int, ticks: int) -> None:
    """A window holds its start and not its end."""
    window = Window(start, start + ticks)
    assert start in window
    assert window.end - 1 in window
    assert window.end not in window
    assert window.ticks == ticks


def test_an_empty_window_is_refused() -> None:
    """Nothing can be pulled for no time at all."""
    with pytest.raises(ValueError, match="must end after it starts"):
        Window(5, 5)

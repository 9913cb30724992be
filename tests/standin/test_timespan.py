"""What a ``Timespan`` lets a call see."""

import pytest

from pipelines.standin.timespan import visible_window
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

DAY = 86_400 * TICKS_PER_SECOND
NOW = parse_instant("2026-11-20T06:00:00Z")
HELD = Window(NOW - 30 * DAY, NOW)


@pytest.mark.parametrize(
    ("timespan", "start", "end"),
    [
        (None, "2026-10-21T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("P90D", "2026-10-21T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("P1D", "2026-11-19T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("P2W", "2026-11-06T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("P1DT1H", "2026-11-19T05:00:00Z", "2026-11-20T06:00:00Z"),
        ("PT1.5H", "2026-11-20T04:30:00Z", "2026-11-20T06:00:00Z"),
        ("PT0.0000001S", "2026-11-20T05:59:59.9999999Z", "2026-11-20T06:00:00Z"),
        ("2026-11-18/2026-11-19", "2026-11-18", "2026-11-19"),
        ("2026-11-18/P1D", "2026-11-18", "2026-11-19"),
        ("P1D/2026-11-19", "2026-11-18", "2026-11-19"),
        ("2026-01-01/2026-11-19", "2026-10-21T06:00:00Z", "2026-11-19"),
        ("2026-11-20/2027-01-01", "2026-11-20", "2026-11-20T06:00:00Z"),
    ],
)
def test_a_timespan_and_the_data_s_age_narrow_each_other(
    timespan: str | None, start: str, end: str
) -> None:
    """A duration back from now, or an interval by its ends or by one and a duration."""
    assert visible_window(timespan, held=HELD) == Window(parse_instant(start), parse_instant(end))


@pytest.mark.parametrize("timespan", ["2020-01-01/2020-02-01", "2027-01-01/P1D", "PT0S"])
def test_a_timespan_outside_the_data_sees_nothing(timespan: str) -> None:
    """It is answered without rows, as the service does: it is no error."""
    window = visible_window(timespan, held=HELD)
    assert window.end <= HELD.start


@pytest.mark.parametrize(
    "timespan", ["", "P", "PT", "P1DT", "P1M", "P1Y", "1D", "30", "P1D/", "/P1D", "2026-11-18"]
)
def test_what_is_no_interval_is_refused(timespan: str) -> None:
    """Months and years too: their length depends on the calendar."""
    with pytest.raises(ValueError):
        visible_window(timespan, held=HELD)

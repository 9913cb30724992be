"""What a terminal shows while an export goes on."""

import pytest

from pipelines.console import Bar, PlainLines
from pipelines.progress import (
    CallFailed,
    Counted,
    Event,
    HistoryNotKept,
    PartitionCommitted,
    PartitionStarted,
    SliceCut,
    SliceStaged,
    TryingLater,
    Waiting,
)
from pipelines.recovery import Remedy
from pipelines.slicing import partition
from pipelines.spans import Position, Span

DAY = partition("daily", "2026-11-20")
NOON = Position(DAY.window.start + DAY.window.ticks // 2)
MORNING, EVENING = (
    Span(Position(DAY.window.start), NOON),
    Span(NOON, Position(DAY.window.end)),
)
EVENTS: list[Event] = [
    PartitionStarted("logons", DAY.key, DAY.window, ()),
    Waiting("logons", DAY.key, "15 calls a minute are used", 1_795_132_800_000_000_000),
    SliceCut("logons", DAY.key, Span.of(DAY.window), "the answer reached the cap of 100,000 rows"),
    Counted("logons", DAY.key, DAY.window, 110_000, 2),
    SliceStaged("logons", DAY.key, MORNING, 60_000, 9_000_000, 1.25, 1),
    CallFailed(
        "logons",
        DAY.key,
        EVENING,
        attempt=2,
        remedy=Remedy.RETRY,
        follows="the same is asked again in 4 s",
        error="the connection broke [/]",
        request_id="6ae93e30",
    ),
    HistoryNotKept("logons", DAY.key, "rates.json can't be written"),
    TryingLater("logons", DAY.key, 1_795_132_800_000_000_000, "the service is down [/]"),
    SliceStaged("logons", DAY.key, EVENING, 50_000, 8_000_000, 1.0, 0),
    PartitionCommitted("logons", DAY.key, DAY.window, 110_000, 4, reused=False),
]


def test_without_a_terminal_each_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that standard output holds results alone."""
    with PlainLines() as show:
        for event in EVENTS:
            show(event)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == len(EVENTS)
    assert all(line.startswith("logons 2026-11-20: ") for line in lines)
    assert "waiting until 2026-11-20T00:00:00Z, since 15 calls a minute are used" in lines[1]
    assert "110,000 rows" in lines[3]
    assert "about 2 calls to pull" in lines[3]
    assert "60,000 rows" in lines[4]
    assert "attempt 2 at [2026-11-20T12:00:00Z, 2026-11-21T00:00:00Z) failed;" in lines[5]
    assert lines[5].endswith(
        "the same is asked again in 4 s: the connection broke [/] (request id 6ae93e30)"
    )
    assert "the next export may count again" in lines[6]
    assert "about 1 more to pull" in lines[4]
    assert lines[-1].endswith("110,000 rows committed after 4 calls")


def test_the_bar_shows_slices_rows_and_quota(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps above it what a reader would want to see later."""
    monkeypatch.setenv("COLUMNS", "160")
    with Bar([DAY], lambda: "9 calls/min, 540 s/h") as show:
        for event in EVENTS:
            show(event)
    shown = capsys.readouterr().err
    assert "110,000 rows committed after 4 calls" in shown
    assert "is too much for one call" in shown
    assert "the connection broke [/] (request id 6ae93e30)" in " ".join(shown.split())
    assert "may count again" in shown
    assert "100%" in shown
    assert "2 slices, 110,000 rows, quota left: 9 calls/min" in shown


def test_a_resumed_partition_says_so() -> None:
    """What an earlier run staged is not pulled again."""
    assert "1 slices were staged by an earlier run" in str(
        PartitionStarted("logons", DAY.key, DAY.window, (MORNING,))
    )

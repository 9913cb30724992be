"""Adjacent partitions that one call may span: what they lack, and what an answer brings to each."""

from pathlib import Path

import pytest

from pipelines.batch import Batch, StagedPartition
from pipelines.landing import SliceRecord, Staging
from pipelines.slicing import partition
from pipelines.spans import Position, Span
from pipelines.windows import Window, format_instant
from tests.landing.samples import a_record, an_answer

DAYS = [partition("daily", f"2026-11-{day}") for day in (18, 19, 20)]
HOUR = 3_600 * 10_000_000
START = DAYS[0].window.start


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch([StagedPartition.found(day, Staging(tmp_path / day.key)) for day in DAYS])


def span(first: int, last: int) -> Span:
    """By the hours since the first day began."""
    return Span.of(Window(START + first * HOUR, START + last * HOUR))


def stage(batch: Batch, asked: Span, *hours: int) -> list[SliceRecord]:
    times = [format_instant(START + hour * HOUR) for hour in hours]
    answer = an_answer([{"Timestamp": time, "Name": "a", "Span": None} for time in times])
    window = Window(asked.start.instant, asked.end.instant + 1)
    record = a_record(window, len(hours), span=asked, calls=3, wasted_calls=1, wasted_rows=7)
    return [staged.record for _, staged in batch.stage(answer, record, "Timestamp", "Timestamp")]


def test_what_adjacent_partitions_lack_is_one_span(batch: Batch) -> None:
    """So that one call may bring it."""
    assert batch.window == Window(START, DAYS[2].window.end)
    assert batch.rests == [span(0, 72)]
    stage(batch, span(0, 6), 1)
    assert batch.rests == [span(6, 72)]


def test_what_an_earlier_run_has_staged_parts_it(batch: Batch) -> None:
    """Of the middle day, say."""
    stage(batch, span(24, 48))
    assert batch.rests == [span(0, 24), span(48, 72)]
    assert batch.partitions[1].rests == []


def test_each_partition_gets_its_own_rows(batch: Batch) -> None:
    """And the span that is its own; a row at midnight is the later day's."""
    records = stage(batch, span(6, 60), 7, 23, 24, 48, 50, 59)
    assert [record.span for record in records] == [span(6, 24), span(24, 48), span(48, 60)]
    assert [record.rows for record in records] == [2, 1, 3]
    assert batch.rests == [span(0, 6), span(60, 72)]
    again = [StagedPartition.found(each.partition, each.staging) for each in batch.partitions]
    assert [each.spans for each in again] == [each.spans for each in batch.partitions]


def test_a_call_is_on_the_account_of_the_first_partition_alone(batch: Batch) -> None:
    """Receipts add up to what was spent."""
    first, *others = stage(batch, span(0, 72), 1, 30, 60)
    assert (first.calls, first.wasted_calls, first.wasted_rows) == (3, 1, 7)
    assert first.running_seconds > 0
    for record in others:
        assert (record.calls, record.wasted_calls, record.wasted_rows) == (0, 0, 0)
        assert (record.running_seconds, record.body_bytes) == (0, 0)
        assert record.request_id == first.request_id


def test_a_span_that_ends_at_midnight_touches_one_day(batch: Batch) -> None:
    """The next begins there and gets nothing, not even an empty slice."""
    assert [record.span for record in stage(batch, span(0, 24), 3)] == [span(0, 24)]
    into = Span(Position(START + 24 * HOUR), Position(START + 24 * HOUR, 5))
    assert [record.span for record in stage(batch, into)] == [into]
    assert batch.partitions[1].spans == (into,)


def test_a_quiet_answer_leaves_an_empty_slice_for_each_day(batch: Batch) -> None:
    """Which says that the day was asked for; the answer may have come without columns."""
    bare = an_answer([], columns={})
    record = a_record(batch.window, 0)
    staged = list(batch.stage(bare, record, "Timestamp", "Timestamp"))
    assert [each.record.rows for _, each in staged] == [0, 0, 0]
    assert batch.rests == []

"""Cuts within what time can't divide: by the hash of a key, or of the whole row."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.kql import Verdict, analyse
from pipelines.kql.rewrite import CELL, ROWS, count_buckets
from pipelines.spans import BUCKETS, Position, Span
from pipelines.windows import Window
from tests.kql.made_events import make_events
from tests.kql.running import run_spans, run_window, running, spans_between
from tests.kql.staging import SLICED, Stage, Staged

DIVIDED = [
    (hunt, window)
    for number, (hunt, window) in enumerate(SLICED)
    if analyse(hunt).hash_columns is not None and (analyse(hunt).grid is None or number % 4 == 0)
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running() as runner:
        yield Stage(runner)


def fullest_cell(staged: Staged) -> Window:
    """The cell of the most rows; all of the partition where time divides nothing."""
    grid, window = staged.analysis.grid, staged.window
    if grid is None:
        return window
    start = grid.floor(max(staged.times or [window.start], key=staged.times.count))
    return Window(max(start, window.start), min(window.end, grid.after(start)))


@pytest.mark.parametrize(("query", "window"), DIVIDED[::3])
def test_a_bucket_s_own_rows_come_once(query: str, window: Window, stage: Stage) -> None:
    """Cut right before and right after a bucket that has rows, each row is in one part."""
    staged = stage(query, window)
    analysis, runner, cell = staged.analysis, staged.runner, fullest_cell(staged)
    asked = count_buckets(query, analysis, window=cell, now=window.end, buckets_each=1)
    counted = runner.run(asked)
    counts = dict(zip(counted.column(CELL), counted.column(ROWS), strict=True))
    whole = staged.answer(cell)
    assert sum(counts.values()) == len(whole.rows) > 0
    bucket = sorted(counts)[len(counts) // 2]
    edges = {edge for edge in (bucket, bucket + 1) if 0 < edge < BUCKETS}
    parts = [
        staged.answer(cell, span=span)
        for span in spans_between(cell, [Position(cell.start, edge) for edge in edges])
    ]
    assert sum((part.bag for part in parts), Counter()) == whole.bag
    assert counts[bucket] in {len(part.rows) for part in parts}


SEVERAL = [
    (hunt, window)
    for hunt, window in SLICED
    if (analysis := analyse(hunt)).hash_columns is not None
    and analysis.time_column is not None
    and analysis.verdict is Verdict.ALIGNED
]


@pytest.mark.parametrize(("query", "window"), SEVERAL)
def test_a_part_may_end_within_a_cell_and_hold_others(
    query: str, window: Window, stage: Stage
) -> None:
    """Be it the first cell, whose bin may start before the window, the last, or one between."""
    staged = stage(query, window)
    grid = staged.analysis.grid
    assert grid is not None
    times = sorted(set(staged.times))
    for time in {window.start, times[len(times) // 2]}:
        start = max(window.start, grid.floor(time))
        two_on = grid.after(grid.after(grid.floor(start)))
        inside = Position(start, BUCKETS // 2)
        for cut in ([inside], [inside, Position(two_on)]):
            spans = spans_between(window, cut)
            found = run_spans(staged.runner, query, staged.analysis, spans, window.end)
            assert found == staged.whole.bag


@pytest.mark.parametrize(("query", "window"), DIVIDED[1::3])
def test_what_arrives_between_two_buckets_moves_nothing(
    query: str, window: Window, stage: Stage
) -> None:
    """Rows that are there before and after both calls come once: their hash is not what changed."""
    staged = stage(query, window)
    analysis, runner = staged.analysis, staged.runner
    assert analysis.hash_columns is not None
    cell = fullest_cell(staged)
    first, second = spans_between(cell, [Position(cell.start, BUCKETS // 2)])
    read = (*(table.name for table in analysis.event_tables), *analysis.snapshot_tables)
    runner.fill(make_events(query, read, window))

    def within(span: Span | None) -> Counter[tuple[Any, ...]]:
        answer = run_window(runner, query, analysis, cell, window.end, span=span)
        keys = [answer.columns.index(each) for each in analysis.hash_columns or ()]
        return Counter(tuple(row[key] for key in keys) if keys else row for row in answer.rows)

    before, early = within(None), within(first)
    for table, rows in make_events(query, read, window, rows=40).items():
        runner.add(table, rows)
    found, after = early + within(second), within(None)
    assert before & after <= found <= before | after
    assert found.total() > 0

"""The rules of slicing, tested by running: a partition's answer against the union of its slices.

Every hunt of ``cases`` runs on events made from its own literals, with ties, bursts and rows at the
edges of bins and windows.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import compress
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.kql import Verdict, analyse
from pipelines.kql.rewrite import CELL, ROWS, count_cells, fix_now
from pipelines.spans import BUCKETS
from pipelines.windows import Window, parse_instant
from tests.kql import cases
from tests.kql.made_events import HOUR, make_events
from tests.kql.running import cuts_near, run_spans, running, spans_between
from tests.kql.staging import DAY, SLICED, WINTER, Stage, Staged

EVERY = [(hunt, verdict) for verdict, hunts in cases.DAY.items() for hunt in hunts]
EVERY += [(hunt, Verdict.ALIGNED) for hunt in cases.CALENDAR]
EVERY += [(hunt, verdict) for verdict, hunts in cases.NOT_RUN.items() for hunt in hunts]
few = settings(max_examples=2, deadline=None, phases=[Phase.generate])


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running() as runner:
        yield Stage(runner)


@pytest.mark.parametrize(("query", "verdict"), EVERY)
def test_every_hunt_has_its_verdict(query: str, verdict: Verdict) -> None:
    """Neither less safe than it is nor, for no reason, dearer."""
    assert analyse(query).verdict is verdict


RUN = [*SLICED, *((hunt, DAY) for hunt in cases.DAY[Verdict.WHOLE])]


@pytest.mark.parametrize(("query", "window"), RUN[::6])
def test_a_partition_is_the_hunt_where_nothing_else_happened(
    query: str, window: Window, stage: Stage
) -> None:
    """Restricting the query and taking all other events from the tenant are the same."""
    staged = stage(query, window)
    analysis = staged.analysis
    tables = dict(make_events(query, analysis.snapshot_tables, window))
    for table, rows in make_events(query, [t.name for t in analysis.event_tables], window).items():
        kept = [window.start <= time < window.end for time in rows["Timestamp"]]
        tables[table] = {name: [*compress(values, kept)] for name, values in rows.items()}
        assert len(tables[table]["Timestamp"]) < len(rows["Timestamp"])
    staged.runner.fill(tables)
    assert staged.runner.run(fix_now(query, window.end)).bag == staged.whole.bag


@pytest.mark.parametrize(("query", "window"), SLICED)
@few
@given(data=st.data())
def test_the_slices_are_the_partition(
    query: str, window: Window, data: st.DataObject, stage: Stage
) -> None:
    """Cut anywhere that the analysis allows, nothing is lost, doubled or changed."""
    staged = stage(query, window)
    instants = data.draw(st.lists(instants_near(staged), min_size=1, max_size=3))
    bucket = data.draw(buckets_for(staged))
    spans = spans_between(window, cuts_near(staged.analysis, window, instants, bucket))
    found = run_spans(staged.runner, query, staged.analysis, spans, window.end)
    assert found == staged.whole.bag


def instants_near(staged: Staged) -> st.SearchStrategy[int]:
    """Any instant of the window, and those of the answer's rows, where there are any."""
    anywhere = st.integers(staged.window.start, staged.window.end - 1)
    times = sorted({time for time in staged.times if staged.window.start <= time})
    return st.one_of(st.sampled_from(times), anywhere) if times else anywhere


def buckets_for(staged: Staged) -> st.SearchStrategy[int]:
    """Buckets, where nothing else divides the answer; else for some hunts, for they are dear."""
    if staged.analysis.grid is not None and staged.number % 4:
        return st.just(0)
    return st.sampled_from([BUCKETS // 2, BUCKETS // 3, 1, BUCKETS - 1])


TIMED = [(hunt, window) for hunt, window in SLICED if analyse(hunt).time_column is not None]


@pytest.mark.parametrize(("query", "window"), TIMED)
def test_each_row_bears_the_time_of_its_cell(query: str, window: Window, stage: Stage) -> None:
    """Asked for one cell alone, an answer says that cell's time, and has all of its rows."""
    staged = stage(query, window)
    analysis = staged.analysis
    assert analysis.grid is not None
    assert analysis.time_column is not None
    assert staged.times
    several = sorted(set(staged.times))
    for time in several[:: max(1, len(several) // 4)]:
        assert time == analysis.grid.floor(time)
        cell = Window(max(window.start, time), min(window.end, analysis.grid.after(time)))
        found = staged.answer(cell).column(analysis.time_column)
        assert found == [time] * staged.times.count(time)


@pytest.mark.parametrize(("query", "window"), TIMED[::4])
def test_a_page_is_the_first_rows_in_time(query: str, window: Window, stage: Stage) -> None:
    """All of its rows before those of its last time are complete."""
    staged = stage(query, window)
    assert staged.analysis.time_column is not None
    index = staged.whole.columns.index(staged.analysis.time_column)
    for limit in {1, 1 + len(staged.times) // 2, len(staged.times), len(staged.times) + 1}:
        page = staged.answer(window, limit=limit)
        shown = [row[index] for row in page.rows]
        assert shown == sorted(staged.times)[:limit]
        complete = Counter(row for row in page.rows if row[index] < shown[-1])
        assert complete == Counter(row for row in staged.whole.rows if row[index] < shown[-1])


COUNTED = [(hunt, window) for hunt, window in SLICED if analyse(hunt).counting is not None]


@pytest.mark.parametrize(
    ("query", "window", "width"),
    [
        *((*hunt, None) for hunt in COUNTED[::4]),
        *((*hunt, HOUR) for hunt in COUNTED[1::8]),
        *((*hunt, 7 * HOUR) for hunt in COUNTED[5::8]),
    ],
)
def test_counts_are_those_of_the_rows(
    query: str, window: Window, width: int | None, stage: Stage
) -> None:
    """By cells or by wider bins, each count is how many rows the answer has of it."""
    staged = stage(query, window)
    analysis = staged.analysis
    assert analysis.grid is not None
    asked = count_cells(query, analysis, window=window, now=window.end, width=width)
    counted = staged.runner.run(asked)
    counts = dict(zip(counted.column(CELL), counted.column(ROWS), strict=True))
    assert sum(counts.values()) == len(staged.whole.rows) > 0
    for cell in sorted(counts)[:: max(1, len(counts) // 3)] if width is None else []:
        after = min(window.end, analysis.grid.after(analysis.grid.floor(cell)))
        assert len(staged.answer(Window(max(window.start, cell), after)).rows) == counts[cell]


def changes(staged: Staged) -> bool:
    """Whether a cut in time changes the answer, at one of some instants within its events."""
    window = staged.window
    for share in range(1, 10):
        middle = window.start + window.ticks * share // 10 + HOUR // 2 + 1
        parts = (Window(window.start, middle), Window(middle, window.end))
        rows: Counter[tuple[Any, ...]] = Counter()
        for part in parts:
            rows += staged.answer(part).bag
        if rows != staged.whole.bag:
            return True
    return False


@pytest.mark.parametrize(
    ("hunts", "window", "share"),
    [
        pytest.param(cases.DAY[Verdict.WHOLE], DAY, 0.9, id="whole"),
        pytest.param(cases.DAY[Verdict.KEYED], DAY, 1.0, id="keyed"),
        pytest.param(cases.DAY[Verdict.ALIGNED], DAY, 0.9, id="aligned"),
        pytest.param(cases.CALENDAR, WINTER, 0.9, id="calendar"),
    ],
)
def test_most_refusals_are_needed(
    hunts: tuple[str, ...], window: Window, share: float, stage: Stage
) -> None:
    """What may not be cut anywhere is so not out of mere caution: it would be another answer."""
    needed = [hunt for hunt in hunts if changes(stage(hunt, window))]
    assert len(needed) >= share * len(hunts), set(hunts) - set(needed)


@pytest.mark.parametrize(
    ("unit", "edge", "inside"),
    [
        ("startofweek(Timestamp)", "2026-01-04", "2026-01-01"),
        ("startofmonth(Timestamp)", "2026-01-01", "2026-01-04"),
        ("startofyear(Timestamp)", "2026-01-01", "2026-02-01"),
        # Kusto counts from a Monday.
        ("bin(Timestamp, 7d)", "2026-01-05", "2026-01-04"),
    ],
)
def test_weeks_and_months_have_edges_of_their_own(
    unit: str, edge: str, inside: str, stage: Stage
) -> None:
    """Cut at its unit's edge an answer is the same, and cut at another unit's it isn't."""
    staged = stage(f"DeviceEvents | summarize n = count() by {unit}", WINTER)
    grid = staged.analysis.grid
    assert grid is not None
    for instant, is_edge in ((parse_instant(edge), True), (parse_instant(inside), False)):
        assert (grid.floor(instant) == instant) is is_edge
        parts = (Window(WINTER.start, instant), Window(instant, WINTER.end))
        rows = staged.answer(parts[0]).bag + staged.answer(parts[1]).bag
        assert (rows == staged.whole.bag) is is_edge

"""Published hunts, run whole and in slices on events made from their own literals.

What belongs here: whether one hunt's slices are its partition. What does not: reading the file of
hunts, or choosing among them (``test_corpus``, ``tests/benchmarks/corpus.py``).
"""

from enum import StrEnum
from typing import Final

from pipelines.kql import Analysis
from pipelines.spans import BUCKETS
from pipelines.standin.store import all_tables
from pipelines.windows import Window, parse_instant
from tests.kql.made_events import HOUR, make_events
from tests.kql.running import Runner, cuts_near, run_spans, run_window, spans_between

_DAY: Final = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))
# Within an hour, at the edge of one, and a tick after that.
_INSTANTS: Final = tuple(_DAY.start + after for after in (HOUR * 11 // 2, 9 * HOUR, 18 * HOUR + 1))


class Comparison(StrEnum):
    """What became of running a hunt in slices."""

    EQUAL = "equal"
    EMPTY = "equal, without a row"
    DIFFERENT = "different"
    NOT_DIVIDED = "not divided"
    NOT_RUN = "not run"
    """DuckDB, or the translation to its SQL, can't do what the hunt asks."""


def compare(
    runner: Runner, query: str, analysis: Analysis, *, cells_too: bool = True
) -> Comparison:
    """Whether the slices of the hunt are its partition.

    ``cells_too``: what time divides is cut within a cell as well, which reads the hunt twice more.
    """
    read = (*(table.name for table in analysis.event_tables), *analysis.snapshot_tables)
    bucket = BUCKETS // 2 if cells_too or analysis.grid is None else 0
    cuts = cuts_near(analysis, _DAY, _INSTANTS, bucket)
    spans = spans_between(_DAY, cuts)
    if len(spans) == 1:
        return Comparison.NOT_DIVIDED
    if not set(read) <= set(all_tables()):
        return Comparison.NOT_RUN
    runner.fill(make_events(query, read, _DAY))
    try:
        whole = run_window(runner, query, analysis, _DAY, _DAY.end)
    except Exception:  # noqa: BLE001 - whatever it is, it is no slice that brought it about
        return Comparison.NOT_RUN
    if run_spans(runner, query, analysis, spans, _DAY.end) != whole.bag:
        return Comparison.DIFFERENT
    return Comparison.EQUAL if whole.rows else Comparison.EMPTY

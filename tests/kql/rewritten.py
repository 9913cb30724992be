"""Every query that huntlake may make of a hunt, and what the language's binder has against each.

What belongs here: making all rewritings of one hunt, and judging them. What does not: which hunts
(``cases``, and the published ones of ``tests/benchmarks/corpus.py``).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from pipelines.kql import Analysis, rewrite
from pipelines.spans import BUCKETS, Position, Span
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant
from tests.kql.oracle import Bound, Oracle

_WINDOW: Final = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))
_NOW: Final = _WINDOW.end
_MINUTE: Final = 60 * TICKS_PER_SECOND
_LIMIT: Final = 1000
_BUCKET: Final = (rewrite.BUCKET, "long")


def rewritings(query: str, analysis: Analysis) -> Iterator[tuple[str, str]]:
    """Each under a name. Those called ``restrict`` return the hunt's own columns.

    A ``page by hash`` has each row's bucket behind them.
    """
    restricted = partial(rewrite.restrict, query, analysis, window=_WINDOW, now=_NOW)
    yield "restrict", restricted()
    yield "count_all", rewrite.count_all(query, analysis, window=_WINDOW, now=_NOW)
    span = _span_within(analysis)
    limit = _LIMIT if analysis.time_column is not None else None
    if span is not None or limit is not None:
        yield "restrict span and limit", restricted(span=span, limit=limit)
    if analysis.hash_columns is not None and limit is not None:
        yield "page by hash", restricted(span=span, limit=limit, by_hash=True)
    if span is not None:
        by_bucket = partial(rewrite.count_buckets, query, analysis, window=_WINDOW, now=_NOW)
        yield "count_buckets", by_bucket(buckets_each=BUCKETS // 16)
    if analysis.counting is not None:
        by_cell = partial(rewrite.count_cells, query, analysis, window=_WINDOW, now=_NOW)
        yield "count_cells", by_cell(width=_MINUTE)


def faults(
    oracle: Oracle, hunt: Bound, analysis: Analysis, texts: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the rewritings of a hunt that itself binds, each under its name."""
    columns = dict(hunt.columns or ())
    time = analysis.time_column
    if time is not None and columns.get(time) != "datetime":
        yield "time_column", f"`{time}` is {columns.get(time, 'no column of the answer')}"
    for key in analysis.hash_columns or ():
        if key not in columns:
            yield "hash_columns", f"`{key}` is no column of the answer"
    expected = {
        "restrict": hunt.columns,
        "restrict span and limit": hunt.columns,
        "page by hash": None if hunt.columns is None else (*hunt.columns, _BUCKET),
    }
    events = Counter(table.name for table in analysis.event_tables)
    for name, text in texts.items():
        bound = oracle.bind(text)
        read = Counter(table for table, _ in bound.reads if table not in analysis.snapshot_tables)
        past = sorted(read - events)
        if bound.errors:
            yield name, bound.errors[0]
        elif name in expected and bound.columns != expected[name]:
            yield name, f"other columns: {_difference(hunt, bound)}"
        elif name.startswith("count") and (rewrite.ROWS, "long") not in (bound.columns or ()):
            yield name, f"counts as {bound.columns}"
        elif past:
            # Each is to be read once, in the line that restricts it.
            yield name, f"reads past the window: {', '.join(past)}"


def _span_within(analysis: Analysis) -> Span | None:
    """A span that begins and ends inside a cell, where the analysis allows one."""
    if analysis.hash_columns is None:
        return None
    last = _WINDOW.start
    if analysis.grid is not None and analysis.grid.after(last) < _WINDOW.end:
        if analysis.time_column is None:
            return None
        last = analysis.grid.floor(_WINDOW.end - 1)
    return Span(Position(_WINDOW.start, 7), Position(last, 9))


def _difference(before: Bound, after: Bound) -> str:
    old, new = before.columns or (), after.columns or ()
    gone, come = (
        [each for each in old if each not in new],
        [each for each in new if each not in old],
    )
    return f"without {gone[:3]}, with {come[:3]}" if gone or come else "in another order"

"""Whether a query means the same when it is evaluated slice by slice.

What belongs here: the verdict and its reason. What does not: finding what the query reads
(``sources``), or writing the query for one slice (``rewrite``).

A query is row-wise only where that is plain: each operator and function is one that treats every
row by itself. Anything else is evaluated whole, once for each partition: dear, but never wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipelines.kql.expressions import Sources
from pipelines.kql.functions import ROW_FUNCTIONS, TIME_FUNCTIONS
from pipelines.kql.lexer import place
from pipelines.kql.names import time_column_of
from pipelines.kql.sources import find_sources
from pipelines.kql.structure import (
    STARTING_OPERATORS,
    Operator,
    Pipeline,
    Statement,
    name_of,
    operator,
    parse,
    starts_with,
)


class Verdict(StrEnum):
    """What slicing a hunt by time would do to it."""

    ROW_WISE = "row-wise"
    """Nothing: each row of the answer comes from one row of one event table."""
    WHOLE = "whole"
    """It would change the answer, or might: one call for each partition."""
    SNAPSHOT = "snapshot"
    """It can't be done: every table is a current-state one, without a time."""


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table of events that the query reads, and the column that says when each happened."""

    name: str
    time_column: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a query means for slicing. ``reason`` completes "it is whole, since ..."."""

    verdict: Verdict
    reason: str
    event_tables: tuple[EventTable, ...]
    snapshot_tables: tuple[str, ...]


# `sort` orders an answer and nothing that may follow it here reads the order.
_ROW_WISE_OPERATORS: Final = frozenset(
    {
        *("extend", "filter", "mv-expand", "mvexpand", "order", "parse", "parse-kv"),
        *("parse-where", "project", "project-away", "project-keep", "project-rename"),
        *("project-reorder", "sort", "where"),
    }
)

_WHY_NOT: Final = {
    "count": "counts rows of different times",
    "distinct": "compares rows of different times",
    "join": "joins rows of different times",
    "limit": "picks some of all rows",
    "lookup": "joins rows of different times",
    "make-series": "groups rows of different times",
    "sample": "picks some of all rows",
    "summarize": "groups rows of different times",
    "take": "picks some of all rows",
    "top": "picks some of all rows",
    "union": "reads more than one table",
}


def analyse(query: str, *, time_column: str | None = None) -> Analysis:
    """What the query means for slicing.

    ``time_column`` is what the hunt's file says of tables that the documentation doesn't list.
    Raises ``KqlError``, with line and column, for a query that can't be read or not be restricted.
    """
    parsed = parse(query)
    sources = find_sources(query, parsed, time_column=time_column)
    names = dict.fromkeys(table.name for table in sources.tables)
    times = {name: time_column_of(name, time_column) for name in names}
    events = tuple(EventTable(name, time) for name, time in times.items() if time is not None)
    snapshots = tuple(name for name, time in times.items() if time is None)
    verdict, reason = _judge(query, parsed, sources, events, snapshots)
    return Analysis(verdict, reason, events, snapshots)


def _judge(
    query: str,
    parsed: Sequence[Statement],
    sources: Sources,
    events: Sequence[EventTable],
    snapshots: Sequence[str],
) -> tuple[Verdict, str]:
    if not events and not snapshots:
        return Verdict.WHOLE, "it reads no table"
    if not events:
        listed = " and ".join(f"`{name}`" for name in snapshots)
        return Verdict.SNAPSHOT, f"{listed} {'has' if len(snapshots) == 1 else 'have'} no time"
    objections = sorted(_objections(parsed, sources))
    if objections:
        start, why = objections[0]
        return Verdict.WHOLE, why.format(place=place(query, start))
    return Verdict.ROW_WISE, f"every operator treats each row of `{events[0].name}` by itself"


def _objections(parsed: Sequence[Statement], sources: Sources) -> Iterator[tuple[int, str]]:
    """What keeps the query from being row-wise, and where."""
    pipelines = [statement for statement in parsed if isinstance(statement, Pipeline)]
    for further in pipelines[1:]:
        yield further.start, "a second query starts at {place}"
    for pipeline in pipelines:
        yield from _objections_to_steps(pipeline)
    for let in sources.table_lets:
        yield let.start, f"the let `{let.name}` at {{place}} is a table"
    for start in sources.nested:
        yield start, "the brackets at {place} read a table of their own"
    for table in sources.tables[1:]:
        yield table.start, f"the table `{table.name}` is read too, at {{place}}"
    own = {name.name for name in sources.defined}
    for call in sources.calls:
        if call.name not in own | ROW_FUNCTIONS | TIME_FUNCTIONS:
            yield call.start, f"`{call.name}()` at {{place}} is not known to treat rows one by one"


def _objections_to_steps(pipeline: Pipeline) -> Iterator[tuple[int, str]]:
    if starts_with(pipeline.source, STARTING_OPERATORS):
        yield pipeline.start, _objection(operator(pipeline.source))
    elif len(pipeline.source) != 1 or name_of(pipeline.source[0]) is None:
        yield pipeline.start, "the query at {place} doesn't start with a table's plain name"
    for step in pipeline.operators:
        if step.name not in _ROW_WISE_OPERATORS:
            yield step.start, _objection(step)


def _objection(step: Operator) -> str:
    why = _WHY_NOT.get(step.name, "is not known to treat rows one by one")
    return f"`{step.name}` at {{place}} {why}"

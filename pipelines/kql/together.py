"""Counting the rows of several hunts in one query.

What belongs here: which hunts may share a query, and its text. What does not: which windows are
counted (``late``), and how one hunt is counted (``rewrite``).

A call is what a tenant has least of, and a histogram of a hunt is small: those of a night's hunts
are counted as one ``union``, whose rows bear the number of their hunt. Hunts share a query only
where it is plain that each means there what it means alone.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pipelines.kql.lexer import Kind, code
from pipelines.kql.rewrite import count_by_cell, quoted, shadow
from pipelines.kql.structure import Let, Pipeline, parse
from pipelines.kql.verdict import Analysis, EventTable
from pipelines.windows import Window

HUNT: Final = "HuntlakeHunt"
"""The column of the answer that has the number of a row's hunt, from 0."""

_MAY_NAME: Final = (Kind.NAME, Kind.STRING)

Part = tuple[str, Analysis]
"""A hunt's query, and what it means for slicing."""


def may_share_query(part: Part) -> bool:
    """Whether a hunt may be counted in a query together with any others."""
    query, analysis = part
    tokens = code(query)
    if analysis.counting is None or analysis.uses_now or any(each.is_name("as") for each in tokens):
        return False
    *lets, last = parse(query)
    return isinstance(last, Pipeline) and all(isinstance(each, Let) for each in lets)


def may_share(one: Part, other: Part) -> bool:
    """Whether two hunts that may share a query may share the same.

    Not where one gives a name to something that the other may take for its own, be it a column, and
    not where they don't want the same of a table.
    """
    for (query, analysis), (other_query, other_analysis) in ((one, other), (other, one)):
        if not _defined(query).isdisjoint(_named(other_query)):
            return False
        columns = {table.name: table.time_column for table in other_analysis.event_tables}
        for table in analysis.event_tables:
            if columns.get(table.name, table.time_column) != table.time_column:
                return False
            if table.name in other_analysis.snapshot_tables:
                return False
    return True


@lru_cache(maxsize=1_000)
def _defined(query: str) -> frozenset[str]:
    return frozenset(each.name for each in parse(query) if isinstance(each, Let))


@lru_cache(maxsize=1_000)
def _named(query: str) -> frozenset[str]:
    """A name may stand as text too: ['a name']."""
    return frozenset(each.text.strip("'\"") for each in code(query) if each.kind in _MAY_NAME)


def count_cells_of_all(parts: Sequence[Part], *, windows: Sequence[Window], width: int) -> str:
    """The rows of each hunt in the windows by bins of ``width`` ticks.

    The answer is that of ``count_cells`` with a column ``HUNT``. The hunts may share the query.
    """
    whole = Window(windows[0].start, windows[-1].end)
    tables: dict[str, EventTable] = {}
    for _, analysis in parts:
        tables |= {table.name: table for table in analysis.event_tables}
    shadows = [shadow(table, whole, windows) for table in tables.values()]
    lets, branches = [], []
    for number, (query, analysis) in enumerate(parts):
        if analysis.counting is None:
            raise ValueError("the rows of this query can't be counted by time")
        start = parse(query)[-1].start
        lets.append(query[:start].strip())
        # On lines of its own, since either may end with a comment.
        counted = count_by_cell(quoted(analysis.counting.column), width)
        branches.append(
            f"({query[start : analysis.counting.offset]}\n{counted} | extend {HUNT} = {number}\n)"
        )
    return "\n".join([*shadows, *filter(None, lets), "union", ",\n".join(branches)])

"""How much an answer may be, by what the query says alone: before any call has told.

What belongs here: two guesses that choose the first call. What does not: anything that an answer's
completeness rests on.
"""

from typing import Final

from pipelines.kql.lexer import code
from pipelines.kql.tables import find_table
from pipelines.kql.verdict import Analysis

_FILTERS: Final = ("where", "filter", "search", "find", "join", "lookup", "summarize", "distinct")
_NARROWING: Final = ("project", "summarize", "distinct", "project-keep", "make-series")


def is_unfiltered(query: str) -> bool:
    """Whether the query keeps every event of its tables, as far as its operators tell."""
    return not any(token.is_name(*_FILTERS) for token in code(query))


def widest_columns(query: str, analysis: Analysis) -> int | None:
    """How many columns a row has at most, where the query doesn't choose some of them."""
    if any(token.is_name(*_NARROWING) for token in code(query)):
        return None
    tables = [find_table(table.name) for table in analysis.event_tables]
    return max((len(table.columns) for table in tables if table), default=None)

"""The service's words for a query that is wrong, or more than the stand-in can do.

What belongs here: those words. What does not: the translation itself (``translation``), or running
it (``evaluate``).
"""

import re
from functools import cache
from typing import Final

import duckdb_kql

from pipelines import translation
from pipelines.errors import KqlError
from pipelines.standin.store import all_tables, columns
from pipelines.translation import Tables

_RESOLVE: Final = (
    "Failed to resolve {what} expression named '{name}'. Fix semantic errors in your query."
)
_UNKNOWN_TABLE: Final = re.compile(r"schema error for '([^']*)' \(unknown table")


class QueryFault(Exception):
    """The query is wrong, or more than the stand-in can do; its message is the service's."""


def to_sql(kql: str, *, now: int) -> str:
    """The SQL of a query. Raises ``QueryFault``; its message is worded as the service words it."""
    try:
        return translation.to_sql(kql, every_table(), now=now)
    except (duckdb_kql.KqlSyntaxError, KqlError) as error:
        raise QueryFault(f"Syntax error: {error}. Fix syntax errors in your query.") from error
    except duckdb_kql.KqlError as error:
        if match := _UNKNOWN_TABLE.match(str(error)):
            raise unresolved(match[1], table=True) from error
        raise QueryFault(f"The stand-in can't run this query: {error}.") from error


@cache
def every_table() -> Tables:
    """What a query may read: all that the stand-in holds."""
    return Tables.of({table: columns(table) for table in all_tables()})


def unresolved(name: str, *, table: bool) -> QueryFault:
    """The service's words for a name that it doesn't know."""
    if table:
        what = _RESOLVE.format(what="table or column", name=name)
        return QueryFault(f"'where' operator: {what}")
    return QueryFault(f"'where' operator: {_RESOLVE.format(what='scalar', name=name)}")

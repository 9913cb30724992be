"""From the KQL that the stand-in is sent to SQL that DuckDB runs exactly.

What belongs here: what ``duckdb-kql`` must be told, and the service's words for what is wrong. What
does not: mending the SQL that it emits (``exactness``), or running it (``evaluate``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import duckdb_kql

from pipelines.errors import KqlError
from pipelines.kql.lexer import Kind, Token, scan
from pipelines.kql.tables import FORMER_NAMES
from pipelines.standin.exactness import exact
from pipelines.standin.store import held_name
from pipelines.windows import datetime_from_instant

_RESOLVE: Final = (
    "Failed to resolve {what} expression named '{name}'. Fix semantic errors in your query."
)
_UNKNOWN_TABLE: Final = re.compile(r"schema error for '([^']*)' \(unknown table")
# Older names, which the language still has.
_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "makeset": "make_set",
        "makelist": "make_list",
        "argmax": "arg_max",
        "argmin": "arg_min",
        "parsejson": "parse_json",
        **FORMER_NAMES,
    }
)


class QueryFault(Exception):
    """The query is wrong, or more than the stand-in can do; its message is the service's."""


def to_sql(kql: str, *, schema: Mapping[str, list[str]], now: int) -> str:
    """The SQL of a query. Raises ``QueryFault``; its message is worded as the service words it."""
    try:
        translated = duckdb_kql.to_sql(
            _respelt(kql),
            schema=dict(schema),
            allow_write=False,
            query_now=datetime_from_instant(now),
        )
    except (duckdb_kql.KqlSyntaxError, KqlError) as error:
        raise QueryFault(f"Syntax error: {error}. Fix syntax errors in your query.") from error
    except duckdb_kql.KqlError as error:
        if match := _UNKNOWN_TABLE.match(str(error)):
            raise unresolved(match[1], table=True) from error
        raise QueryFault(f"The stand-in can't run this query: {error}.") from error
    return exact(str(translated), now=now)


def unresolved(name: str, *, table: bool) -> QueryFault:
    """The service's words for a name that it doesn't know."""
    if table:
        what = _RESOLVE.format(what="table or column", name=name)
        return QueryFault(f"'where' operator: {what}")
    return QueryFault(f"'where' operator: {_RESOLVE.format(what='scalar', name=name)}")


def _respelt(kql: str) -> str:
    """The query with columns called as they are held, and in words that ``duckdb-kql`` knows."""
    return "".join(_words(list(scan(kql))))


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """The words, without ``project-reorder``: the order of an answer's columns is undefined."""
    reordering = False
    for index, token in enumerate(tokens):
        ahead = "".join(each.text for each in tokens[index : index + 3])
        if ahead == "project-reorder":
            reordering = True
            yield "where true "
        elif reordering and token.is_sign("|", ";", ")", "}"):
            reordering = False
        if reordering:
            continue
        yield _respelling(token)


def _respelling(token: Token) -> str:
    if token.kind is not Kind.NAME:
        return token.text
    return _SYNONYMS.get(token.text, held_name(token.text))

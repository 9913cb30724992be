"""From the KQL that the stand-in is sent to SQL that DuckDB runs exactly.

What belongs here: what ``duckdb-kql`` must be told, and the service's words for what is wrong. What
does not: mending the SQL that it emits (``exactness``), or running it (``evaluate``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final

import duckdb_kql

from pipelines.errors import KqlError
from pipelines.kql.lexer import Kind, Token, scan
from pipelines.kql.tables import FORMER_NAMES
from pipelines.standin.exactness import exact
from pipelines.standin.functions import exact_functions, with_rows
from pipelines.standin.store import all_tables, columns, held_name
from pipelines.windows import parse_instant

_RESOLVE: Final = (
    "Failed to resolve {what} expression named '{name}'. Fix semantic errors in your query."
)
_UNKNOWN_TABLE: Final = re.compile(r"schema error for '([^']*)' \(unknown table")
# Stands for an instant while a query is read.
_MARK: Final = re.compile(r"1987-06-05T04:03:02\.\d{7}Z")
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
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


def to_sql(kql: str, *, now: int) -> str:
    """The SQL of a query. Raises ``QueryFault``; its message is worded as the service words it."""
    try:
        emitted = _emitted(kql)
    except (duckdb_kql.KqlSyntaxError, KqlError) as error:
        raise QueryFault(f"Syntax error: {error}. Fix syntax errors in your query.") from error
    except duckdb_kql.KqlError as error:
        if match := _UNKNOWN_TABLE.match(str(error)):
            raise unresolved(match[1], table=True) from error
        raise QueryFault(f"The stand-in can't run this query: {error}.") from error
    return exact(emitted, now=now)


def _emitted(kql: str) -> str:
    """What ``duckdb-kql`` makes of a query, remembered for queries that differ in instants alone.

    It takes longer to read a query than DuckDB to answer it, and an export sends one hunt over and
    over with other windows. A query is read with marks in the place of its instants; where that
    fails, or a mark does not come back, it is read as it is.
    """
    words = list(_words(list(scan(kql))))
    marks: dict[str, str] = {}
    for number, word in enumerate(words):
        if word.startswith("datetime(") and _is_instant(word):
            words[number] = f"datetime({marks.setdefault(word, _mark(len(marks)))})"
    instants = {mark: word[len("datetime(") : -1].strip() for word, mark in marks.items()}
    if _MARK.search(kql) is None:
        try:
            marked = _read("".join(words))
        except duckdb_kql.KqlError:
            # Its message would tell places in the query that was read.
            pass
        else:
            if set(_MARK.findall(marked)) == set(instants):
                return _MARK.sub(lambda mark: instants[mark[0]], marked)
    return _read("".join(_words(list(scan(kql)))))


def _is_instant(literal: str) -> bool:
    try:
        parse_instant(literal[len("datetime(") : -1])
    except ValueError:
        return False
    return True


def _mark(number: int) -> str:
    return f"1987-06-05T04:03:02.{number:07d}Z"


@lru_cache(maxsize=1_000)
def _read(respelt: str) -> str:
    # The time of the query stays a parameter in the SQL; ``exact`` puts it there.
    with exact_functions():
        translated = duckdb_kql.to_sql(
            respelt, schema=dict(_schema()), allow_write=False, query_now=_ANY_TIME
        )
    return with_rows(str(translated))


@cache
def _schema() -> Mapping[str, list[str]]:
    return {table: [held_name(name) for name in columns(table)] for table in all_tables()}


def unresolved(name: str, *, table: bool) -> QueryFault:
    """The service's words for a name that it doesn't know."""
    if table:
        what = _RESOLVE.format(what="table or column", name=name)
        return QueryFault(f"'where' operator: {what}")
    return QueryFault(f"'where' operator: {_RESOLVE.format(what='scalar', name=name)}")


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """The query's words, columns called as they are held, and in words ``duckdb-kql`` knows.

    Without ``project-reorder``: the order of an answer's columns is undefined.
    """
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

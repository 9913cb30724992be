"""From the KQL that the stand-in is sent to SQL that DuckDB runs exactly.

What belongs here: what ``duckdb-kql`` must be told, and what it emits that must be mended. What
does not: running the SQL (``evaluate``).

``duckdb-kql`` reads a datetime literal as microseconds, which puts rows into the wrong slice of
100 ns; so its literals are replaced by ones of nanoseconds. Should a release emit anything else
than what is known here, the translation fails instead of answering for the wrong window.
"""

import re
from collections.abc import Mapping
from typing import Final

import duckdb_kql

from pipelines.kql.lexer import Kind, scan
from pipelines.standin.store import held_name
from pipelines.windows import (
    NANOSECONDS_PER_TICK,
    datetime_from_instant,
    format_instant,
    parse_instant,
)

_EMITTED: Final = re.compile(
    r"COALESCE\(TRY_CAST\('(?P<text>[^']*)' AS TIMESTAMPTZ\) AT TIME ZONE 'UTC', "
    r"try_strptime\(CAST\('(?P=text)' AS VARCHAR\), \[[^\]]*\]\)\)"
)
_UNKNOWN: Final = re.compile(r"TRY_CAST\('[^']*' AS TIMESTAMPTZ\)|TIMESTAMP(?:TZ)? '[^']*\.\d{7}")
_RESOLVE: Final = (
    "Failed to resolve {what} expression named '{name}'. Fix semantic errors in your query."
)
_INT64_LIMIT: Final = 2**63
_MICROSECOND_CHARACTERS: Final = len("0001-01-01T00:00:00.000000")


class QueryFault(Exception):
    """The query is wrong, or more than the stand-in can do; its message is the service's."""


class TranslationChanged(Exception):
    """``duckdb-kql`` emits a literal in a form that is not known here."""


def to_sql(kql: str, *, schema: Mapping[str, list[str]], now: int) -> str:
    """The SQL of a query. Raises ``QueryFault``; its message is worded as the service words it."""
    try:
        translated = duckdb_kql.to_sql(
            _renamed(kql),
            schema=dict(schema),
            allow_write=False,
            query_now=datetime_from_instant(now),
        )
    except duckdb_kql.KqlSyntaxError as error:
        raise QueryFault(f"Syntax error: {error}. Fix syntax errors in your query.") from error
    except duckdb_kql.KqlError as error:
        raise QueryFault(f"The stand-in can't run this query: {error}.") from error
    return exact_literals(str(translated))


def exact_literals(sql: str) -> str:
    """The SQL with its datetime literals exact to the tick. Raises ``TranslationChanged``."""
    mended = _EMITTED.sub(_nanoseconds, sql)
    if left := _UNKNOWN.search(mended):
        raise TranslationChanged(
            f"duckdb-kql {duckdb_kql.__version__} emits a datetime literal as {left.group()!r}; "
            f"teach pipelines/standin/translate.py its form"
        )
    return mended


def unresolved(name: str, *, table: bool) -> QueryFault:
    """The service's words for a name that it doesn't know."""
    if table:
        what = _RESOLVE.format(what="table or column", name=name)
        return QueryFault(f"'where' operator: {what}")
    return QueryFault(f"'where' operator: {_RESOLVE.format(what='scalar', name=name)}")


def _nanoseconds(match: re.Match[str]) -> str:
    try:
        instant = parse_instant(match["text"])
    except ValueError:
        raise QueryFault(f"The stand-in can't read the datetime {match['text']}.") from None
    text = format_instant(instant)
    if abs(instant * NANOSECONDS_PER_TICK) < _INT64_LIMIT:
        return f"TIMESTAMP_NS '{text}'"
    # What nanoseconds can't hold is compared with columns of microseconds anyway.
    return f"TIMESTAMP '{text.removesuffix('Z')[:_MICROSECOND_CHARACTERS]}'"


def _renamed(kql: str) -> str:
    """The query with columns called as they are held."""
    return "".join(
        held_name(token.text) if token.kind is Kind.NAME else token.text for token in scan(kql)
    )

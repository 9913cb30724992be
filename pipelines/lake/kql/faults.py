"""What is said of a query that can't be run over the lake: which construct, where, what to do.

What belongs here: from what ``duckdb-kql`` and DuckDB say to huntlake's errors, in the places of
the hunter's own text. What does not: running queries (``session``).
"""

import re
from collections.abc import Sequence
from typing import Final

import duckdb
import duckdb_kql

from pipelines.errors import KqlError, KqlNeedsService, KqlUnresolved, KqlUnsupported
from pipelines.kql.functions import ENRICHMENTS, FOREIGN_FUNCTIONS, WATCHLIST_FUNCTIONS
from pipelines.kql.lexer import code, place
from pipelines.kql.tables import FORMER_NAMES, known_tables
from pipelines.lake.kql.tables import KqlTable
from pipelines.translation import Respelt, own_column

# What each says is the service's own knowledge, or lies elsewhere.
_OF_SERVICE: Final = frozenset(
    {
        *ENRICHMENTS,
        *FOREIGN_FUNCTIONS,
        *WATCHLIST_FUNCTIONS,
        *("AssignedIPAddresses", "externaldata", "external_data", "geo_info_from_ip_address"),
        "ingestion_time",
    }
)
_NAMES: Final[dict[str, str]] = {"ExternalDataExpression": "externaldata"}
_UNKNOWN_TABLE: Final = re.compile(r"Table with name (\S+) does not exist")
_UNKNOWN_COLUMN: Final = re.compile(
    r"(?:Referenced column|does not have a column named|Column(?=.* referenced that)) \"([^\"]+)\""
)


def fault_of_reading(error: duckdb_kql.KqlError, query: Respelt) -> KqlError:
    """What ``duckdb-kql`` could not translate."""
    match error:
        case duckdb_kql.KqlSyntaxError():
            return _no_kql(error, query)
        case duckdb_kql.KqlUnsupportedError():
            construct = _construct(error.construct)
            at = _place(construct, error, query)
            if service := next((name for name in _words(construct) if name in _OF_SERVICE), None):
                return needs_service(service, at)
            return KqlUnsupported(f"{at}: `{construct}` can't be run over the lake", construct)
        case duckdb_kql.KqlSchemaError() if "unknown table" in (error.hint or ""):
            return unknown_table(error.name, query.kql)
        case _:
            return KqlUnsupported(f"1:1: the query can't be run over the lake: {error}", "query")


def fault_of_answer(error: duckdb.Error, kql: str, read: Sequence[KqlTable]) -> Exception:
    """What DuckDB refused of the SQL that was made of a query."""
    said = str(error)
    for service in (name for name in _OF_SERVICE if f"{name}(" in kql):
        if service in said:
            return needs_service(service, _first(service, kql))
    if match := _UNKNOWN_TABLE.search(said):
        return unknown_table(match[1].strip('"!'), kql)
    if match := _UNKNOWN_COLUMN.search(said):
        return _unknown_column(own_column(match[1]), kql, read)
    if isinstance(error, duckdb.ProgrammingError | duckdb.DataError | duckdb.NotSupportedError):
        first = said.splitlines()[0]
        return KqlUnsupported(f"1:1: the query can't be run over the lake: {first}", "query")
    return error


def service_functions(kql: str) -> frozenset[str]:
    """What a query calls that the service alone can answer."""
    return frozenset(token.text for token in code(kql)) & _OF_SERVICE


def needs_service(construct: str, at: str) -> KqlNeedsService:
    """The query asks what the lake can't know."""
    return KqlNeedsService(
        f"{at}: `{construct}` asks the service itself, or what lies elsewhere, and the lake has "
        f"nothing of that; take it out to run the rest here",
        construct,
    )


def unknown_table(name: str, kql: str) -> KqlUnresolved:
    """No hunt of the lake is or keeps that table."""
    at = _first(name, kql)
    table = FORMER_NAMES.get(name, name)
    if table in known_tables():
        return KqlUnresolved(
            f"{at}: the lake has no {table}: no hunt exports it as it is. A hunt that holds just "
            f"`{table}` lands it from now on, and as far back as the service has it"
        )
    return KqlUnresolved(
        f"{at}: neither the lake nor the service's documentation knows a table {name}; "
        f"`huntlake sql 'SHOW TABLES'` lists the hunts that landed"
    )


def _unknown_column(name: str, kql: str, read: Sequence[KqlTable]) -> KqlUnresolved:
    at = _first(name, kql)
    for table in read:
        documented = known_tables().get(FORMER_NAMES.get(table.name, table.name))
        if documented is not None and name in documented.columns:
            return KqlUnresolved(
                f"{at}: {table.name} has no column {name} in the lake: it is not among the "
                f"{len(table.columns)} that the hunt {table.hunt} keeps; add it to the hunt to "
                f"have it from now on"
            )
    return KqlUnresolved(f"{at}: there is no column {name} here")


def _no_kql(error: duckdb_kql.KqlSyntaxError, query: Respelt) -> KqlError:
    if not error.diagnostics:
        return KqlError(f"1:1: this is no KQL: {error}")
    first = error.diagnostics[0]
    at = query.place(first.span.line, first.span.column)
    return KqlError(f"{at}: this is no KQL: {first.message}")


def _construct(name: str) -> str:
    """``function:indexof`` is indexof, and ``EvaluateOperator`` evaluate."""
    last = name.rpartition(":")[2]
    if last in _NAMES:
        return _NAMES[last]
    words = re.sub(r"(?:Operator|Expression)(?:Part)?$", "", last)
    if words != last:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", words).lower()
    return last


def _words(construct: str) -> list[str]:
    return re.findall(r"\w+", construct)


def _place(construct: str, error: duckdb_kql.KqlUnsupportedError, query: Respelt) -> str:
    if error.span is not None:
        return query.place(error.span.line, error.span.column)
    return _first(construct, query.kql)


def _first(name: str, kql: str) -> str:
    """Where a name stands first; the query's start where it doesn't."""
    folded = name.casefold()
    for token in code(kql):
        if token.text.casefold() == folded:
            return place(kql, token.start)
    return place(kql, max(0, kql.casefold().find(folded)))

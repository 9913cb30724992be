"""SQL statements over the lake, one after another, and what is said of those that would write.

What belongs here: from a text to its statements and their answers. What does not: printing them.
"""

from collections.abc import Iterator
from typing import Final

import duckdb

from pipelines.errors import SqlError

# What DuckDB says of a statement that would change the catalogue, or what a view shows.
_WRITES: Final = (
    *("attached in read-only mode", "is not an table"),
    *("Can only update base", "Can only delete from base", "Can only merge into base"),
)
# What it returns, without a row, of a statement that returns nothing.
_NOTHING: Final = (["Success"], ["Count"])


def statements(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    """The statements of a text. Raises ``SqlError`` where it is no SQL."""
    try:
        found = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    return iter([each.query for each in found])


def answer(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation | None:
    """What one statement returns: of a query it is computed as it is read; of ``SET``, None.

    Raises ``SqlError``.
    """
    try:
        found = connection.sql(statement)
    except duckdb.Error as error:
        raise refused(error) from error
    if found is None or (found.columns in _NOTHING and is_run(found) and len(found) == 0):
        return None
    return found


def is_run(found: duckdb.DuckDBPyRelation) -> bool:
    """Whether a statement has run already, as all but queries have."""
    return bool(found.type == "MATERIALIZED_RELATION")


def refused(error: Exception) -> SqlError:
    """What DuckDB said, and what to do where the statement would change the lake."""
    said = str(error)
    if any(words in said for words in _WRITES):
        return SqlError(
            f"{said}\nThe lake is read-only here. CREATE TEMP TABLE, VIEW or MACRO makes "
            f"what lasts as long as the session, and COPY (query) TO 'file' writes what stays"
        )
    return SqlError(said)

"""The stand-in's answers: the query is really run, over the events that the tenant can see.

What belongs here: one DuckDB database, and queries over it. What does not: the protocol
(``server``), or the text of a body (``wire``).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import pyarrow as pa

from pipelines.kql.lexer import Kind, code
from pipelines.standin.given import Rows, create_tables, insert_rows
from pipelines.standin.late import insert_late
from pipelines.standin.store import (
    SNAPSHOT_TABLES,
    TIMESPAN,
    all_tables,
    columns,
    held_name,
    held_table,
    own_name,
    wire_type,
)
from pipelines.standin.synthetic import insert_events
from pipelines.standin.translate import QueryFault, to_sql, unresolved
from pipelines.standin.wire import Dialect, body
from pipelines.translation import MACROS, own_time
from pipelines.windows import TICKS_PER_SECOND, Window, format_instant, parse_instant

_HOUR_TICKS: Final = 3_600 * TICKS_PER_SECOND
_ANSWER: Final = "answer"
# A `top`, or a `sort` with a `take` behind it, as the last step.
_TOP: Final = re.compile(
    r"(?P<sorted>_s\d+) AS \(SELECT \* FROM (?P<before>_s\d+) ORDER BY .+?"
    r"(?:\),\s+(?P<taken>_s\d+) AS \(SELECT \* FROM (?P=sorted))? LIMIT (?P<limit>\d+)\)\n"
    r"(?P<last>SELECT \* FROM (?:(?P=taken)|(?P=sorted)))\Z"
)
_EVENTS: Final = frozenset(all_tables()) - frozenset(SNAPSHOT_TABLES)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An answer before it is written: names and the service's types, and how much it is.

    ``hours_scanned`` is how many hours of events the query's own times let it read, and
    ``rows_sorted`` how many rows a ``top`` at its end chose from.
    """

    schema: tuple[tuple[str, str], ...]
    rows: int
    hours_scanned: float
    rows_sorted: int
    connection: duckdb.DuckDBPyConnection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def body(self, dialect: Dialect, execution_seconds: float) -> bytes:
        """The answer's body in one of the dialects."""
        return body(self.connection, self.schema, dialect, execution_seconds)


class SyntheticTenant:
    """A tenant's events. Each query runs on a cursor of its own, so threads may share this."""

    def __init__(self, path: Path | None = None) -> None:
        """The tenant of a database that was built; without one, a tenant without any events."""
        self._connection = duckdb.connect(":memory:" if path is None else str(path))
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if path is None:
            create_tables(self._connection)
        for macro in MACROS:
            self._connection.execute(f"CREATE OR REPLACE MACRO {macro}")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def evaluate(self, kql: str, *, visible: Window, row_cap: int) -> Evaluation:
        """The query's answer over the events in ``visible``, cut at ``row_cap`` without a word.

        Raises ``QueryFault``. The order is DuckDB's own where the query gives none.
        """
        sql = to_sql(kql, now=visible.end)
        cursor = self._connection.cursor()
        for table in _tables_named(sql):
            cursor.execute(_visible_view(table, visible))
        try:
            create = f"CREATE TEMP TABLE {_ANSWER} AS FROM ({sql}) LIMIT {row_cap}"
            [(rows,)] = cursor.execute(create).fetchall()
            schema = _conform(cursor)
            rows_sorted = _rows_sorted(cursor, sql, rows, row_cap)
        except duckdb.Error as error:
            cursor.close()
            raise _fault(error) from error
        return Evaluation(schema, rows, _hours_scanned(kql, visible), rows_sorted, cursor)

    def table(self, name: str) -> pa.Table:
        """All rows of a table, straight from the database, under the columns' own names."""
        listed = ", ".join(
            own_time(f'"{held_name(column)}"') if kind == "date" else f'"{held_name(column)}"'
            for column, kind in columns(name).items()
        )
        answer = self._connection.cursor().sql(f"SELECT {listed} FROM {held_table(name)}")
        return answer.to_arrow_table().rename_columns(list(columns(name)))

    def add_late(self, table: str, window: Window, *, rows: int, seed: int) -> None:
        """Events that reach the service only now, though they happened in the window."""
        insert_events(self._connection.cursor(), table, window, rows=rows, seed=seed)

    def add_late_in_bins(
        self, table: str, window: Window, *, bin_ticks: int, share: float, seed: int
    ) -> int:
        """The same for a share of the window's bins; how many events these are."""
        cursor = self._connection.cursor()
        return insert_late(cursor, table, window, bin_ticks=bin_ticks, share=share, seed=seed)

    def insert(self, table: str, rows: Rows) -> None:
        """Add given events: see ``Rows``."""
        insert_rows(self._connection.cursor(), table, rows)

    def clear(self, table: str) -> None:
        """Take all events out of a table."""
        self._connection.cursor().execute(f"TRUNCATE {held_table(table)}")


def _tables_named(sql: str) -> list[str]:
    """The tables whose names the SQL holds, be it as a table's or another's."""
    named = set(re.findall(r'"(\w+)"', sql))
    return [table for table in all_tables() if table in named]


def _visible_view(table: str, visible: Window) -> str:
    """A view in the database's own name for the table, of what the tenant can see of it."""
    view = f'CREATE TEMP VIEW "{table}" AS FROM {held_table(table)}'
    if table in SNAPSHOT_TABLES:
        return view
    start, end = (format_instant(edge) for edge in (visible.start, visible.end))
    return (
        f"{view} WHERE \"Timestamp\" >= TIMESTAMP_NS '{start}' "
        f"AND \"Timestamp\" < TIMESTAMP_NS '{end}'"
    )


def _rows_sorted(cursor: duckdb.DuckDBPyConnection, sql: str, rows: int, row_cap: int) -> int:
    """How many rows were sorted for a ``top`` that ends the query; none where another step does."""
    match = _TOP.search(sql)
    if match is None:
        return 0
    if rows < min(int(match["limit"]), row_cap):
        return rows
    counting = f"{sql[: match.start('last')]}SELECT count(*) FROM {match['before']}"
    [(before,)] = cursor.execute(counting).fetchall()
    return int(before)


def _conform(cursor: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str], ...]:
    """Cast what the service has no type for (a sum's HUGEINT), and name each column's type."""
    described = cursor.execute(f"DESCRIBE {_ANSWER}").fetchall()
    schema = []
    for held, duckdb_name, *_ in described:
        kind = wire_type(duckdb_name)
        if kind is None:
            column = '"' + held.replace('"', '""') + '"'
            target, value = _cast(duckdb_name, column)
            cursor.execute(f"ALTER TABLE {_ANSWER} ALTER {column} TYPE {target} USING {value}")
            kind = wire_type(target) or "String"
        schema.append((own_name(held), kind))
    return tuple(schema)


def _cast(duckdb_name: str, column: str) -> tuple[str, str]:
    """The type that the service has instead of DuckDB's, and SQL for a column's value in it."""
    if duckdb_name == "INTERVAL":
        return (
            TIMESPAN,
            f"CASE WHEN {column} IS NOT NULL THEN {{'ticks': epoch_us({column}) * 10}} END",
        )
    target = "VARCHAR"
    if duckdb_name.endswith("INT"):
        target = "BIGINT"
    elif duckdb_name == "FLOAT":
        target = "DOUBLE"
    elif duckdb_name.startswith("TIMESTAMP"):
        target = "TIMESTAMP_NS"
    elif duckdb_name.endswith("[]") or duckdb_name.startswith("STRUCT"):
        target = "JSON"
    return target, f"{column}::{target}"


def _fault(error: duckdb.Error) -> Exception:
    """What the service would say to a query that DuckDB refuses."""
    text = str(error)
    for marker, table in (("Table with name ", True), ("Referenced column ", False)):
        if marker in text:
            name = text.partition(marker)[2].split(maxsplit=1)[0].strip('"')
            return unresolved(own_name(name), table=table)
    # What the query or its values bring about; a fault of the database itself is ours.
    if isinstance(error, duckdb.ProgrammingError | duckdb.DataError | duckdb.NotSupportedError):
        return QueryFault(f"The stand-in can't run this query: {text.splitlines()[0]}")
    return error


def _hours_scanned(kql: str, visible: Window) -> float:
    """The span between the earliest and the latest datetime in the query, as the service prunes."""
    tokens = code(kql)
    if not any(token.text in _EVENTS for token in tokens):
        return 0.0
    instants = []
    for token in tokens:
        if token.kind is Kind.LITERAL and token.text.startswith("datetime("):
            try:
                instants.append(parse_instant(token.text[len("datetime(") : -1]))
            except ValueError:
                continue
    if len(instants) <= 1:
        return visible.ticks / _HOUR_TICKS
    start, end = max(visible.start, min(instants)), min(visible.end, max(instants))
    return max(0, end - start) / _HOUR_TICKS

"""Events that a test gives the stand-in, to the tick, in place of made-up ones.

What belongs here: tables without events, and putting given rows into them. What does not: making
events up (``synthetic``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import duckdb
import pyarrow as pa

from pipelines.standin.store import (
    SCHEMA,
    all_tables,
    columns,
    duckdb_type,
    held_name,
    held_table,
)
from pipelines.translation import held_instant
from pipelines.windows import NANOSECONDS_PER_TICK

# An Arrow table will do as well; pyarrow ships no types, so none can be named here.
Rows: TypeAlias = Mapping[str, Sequence[Any]] | Any
"""Columns of one length by their names; times and timespans in ticks, dynamic values as JSON."""

_GIVEN: Final = "given_rows"


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every table, without rows."""
    # One transaction: each of its own would wait for the disk.
    connection.begin()
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in all_tables():
        create_table(connection, table)
    connection.commit()


def create_table(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make one table, without rows."""
    kinds = columns(table)
    listed = ", ".join(f'"{held_name(name)}" {duckdb_type(kind)}' for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE {held_table(table)} ({listed})")


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    """Add rows; columns that aren't given are null in them. ``KeyError`` for one not there."""
    given: Mapping[str, Any] = rows if isinstance(rows, Mapping) else _columns(rows)
    known = columns(table)
    kinds = {name: known[name] for name in given}
    held = {held_name(name): _held(values, kinds[name]) for name, values in given.items()}
    targets = ", ".join(f'"{name}"' for name in held)
    listed = ", ".join(_value(held_name(name), kind) for name, kind in kinds.items())
    connection.register(_GIVEN, pa.table(held))
    connection.execute(f"INSERT INTO {held_table(table)} ({targets}) SELECT {listed} FROM {_GIVEN}")
    connection.unregister(_GIVEN)


def _columns(table: pa.Table) -> Mapping[str, Any]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _held(values: Any, kind: str) -> Any:
    if kind != "date":
        return values
    own = values.to_pylist() if isinstance(values, pa.ChunkedArray) else values
    return [None if each is None else held_instant(each) for each in own]


def _value(name: str, kind: str) -> str:
    match kind:
        case "datetime" | "date":
            return f'make_timestamp_ns("{name}"::BIGINT * {NANOSECONDS_PER_TICK})'
        case "timespan":
            return f'CASE WHEN "{name}" IS NOT NULL THEN {{\'ticks\': "{name}"::BIGINT}} END'
        case _:
            return f'"{name}"::{duckdb_type(kind)}'

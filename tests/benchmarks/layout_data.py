"""Process events to lay out, staged in slices: for a number of rows always the same.

What belongs here: what the events look like. What does not: how they are written or queried.

``layout_events.sql`` computes each row from its number, so memory is that of one slice. What a
layout feels is as in real data: about 2,000 devices, of which few are busy; processes that start in
bursts on a device, each the child of the one before; programs and command lines of which few are
most, and some are seen once; hash, size, folder and version of one program go together; columns
that are mostly null; times that rise.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from pipelines.landing.schema import KEPT_ASIDE, arrow_schema

SLICE_ROWS: Final = 100_000

_SQL: Final = Path(__file__).with_name("layout_events.sql")
_DAY_TICKS: Final = 86_400 * 10_000_000
_WIRE_TYPES: Final[Mapping[str, str]] = {
    "TIMESTAMP_NS": "DateTime",
    "VARCHAR": "String",
    "BIGINT": "Int64",
    "BOOLEAN": "SByte",
    "JSON": "Object",
}


def slices(rows: int, slice_rows: int = SLICE_ROWS) -> Iterator[pa.Table]:
    """A day of ``rows`` events in time order, as answers of the service would land."""
    macros, select = _SQL.read_text(encoding="utf-8").split("-- rows\n")
    gap = str(max(4, _DAY_TICKS // rows))
    with duckdb.connect() as connection:
        # A macro takes no parameter of a statement.
        connection.execute(macros.replace("$gap", gap))
        for first in range(0, rows, slice_rows):
            numbers = {"$first": str(first), "$past": str(min(rows, first + slice_rows))}
            found = connection.sql(_filled(select, {**numbers, "$gap": gap}))
            wire = {
                name: _WIRE_TYPES[str(kind)]
                for name, kind in zip(found.columns, found.types, strict=True)
            }
            schema = arrow_schema(wire)
            table = found.to_arrow_table()
            yield table.append_column(KEPT_ASIDE, pa.nulls(table.num_rows)).cast(schema)


def _filled(sql: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        sql = sql.replace(name, value)
    return sql

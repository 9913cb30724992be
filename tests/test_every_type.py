"""What lands equals what the tenant holds, cell for cell, for every type of the contract.

The comparison goes straight from the stand-in's database to the Parquet file: nothing of the
decoder is used on the way, and the expected cells are built from DuckDB's own values.
"""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.engine import Engine
from pipelines.lake import connect
from pipelines.slicing import partition
from pipelines.standin import Standin
from pipelines.windows import NANOSECONDS_PER_TICK
from tests.conftest import TYPES

DAY = partition("daily", "2026-11-18")
INT64_NS_YEARS = range(1678, 2262)
# The tenant's one timespan that nanoseconds can't hold, of 317 years, as each dialect writes it.
LONG_SPAN_TICKS = 10**17
LONG_SPAN = {"graph": "P115740DT17H46M40S", "xdr": "115740.17:46:40", "mde": "115740.17:46:40"}


def held_rows(standin: Standin) -> list[dict[str, Any]]:
    """The day's rows from the database, each cell as the plainest Python value that is exact."""
    table = standin.tenant.table("HuntlakeTypes")
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if name == "Timestamp":
            column = column.cast(pa.int64())
        columns[name] = column.to_pylist()
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return [row for row in rows if row["Timestamp"] // NANOSECONDS_PER_TICK in DAY.window]


def expected(row: dict[str, Any], surface: str) -> tuple[Any, ...]:
    """What a held row must have become: the cells of the file, and what is kept aside."""
    sentinel = row["Sentinel"]
    fits = sentinel is None or sentinel.year in INT64_NS_YEARS
    long = row["Span"]["ticks"] == LONG_SPAN_TICKS
    aside = {} if fits else {"Sentinel": sentinel.isoformat() + "Z"}
    if long:
        aside["Span"] = LONG_SPAN[surface]
    return (
        row["Timestamp"],
        row["Text"],
        row["Flag"],
        row["Small"],
        row["Big"],
        repr(row["Real"]),
        row["Money"],
        None if row["Id"] is None else str(row["Id"]),
        None if long else row["Span"]["ticks"] * NANOSECONDS_PER_TICK,
        json.dumps(json.loads(row["Bag"]), sort_keys=True) if row["Bag"] else None,
        sentinel.isoformat() if fits and sentinel else None,
        row["LogonId"],
        row["LogonID"],
        json.dumps(aside) if aside else None,
    )


def found_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of the file in the same form."""
    wanted = (
        *("Timestamp", "Text", "Flag", "Small", "Big", "Real", "Money", "Id", "Span", "Bag"),
        *("Sentinel", "LogonId_2", "LogonID", "_kept_aside"),
    )
    columns = []
    for name in wanted:
        column = table.column(name)
        if name in ("Timestamp", "Span"):
            column = column.cast(pa.int64())
        if name == "Sentinel":
            column = column.cast(pa.timestamp("us"))
        cells = column.to_pylist()
        if name == "Real":
            cells = [repr(cell) for cell in cells]
        if name == "Sentinel":
            cells = [None if cell is None else cell.isoformat() for cell in cells]
        if name in ("Bag", "_kept_aside"):
            cells = [
                None if cell is None else json.dumps(json.loads(cell), sort_keys=True)
                for cell in cells
            ]
        columns.append(cells)
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_every_cell_of_every_type_is_exact(
    surface: str, serve: Callable[..., Standin], engine_for: Callable[..., Engine]
) -> None:
    """Sixty rows with all that breaks decoders, in slices of at most twenty, on each surface."""
    standin = serve(rows=20, calls=())
    engine = engine_for(standin, surface=surface, limits="seed,rows=20,calls_per_minute=1000")
    [exported] = engine.export(TYPES, [DAY])
    rows = held_rows(standin)
    if surface == "graph":
        # Graph writes null as {}, so an empty object can't be told from it: the tenant holds none.
        assert all(row["Bag"] != "{}" for row in rows)
    assert sorted(map(repr, found_rows(pq.read_table(exported.path, partitioning=None)))) == sorted(
        repr(expected(row, surface)) for row in rows
    )
    aside = [json.loads(expected(row, surface)[-1] or "{}") for row in rows]
    assert exported.receipt.kept_aside == sum(map(len, aside)) > 0


def test_the_types_are_those_of_the_contract(
    serve: Callable[..., Standin], engine_for: Callable[..., Engine]
) -> None:
    """Each column has the Arrow type of its own, and DuckDB reads it as precisely."""
    engine = engine_for(serve())
    [exported] = engine.export(TYPES, [DAY])
    assert {field.name: str(field.type) for field in exported.schema} == {
        "Timestamp": "timestamp[ns, tz=UTC]",
        "Text": "string",
        "Flag": "bool",
        "Small": "int32",
        "Big": "int64",
        "Real": "double",
        "Money": "decimal128(38, 17)",
        "Id": "string",
        "Span": "duration[ns]",
        "Bag": "string",
        "Sentinel": "timestamp[ns, tz=UTC]",
        "LogonId_2": "int64",
        "LogonID": "string",
        "_kept_aside": "string",
    }
    with connect(engine.layout) as lake:
        described = {name: kind for name, kind, *_ in lake.sql("DESCRIBE types").fetchall()}
    assert described["Timestamp"] == "TIMESTAMPTZ_NS"
    assert described["Money"] == "DECIMAL(38,17)"
    assert (described["tenant"], described["date"]) == ("VARCHAR", "DATE")


def test_duckdb_sees_the_same_ticks(
    serve: Callable[..., Standin], engine_for: Callable[..., Engine]
) -> None:
    """An analyst's range to the last tick of the day holds the row on that tick."""
    standin = serve()
    engine = engine_for(standin)
    list(engine.export(TYPES, [DAY]))
    with connect(engine.layout) as lake:
        [(last, in_tick)] = lake.sql(
            "SELECT epoch_ns(max(Timestamp)), count(*) FILTER "
            "(WHERE Timestamp >= '2026-11-18 23:59:59.9999999+00') FROM types"
        ).fetchall()
    assert last == max(row["Timestamp"] for row in held_rows(standin))
    assert last == (DAY.window.end - 1) * NANOSECONDS_PER_TICK
    assert in_tick == 1

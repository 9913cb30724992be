"""Other ways from the bytes of a body to a Parquet file, as a good engineer would write each.

What belongs here: the peers, and what they share. What does not: ours (``landing_ours``), measuring
(``landing_run``), telling which are right (``landing_check``).

All write zstd and give each column the type that its schema says; json, orjson and msgspec put the
keys of dynamic values in order, which the other libraries can't. None sorts rows, syncs to disk or
keeps aside what doesn't fit. Libraries are imported where they are used, so that a process has its
own peer's alone.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from tests.benchmarks.landing_bodies import Shape

_MARKER: Final = "@odata.type"


@dataclass(frozen=True, slots=True)
class Peer:
    """One way. ``modules`` are what it imports; ``reads`` which form of the answer it is given.

    ``lands``: it writes a file; else it only shows a limit. ``usual``: it is run where nobody
    chooses; the others are near to one that is.
    """

    name: str
    modules: tuple[str, ...]
    land: Callable[[bytes, Shape, Path], None]
    reads: Literal["body", "ndjson"] = "body"
    lands: bool = True
    usual: bool = True


def _ours(body: bytes, shape: Shape, target: Path) -> None:
    from tests.benchmarks import landing_ours

    landing_ours.land(body, shape.dialect, target)


def from_pylist(body: bytes, shape: Shape, target: Path) -> None:
    """What most scripts do: the standard library, and rows whose types pyarrow guesses."""
    import pyarrow as pa

    rows = _results(json.loads(body))
    _clean_rows(rows, shape, _canonical)
    _write(pa.Table.from_pylist(rows), shape, target)


def _from_pylist_typed(body: bytes, shape: Shape, target: Path) -> None:
    """The same, with the types told."""
    import pyarrow as pa

    rows = _results(json.loads(body))
    _clean_rows(rows, shape, _canonical)
    _write(pa.Table.from_pylist(rows, schema=_wire_schema(shape)), shape, target)


def orjson_columns(body: bytes, shape: Shape, target: Path) -> None:
    """A quick parser, and one array for each column."""
    import orjson

    rows = _results(orjson.loads(body))
    _clean_rows(
        rows, shape, lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    )
    columns = {name: map(itemgetter(name), rows) for name in shape.columns}
    _write(_table(columns, shape), shape, target)


def _msgspec(body: bytes, shape: Shape, target: Path) -> None:
    """Structs made for the schema, so that the parser makes no dicts."""
    import msgspec

    # Graph's null is an object.
    null = dict | None if shape.dialect == "odata" else None
    whole: Any = int | null
    kinds = {"Int32": whole, "Int64": whole, "SByte": whole, "Object": Any}
    in_order = msgspec.json.Encoder(order="deterministic")
    fields = [(name, kinds.get(kind, str | null)) for name, kind in shape.columns.items()]
    row = msgspec.defstruct("Row", fields, gc=False)
    results = "results" if shape.dialect == "odata" else "Results"
    envelope = msgspec.defstruct("Envelope", [(results, list[row])])
    rows = getattr(msgspec.json.decode(body, type=envelope), results)
    columns: dict[str, Iterable[Any]] = {}
    for name, kind in shape.columns.items():
        values = [getattr(each, name) for each in rows]
        if shape.dialect == "odata":
            values = [None if value == {} else value for value in values]
        if kind == "Object":
            values = [_dumped(value, lambda v: in_order.encode(v).decode()) for value in values]
        columns[name] = values
    _write(_table(columns, shape), shape, target)


def _polars(body: bytes, shape: Shape, target: Path) -> None:
    """Its reader of lines, over the array with each row on its own line."""
    import polars as pl

    kinds = {"Int32": pl.Int32, "Int64": pl.Int64, "SByte": pl.Int64}
    schema = {name: kinds.get(kind, pl.String) for name, kind in shape.columns.items()}
    frame = pl.read_ndjson(_lines(body, shape), schema=schema)
    times = [name for name, kind in shape.columns.items() if kind == "DateTime"]
    truths = [name for name, kind in shape.columns.items() if kind == "SByte"]
    frame = frame.with_columns(
        pl.col(times).str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC", strict=True
        ),
        pl.col(truths).cast(pl.Boolean),
    )
    beside = target.with_suffix(".partial")
    frame.write_parquet(beside, compression="zstd")
    beside.replace(target)


def _pyarrow_lines(body: bytes, shape: Shape, target: Path) -> None:
    """Its reader of lines, over the array with each row on its own line: two threads, no checks."""
    _pyarrow_json(_lines(body, shape), shape, target)


def _pyarrow_json(lines: bytes, shape: Shape, target: Path) -> None:
    """The floor: lines that somebody else has made, without noise, and dynamic values as texts."""
    import pyarrow as pa
    from pyarrow import json as pa_json

    table = pa_json.read_json(
        pa.BufferReader(lines),
        read_options=pa_json.ReadOptions(block_size=4 << 20),
        parse_options=pa_json.ParseOptions(
            explicit_schema=_wire_schema(shape), unexpected_field_behavior="ignore"
        ),
    )
    _write(table, shape, target)


def _duckdb(time_type: str) -> Callable[[bytes, Shape, Path], None]:
    def land(body: bytes, shape: Shape, target: Path) -> None:
        """Its reader of JSON on the array cut out of the body, and its own writer."""
        import duckdb

        array, beside = target.with_suffix(".json"), target.with_suffix(".partial")
        with array.open("wb") as file:
            file.write(memoryview(body)[body.index(_begins(shape)) + len(_begins(shape)) - 1 : -1])
        types = {
            "DateTime": time_type,
            "SByte": "BOOLEAN",
            "Int32": "INTEGER",
            "Int64": "BIGINT",
            "Object": "JSON",
        }
        kinds = {name: types.get(kind, "VARCHAR") for name, kind in shape.columns.items()}
        read = {name: "JSON" if kind == "JSON" else "VARCHAR" for name, kind in kinds.items()}
        value = "nullif(\"{0}\", '{{}}')" if shape.dialect == "odata" else '"{0}"'
        listed = ", ".join(
            f'{value.format(name)}::{kind} AS "{name}"' for name, kind in kinds.items()
        )
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"COPY (SELECT {listed} FROM read_json('{array}', format = 'array', "
                f"columns = {read!r})) TO '{beside}' (FORMAT parquet, COMPRESSION zstd)"
            )
        array.unlink()
        beside.replace(target)

    return land


def _raw_parse(body: bytes, shape: Shape, target: Path) -> None:
    """Nothing but the parse, into simdjson's own tape: no way from JSON to anything is quicker."""
    import simdjson

    del shape, target
    simdjson.Parser().parse(body)


_ARROW: Final = ("pyarrow", "pyarrow.parquet", "pyarrow.compute")
PEERS: Final[Mapping[str, Peer]] = MappingProxyType(
    {
        peer.name: peer
        for peer in (
            Peer("ours", ("tests.benchmarks.landing_ours",), _ours),
            Peer("json_from_pylist", _ARROW, from_pylist),
            Peer("json_from_pylist_typed", _ARROW, _from_pylist_typed, usual=False),
            Peer("orjson", ("orjson", *_ARROW), orjson_columns),
            Peer("msgspec", ("msgspec", *_ARROW), _msgspec),
            Peer("polars_ndjson", ("polars",), _polars),
            Peer("duckdb", ("duckdb",), _duckdb("TIMESTAMPTZ"), usual=False),
            Peer("duckdb_ns", ("duckdb",), _duckdb("TIMESTAMPTZ_NS")),
            Peer("pyarrow_lines", (*_ARROW, "pyarrow.json"), _pyarrow_lines, usual=False),
            Peer("pyarrow_json_floor", (*_ARROW, "pyarrow.json"), _pyarrow_json, reads="ndjson"),
            Peer("raw_parse_limit", ("simdjson",), _raw_parse, lands=False),
        )
    }
)


def _results(envelope: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = envelope.get("Results") or envelope["results"]
    return found


def _begins(shape: Shape) -> bytes:
    return b'"results":[' if shape.dialect == "odata" else b'"Results":['


def _lines(body: bytes, shape: Shape) -> bytes:
    """The rows, each on its own line, by the first key of each."""
    first = next(iter(shape.columns))
    array = body[body.index(_begins(shape)) + len(_begins(shape)) : -2]
    return array.replace(f'}},{{"{first}"'.encode(), f'}}\n{{"{first}"'.encode())


def _clean_rows(rows: list[dict[str, Any]], shape: Shape, dump: Callable[[Any], str]) -> None:
    """Dynamic values become their text, and what Graph adds goes."""
    dynamic = [name for name, kind in shape.columns.items() if kind == "Object"]
    if shape.dialect == "odata":
        for row in rows:
            for name in shape.columns:
                if row[name] == {}:
                    row[name] = None
    elif not dynamic:
        return
    for row in rows:
        for name in dynamic:
            row[name] = _dumped(row[name], dump)


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _dumped(value: Any, dump: Callable[[Any], str]) -> str | None:
    return None if value is None else dump(_without_markers(value))


def _without_markers(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_markers(each) for k, each in value.items() if k != _MARKER}
    return [_without_markers(each) for each in value] if isinstance(value, list) else value


def _wire_schema(shape: Shape) -> Any:
    """How each column comes before it is cast: times as text, truths as 0 and 1."""
    import pyarrow as pa

    kinds = {"Int32": pa.int32(), "Int64": pa.int64(), "SByte": pa.int8()}
    return pa.schema([(name, kinds.get(kind, pa.string())) for name, kind in shape.columns.items()])


def _table(columns: Mapping[str, Iterable[Any]], shape: Shape) -> Any:
    import pyarrow as pa

    schema = _wire_schema(shape)
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def _write(table: Any, shape: Shape, target: Path) -> None:
    """The columns in their types, and pyarrow's own writer, with zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"DateTime": pa.timestamp("ns", "UTC"), "SByte": pa.bool_()}
    fields = [(name, types.get(kind)) for name, kind in shape.columns.items()]
    arrays: Sequence[Any] = [
        table.column(name) if kind is None else table.column(name).cast(kind)
        for name, kind in fields
    ]
    beside = target.with_suffix(".partial")
    pq.write_table(pa.table(arrays, names=[*shape.columns]), beside, compression="zstd")
    beside.replace(target)

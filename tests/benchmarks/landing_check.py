"""Whether a peer's file holds what the body says.

What belongs here: comparing a file's cells with those of the slow reference decoder. What does not:
peers (``landing_peers``).
"""

import json
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.landing import WIRE_NAME
from tests.benchmarks.landing_bodies import Shape
from tests.landing.reference import Num, as_comparable, cells

_SHOWN: Final = 60


def what_is_wrong(body: bytes, shape: Shape, landed: Path) -> str | None:
    """The first column that differs, and how; ``None`` where all cells are right.

    The rows' order counts for nothing; the order of a dynamic value's keys does, since equal values
    are to be equal texts.
    """
    table = pq.read_table(landed, partitioning=None)
    expected = cells(body, shape.dialect)
    names = {
        (field.metadata or {}).get(WIRE_NAME, field.name.encode()).decode(): field.name
        for field in table.schema
    }
    wanted = {name: expected[f"column {name}"] for name in shape.columns}
    if lacking := wanted.keys() - names.keys():
        return f"lacks {min(lacking)}"
    if table.num_rows != len(wanted[next(iter(wanted))]):
        return f"has {table.num_rows} rows"
    found = {name: _cells(table.column(names[name]), kind) for name, kind in shape.columns.items()}
    # Ours is sorted by time: both are brought into one order, by their columns' own values.
    ours, theirs = _in_order(found, shape), _in_order(wanted, shape)
    for name, kind in shape.columns.items():
        for got, want in zip(ours[name], theirs[name], strict=True):
            if type(got) is not type(want) or got != want:
                if kind == "Object" and _is_same_value(got, want):
                    return f"{name}: right values, but not as canonical texts"
                return f"{name}: {_short(got)} for {_short(want)}"
    return None


def _cells(column: pa.ChunkedArray, kind: str) -> list[Any]:
    if kind == "DateTime" and pa.types.is_timestamp(column.type):
        # A microsecond's digits are all there is where a writer cut the others.
        column = pc.cast(column, pa.timestamp("ns", "UTC")).cast(pa.int64())
    return [as_comparable(value) for value in column.to_pylist()]


def _in_order(columns: dict[str, list[Any]], shape: Shape) -> dict[str, list[Any]]:
    """By the columns that every peer can hold: texts and whole numbers."""
    keys = [columns[name] for name, kind in shape.columns.items() if kind in ("String", "Int64")]
    order = sorted(
        range(len(keys[0])), key=lambda row: [(key[row] is not None, str(key[row])) for key in keys]
    )
    return {name: [values[row] for row in order] for name, values in columns.items()}


def _is_same_value(got: Any, want: Any) -> bool:
    try:
        return _read(got) == _read(want)
    except (TypeError, ValueError):
        return False


def _read(text: str) -> Any:
    return json.loads(text, parse_float=Num, parse_int=Num)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

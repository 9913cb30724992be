"""From the schema of an answer to an Arrow schema: types and names.

What belongs here: the two tables of rules, for types and for names. What does not: values
(``values``). Types come from the answer's schema alone, so that a column has one type on every day.

| service    | Arrow               | note                                                         |
|------------|---------------------|--------------------------------------------------------------|
| DateTime   | timestamp[ns, UTC]  | the tick is 100 ns; years 1678 to 2261 fit                   |
| String     | string              | ``""`` is not null                                           |
| SByte      | bool                | the service's name for a bool; Boolean is the same           |
| Int32      | int32               |                                                              |
| Int64      | int64               |                                                              |
| Double     | double              |                                                              |
| SqlDecimal | decimal128(38, 17)  | Kusto's own decimal has 34 digits, 17 of them a fraction     |
| Guid       | string              | as the service writes it                                     |
| TimeSpan   | duration[ns]        | Parquet has no such type: DuckDB shows a BIGINT of ns        |
| Object     | string              | canonical JSON                                               |
| any other  | string              | text as it is; anything else as canonical JSON               |
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

# What a column's type can't hold stands here, verbatim, in the same row: {"<column>": <value>}.
KEPT_ASIDE: Final = "_kept_aside"
# The lake's folders give the views columns of these names.
RESERVED_NAMES: Final = (KEPT_ASIDE, "tenant", "date", "hour")

WIRE_NAME: Final = b"huntlake.wire_name"
WIRE_TYPE: Final = b"huntlake.wire_type"

_ARROW_TYPES: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "DateTime": pa.timestamp("ns", "UTC"),
        "String": pa.string(),
        "SByte": pa.bool_(),
        "Boolean": pa.bool_(),
        "Int32": pa.int32(),
        "Int64": pa.int64(),
        "Double": pa.float64(),
        "SqlDecimal": pa.decimal128(38, 17),
        "Guid": pa.string(),
        "TimeSpan": pa.duration("ns"),
        "Object": pa.string(),
    }
)

KEPT_ASIDE_FIELD: Final = pa.field(KEPT_ASIDE, pa.string())


def may_hold_objects(wire_type: str) -> bool:
    """Whether values of a type may be objects: dynamic ones, or of a type that is not known."""
    return wire_type == "Object" or wire_type not in _ARROW_TYPES


def arrow_type(wire_type: str) -> pa.DataType:
    """The Arrow type of a service's type."""
    return _ARROW_TYPES.get(wire_type, pa.string())


def is_plain_text(wire_type: str) -> bool:
    """Whether a column of the type holds texts as they are, and not the JSON of a dynamic."""
    return pa.types.is_string(arrow_type(wire_type)) and wire_type != "Object"


def landed_names(names: Iterable[str]) -> dict[str, str]:
    """The landed name of each of a set of distinct column names.

    DuckDB compares names without case and answers for the first of two that collide. So of names
    that differ by case alone the first in code-point order keeps its name, and the others get _2,
    _3, ...: ``LogonID`` stays, ``LogonId`` lands as ``LogonId_2``. The order of columns, which the
    service changes at will, does not matter. A name that the lake itself uses is never the first.
    """
    taken = {name.casefold() for name in RESERVED_NAMES}
    landed: dict[str, str] = {}
    postponed: list[str] = []
    for name in sorted(names):
        if name.casefold() in taken:
            postponed.append(name)
        else:
            landed[name] = name
            taken.add(name.casefold())
    for name in postponed:
        number = 2
        while f"{name}_{number}".casefold() in taken:
            number += 1
        landed[name] = f"{name}_{number}"
        taken.add(landed[name].casefold())
    return landed


def arrow_schema(columns: Mapping[str, str], landed: Mapping[str, str] | None = None) -> pa.Schema:
    """The schema of an answer with these columns (name to service's type), and ``KEPT_ASIDE``.

    Each field's metadata keeps the name and the type that the service gave it. ``landed`` names the
    columns where others than these have a say in it.
    """
    landed = landed_names(columns) if landed is None else landed
    fields = [
        pa.field(
            landed[name],
            arrow_type(wire_type),
            metadata={WIRE_NAME: name.encode(), WIRE_TYPE: wire_type.encode()},
        )
        for name, wire_type in columns.items()
    ]
    return pa.schema([*fields, KEPT_ASIDE_FIELD])


def wire_columns(schema: pa.Schema) -> dict[str, str]:
    """The service's names and types of a landed schema, in its order."""
    return {
        field.metadata[WIRE_NAME].decode(): field.metadata[WIRE_TYPE].decode()
        for field in schema
        if field.metadata and WIRE_NAME in field.metadata
    }

"""The noise that one dialect adds to the service's values, and its removal.

What belongs here: what `graph` writes differently from the others. What does not: types.

`graph` marks types beside and inside values, writes null as ``{}`` for every type (so a real empty
object can't be told from null), and an array of objects as an array of JSON texts.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landing.canonical import RepeatedKeys, read_json
from pipelines.landing.schema import may_hold_objects

Dialect = Literal["odata", "plain"]

_PREFIX: Final = "@odata."
_MARKER: Final = "@odata.type"
_TYPE: Final = "#"
_GRAPH_TYPE: Final = "#microsoft.graph."
_NESTED: Final = frozenset({dict, list, RepeatedKeys})


def is_noise(key: str, value: Any, columns: Collection[str], dialect: Dialect) -> bool:
    """Whether a member of a row is an annotation: of the row, or of one of its columns."""
    # Nor is a number, which may be a text of its digits, any annotation.
    is_null = value is None or value == {}
    if dialect == "plain" or key in columns or not (is_null or type(value) is str):
        return False
    if key.startswith(_PREFIX):
        return True
    return key.removesuffix(_MARKER) in columns and (is_null or value.startswith(_TYPE))


def are_sidecars(texts: pa.Array) -> bool:
    """Whether all values of such a key say a type."""
    if texts.null_count == len(texts):
        return True
    are: bool = pc.all(pc.starts_with(texts, _TYPE)).as_py()
    return are


def sidecar(column: str) -> str:
    """The key under which Graph may say a column's type."""
    return f"{column}{_MARKER}"


def is_clean(text: bytes) -> bool:
    """Whether the JSON text of graph's dynamic value, without escapes, plainly holds no noise."""
    return b"@odata" not in text and b'"{' not in text and text != b"{}"


def without_noise(values: list[Any], wire_type: str, dialect: Dialect) -> list[Any]:
    """A column's values without what the dialect adds."""
    if dialect == "plain" or set(map(type, values)).isdisjoint(_NESTED):
        return values
    if not may_hold_objects(wire_type):
        return [None if value == {} else value for value in values]
    return [None if value == {} else _cleaned(value) for value in values]


def _cleaned(value: Any) -> Any:
    if isinstance(value, RepeatedKeys):
        return RepeatedKeys(
            (key, _cleaned(each)) for key, each in value if not _is_marker(key, each)
        )
    if isinstance(value, list):
        return (
            [_from_text(each) for each in value]
            if _are_objects(value)
            else [_cleaned(each) for each in value]
        )
    if isinstance(value, Mapping):
        return {key: _cleaned(each) for key, each in value.items() if not _is_marker(key, each)}
    return value


def _is_marker(key: str, value: Any) -> bool:
    """Whether a member only says what Graph takes its object, or a neighbour, for."""
    if key == _MARKER:
        return isinstance(value, str) and value.startswith(_GRAPH_TYPE)
    return key.endswith(_MARKER) and isinstance(value, str) and value.startswith(_TYPE)


def _are_objects(values: list[Any]) -> bool:
    """Whether every element is the JSON text of an object: how Graph writes an array of objects."""
    return bool(values) and all(
        isinstance(value, str) and isinstance(_read_or_none(value), dict | RepeatedKeys)
        for value in values
    )


def _from_text(text: str) -> Any:
    return _cleaned(read_json(text))


def _read_or_none(text: str) -> Any:
    if not text.startswith("{"):
        return None
    try:
        return read_json(text)
    except ValueError:
        return None

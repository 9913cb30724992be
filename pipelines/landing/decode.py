"""From the body of an answer to an Arrow table.

What belongs here: the envelope, and putting columns together. What does not: types (``schema``),
values (``values``) and the noise of a dialect (``dialects``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipelines.errors import MalformedResponse
from pipelines.landing.canonical import Number, has_lone_surrogate, read_json, write_json
from pipelines.landing.dialects import Dialect, is_noise, without_noise
from pipelines.landing.schema import arrow_schema
from pipelines.landing.values import to_array


@dataclass(frozen=True, slots=True)
class Answer:
    """One decoded answer.

    ``table`` has the landed columns and, last, ``KEPT_ASIDE``; ``kept_aside`` counts the values
    that their type can't hold. ``execution_seconds`` is what the service says that it ran for, and
    ``stated_rows`` how many rows it says that it found, where it says so.
    """

    table: pa.Table = field(repr=False)
    execution_seconds: float | None
    kept_aside: int
    stated_rows: int | None = None

    @property
    def rows(self) -> int:
        """The rows of the answer."""
        count: int = self.table.num_rows
        return count


def decode(body: bytes, dialect: Dialect) -> Answer:
    """The answer in ``body``. Raises ``MalformedResponse`` for anything that isn't a whole one."""
    try:
        return _answer(_envelope(body), dialect)
    except RecursionError as error:
        raise MalformedResponse("the answer is nested too deeply") from error


def _answer(envelope: Mapping[str, Any], dialect: Dialect) -> Answer:
    rows = _rows(envelope)
    columns = _columns(envelope, has_rows=bool(rows))
    schema = arrow_schema(columns)
    aside: dict[int, dict[str, Any]] = {}
    _keep_unknown(rows, columns, dialect, aside)
    arrays = []
    for name, wire_type in columns.items():
        values = without_noise([row.get(name) for row in rows], wire_type, dialect)
        array, odd = to_array(values, wire_type)
        arrays.append(array)
        for row, value in odd.items():
            aside.setdefault(row, {})[name] = value
    arrays.append(_aside_array(aside, len(rows)))
    return Answer(
        table=pa.table(arrays, schema=schema),
        execution_seconds=_execution_seconds(envelope),
        kept_aside=sum(map(len, aside.values())),
        stated_rows=_stated_rows(envelope),
    )


def _envelope(body: bytes) -> Mapping[str, Any]:
    """The members of the outermost object, by their names in lower case."""
    try:
        value = read_json(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedResponse(f"the answer is not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        # The error's own text names a place and no content.
        raise MalformedResponse(f"the answer is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedResponse("the answer is not a JSON object")
    if "error" in value:
        raise MalformedResponse("the answer holds an error instead of results")
    envelope = {key.lower(): member for key, member in value.items()}
    if len(envelope) != len(value):
        raise MalformedResponse("the answer has a member twice")
    if any(key.endswith("nextlink") for key in envelope):
        raise MalformedResponse("the answer says that it goes on elsewhere, which none is known to")
    return envelope


def _rows(envelope: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = envelope.get("results")
    if not isinstance(rows, list):
        raise MalformedResponse("the answer has no list of results")
    if not set(map(type, rows)) <= {dict}:
        raise MalformedResponse("a result is not an object, or has a key twice")
    return rows


def _columns(envelope: Mapping[str, Any], *, has_rows: bool) -> dict[str, str]:
    """Names and types. An answer without rows may come without a schema; no other may."""
    listed = envelope.get("schema") or []
    if not isinstance(listed, list) or (has_rows and not listed):
        raise MalformedResponse("the answer has results but no schema")
    columns: dict[str, str] = {}
    for entry in listed:
        name, wire_type = _column(entry)
        if name in columns:
            raise MalformedResponse(f"the schema lists the column {name!r} twice")
        columns[name] = wire_type
    return columns


def _column(entry: Any) -> tuple[str, str]:
    members = (
        {key.lower(): value for key, value in entry.items()} if isinstance(entry, dict) else {}
    )
    name, wire_type = members.get("name"), members.get("type")
    if not isinstance(name, str) or not isinstance(wire_type, str):
        raise MalformedResponse("the schema has an entry without a name and a type")
    if has_lone_surrogate(name + wire_type):
        raise MalformedResponse("the schema has a name or a type that is not Unicode")
    return name, wire_type


def _keep_unknown(
    rows: list[dict[str, Any]],
    columns: Mapping[str, str],
    dialect: Dialect,
    aside: dict[int, dict[str, Any]],
) -> None:
    """Keep the values of keys that the schema doesn't list: nothing is lost in silence."""
    unknown = {
        key for key in set().union(*rows) - columns.keys() if not is_noise(key, columns, dialect)
    }
    if not unknown:
        return
    for number, row in enumerate(rows):
        for key in unknown & row.keys():
            aside.setdefault(number, {})[key] = row[key]


def _aside_array(aside: Mapping[int, Mapping[str, Any]], rows: int) -> pa.Array:
    texts: list[str | None] = [None] * rows
    for row, kept in aside.items():
        texts[row] = write_json(kept)
    return pa.array(texts, pa.string())


def _stated_rows(envelope: Mapping[str, Any]) -> int | None:
    """The rows of the result by its statistics, which Graph leaves out."""
    stats = envelope.get("stats")
    listed = stats.get("dataset_statistics") if isinstance(stats, dict) else None
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return None
    rows = listed[0].get("table_row_count")
    return rows if type(rows) is int else None


def _execution_seconds(envelope: Mapping[str, Any]) -> float | None:
    stats = envelope.get("stats")
    seconds = stats.get("ExecutionTime") if isinstance(stats, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, Number | int):
        return None
    # The quota is counted with it: a figure that is none must not block it for ever.
    number = float(seconds)
    return number if math.isfinite(number) and number >= 0 else None

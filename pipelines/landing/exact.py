"""The exact way for rows: plain JSON, value by value, whatever they hold.

What belongs here: rows of text to rows of Python values, and those to a table. What does not: what
a value becomes (``values``), or the fast way for rows of the usual form (``blocks``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from pipelines.errors import MalformedResponse
from pipelines.landing.canonical import read_json_at, write_json
from pipelines.landing.dialects import Dialect, is_noise, without_noise
from pipelines.landing.schema import arrow_schema
from pipelines.landing.values import to_array

Row = dict[str, Any]

_SPACE: Final = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows as they land, and how many of their values are kept aside."""

    table: pa.Table = field(repr=False)
    kept_aside: int


@dataclass(frozen=True, slots=True)
class Read:
    """The rows that stand whole at the beginning of a text, and the text after them.

    ``ended``: the list of rows ends before ``rest``, which begins with its bracket. Else ``rest``
    begins with the row that isn't whole, if it is not empty.
    """

    rows: list[Row]
    rest: str
    ended: bool


def read_rows(text: str, *, may_be_empty: bool = False) -> Read:
    """Read rows with commas between them, as far as they are whole.

    ``may_be_empty``: the list may end at once. Raises ``MalformedResponse`` where what is whole is
    no list of objects.
    """
    rows: list[Row] = []
    place = _after_space(text, 0)
    if may_be_empty and text.startswith("]", place):
        return Read(rows, text[place:], ended=True)
    while place < len(text):
        try:
            row, end = read_json_at(text, place)
        except ValueError:
            return Read(rows, text[place:], ended=False)
        if type(row) is not dict:
            raise MalformedResponse("a result is not an object, or has a key twice")
        rows.append(row)
        after = _after_space(text, end)
        if text.startswith("]", after):
            return Read(rows, text[after:], ended=True)
        if after < len(text) and text[after] != ",":
            raise MalformedResponse("the answer is not JSON: there is no comma between two results")
        place = _after_space(text, after + 1)
        if after < len(text) <= place:
            # More must come: what is left is not nothing.
            return Read(rows, ",", ended=False)
    return Read(rows, "", ended=False)


def to_rows(rows: Sequence[Row], columns: Mapping[str, str], dialect: Dialect) -> Rows:
    """The rows as a table with these columns (name to service's type) and ``KEPT_ASIDE``."""
    aside: dict[int, Row] = {}
    _keep_unknown(rows, columns, dialect, aside)
    arrays = []
    for name, wire_type in columns.items():
        values = without_noise([row.get(name) for row in rows], wire_type, dialect)
        array, odd = to_array(values, wire_type)
        arrays.append(array)
        for row, value in odd.items():
            aside.setdefault(row, {})[name] = value
    arrays.append(aside_array(aside, len(rows)))
    return Rows(pa.table(arrays, schema=arrow_schema(columns)), sum(map(len, aside.values())))


def aside_array(aside: Mapping[int, Mapping[str, Any]], rows: int) -> pa.Array:
    """What is kept aside, by row, as the column that stands beside the others."""
    if not aside:
        return pa.nulls(rows, pa.string())
    texts: list[str | None] = [None] * rows
    for row, kept in aside.items():
        texts[row] = write_json(kept)
    return pa.array(texts, pa.string())


def _keep_unknown(
    rows: Sequence[Row], columns: Mapping[str, str], dialect: Dialect, aside: dict[int, Row]
) -> None:
    """Keep the values of keys that the schema doesn't list: nothing is lost in silence."""
    unknown = set().union(*rows) - columns.keys()
    if not unknown:
        return
    for number, row in enumerate(rows):
        for key in unknown & row.keys():
            if not is_noise(key, row[key], columns, dialect):
                aside.setdefault(number, {})[key] = row[key]


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place

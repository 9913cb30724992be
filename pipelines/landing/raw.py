"""Columns whose values are taken out of a block as they are written.

What belongs here: cutting such values out of rows (dynamic values, which may be anything, and types
that need each digit), and what they become. What does not: the other columns (``blocks``).
"""

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landing.canonical import read_json, read_json_at
from pipelines.landing.dialects import Dialect, is_clean, without_noise
from pipelines.landing.dynamic import DynamicTexts
from pipelines.landing.values import Odd, to_array

_AS_IS: Final = msgspec.json.Encoder()
# A row whose first colon has a space behind it.
_SPACED: Final = re.compile(rb'[^\[]*\[\s*\{\s*"(?:[^"\\]|\\.)*": ')
# Most rows are shorter; a longer one is looked for in all of the block.
_BYTES_OF_A_ROW: Final = 32 * 2**10
# What stands in the block in place of a value that was taken out.
_STAND_IN: Final = b"0"
_NULL: Final = b"null"


class Unusual(Exception):
    """The block is not of the usual form: the exact way must read it."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """The rows' text without the values of some columns; and those values row by row.

    ``values`` is by column; a value is ``None`` where a row lacks the column.
    """

    text: bytes
    rows: int
    values: Mapping[str, Sequence[msgspec.Raw | None]]


class RawColumns:
    """The columns of an answer that are taken out. ``wire_types`` has the service's names of them.

    Raises ``Unusual`` for names that can't be looked for.
    """

    def __init__(self, wire_types: Mapping[str, str], dialect: Dialect) -> None:
        self.names = tuple(wire_types)
        self._wire_types = wire_types
        self._dialect = dialect
        self._dynamic = {
            name: DynamicTexts() for name, wire_type in wire_types.items() if wire_type == "Object"
        }
        self._fields = {name: f"member_{number}" for number, name in enumerate(self.names)}
        members = [
            (field, msgspec.Raw, msgspec.field(name=name, default=None))
            for name, field in self._fields.items()
        ]
        try:
            # What else a row has is passed over: pyarrow reads it.
            row = msgspec.defstruct("Row", members, gc=False)
        except ValueError as error:
            # A name with quotes, backslashes or control characters.
            raise Unusual from error
        listed = msgspec.defstruct("Listed", [("rows", types.GenericAlias(list, (row,)))])
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(listed)

    def take_out(self, text: bytes) -> TakenOut:
        """Cut the values out of an object that has the rows as its one list, ``rows``.

        Raises ``Unusual`` where they aren't a list of objects.
        """
        try:
            rows = self._decoder.decode(text).rows
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Unusual from error
        values = {name: list(map(attrgetter(field), rows)) for name, field in self._fields.items()}
        return TakenOut(self._without(text, values), len(rows), values)

    def _without(self, text: bytes, values: Mapping[str, Sequence[msgspec.Raw | None]]) -> bytes:
        """The text with the stand-in where the values are. Raises ``Unusual``.

        Between a row's values of these columns only plain ones stand, in which no such key can.
        Should rows have their keys in other orders, one is found in a later row than its own, and
        so none for the last.
        """
        names = self._in_order(text)
        colon = b": " if _SPACED.match(text) else b":"
        keys = [_AS_IS.encode(name) + colon for name in names]
        pieces: list[bytes] = []
        place = 0
        for row in zip(*(values[name] for name in names), strict=True):
            for key, value in zip(keys, row, strict=True):
                if value is None:
                    continue
                start = text.find(key, place) + len(key)
                end = start + len(value)
                if start < len(key) or text.find(value, start, end) != start:
                    raise Unusual
                pieces.append(text[place:start])
                place = end
        pieces.append(text[place:])
        return _STAND_IN.join(pieces)

    def _in_order(self, text: bytes) -> list[str]:
        """The columns in the order of the first row's keys; those that it lacks are the last."""
        start = text.find(b"{", 1)
        for end in (start + _BYTES_OF_A_ROW, len(text)):
            try:
                row, _ = read_json_at(text[start:end].decode(errors="replace"), 0)
            except ValueError:
                continue
            if not isinstance(row, dict):
                break
            places = {key: place for place, key in enumerate(row)}
            return sorted(self.names, key=lambda name: places.get(name, len(places)))
        raise Unusual

    def to_array(self, name: str, taken: TakenOut) -> tuple[pa.Array, Odd]:
        """The column; and by row, verbatim, what its type can't hold."""
        column = taken.values[name]
        values = [value for value in column if value is not None]
        odd: Odd = {}
        if name in self._dynamic:
            array = self._texts(name, values)
        else:
            array, odd = self._cells(self._wire_types[name], list(map(bytes, values)))
        if len(values) == len(column):
            return array, odd
        is_there = [value is not None for value in column]
        if odd:
            rows = np.flatnonzero(is_there).tolist()
            odd = {rows[place]: value for place, value in odd.items()}
        return _spread(array, is_there), odd

    def _cells(self, wire_type: str, texts: Sequence[bytes]) -> tuple[pa.Array, Odd]:
        """Values that need each digit, each of the different ones made once."""
        numbers: dict[bytes, int] = {}
        places = [numbers.setdefault(text, len(numbers)) for text in texts]
        values = without_noise(list(map(_value, numbers)), wire_type, self._dialect)
        array, odd = to_array(values, wire_type)
        by_row = {row: odd[place] for row, place in enumerate(places) if place in odd}
        return array.take(pa.array(places, pa.int32())), by_row

    def _texts(self, name: str, values: Sequence[msgspec.Raw]) -> pa.Array:
        """The canonical texts of dynamic values."""
        texts_of = self._dynamic[name].of
        if self._dialect == "plain":
            texts = texts_of(values)
        else:
            are_clean = [is_clean(bytes(value)) for value in values]
            clean = list(compress(values, are_clean))
            texts = _spread(texts_of(clean), are_clean)
        if texts.null_count:
            unproven = texts.is_null()
            left = [bytes(values[row]) for row in pc.indices_nonzero(unproven).to_pylist()]
            made = {text: self._exactly(text) for text in set(left)}
            exact = pa.array([made[text] for text in left], pa.binary())
            texts = pc.replace_with_mask(texts, unproven, exact)
        are_null = pc.equal(texts, _NULL)
        if pc.any(are_null, min_count=0).as_py():
            texts = pc.if_else(are_null, None, texts)
        return texts.cast(pa.string())

    def _exactly(self, text: bytes) -> bytes:
        """The canonical text of a dynamic value, read without loss; of nothing it is ``null``."""
        array, _ = to_array(without_noise([_value(text)], "Object", self._dialect), "Object")
        canonical: str | None = array[0].as_py()
        return _NULL if canonical is None else canonical.encode()


def _spread(array: pa.Array, is_there: Sequence[bool]) -> pa.Array:
    """The values in the places where there is one, and null in the others."""
    if all(is_there):
        return array
    there = np.array(is_there, np.bool_)
    return array.take(pa.array(np.cumsum(there) - 1, mask=~there))


def _value(text: bytes) -> Any:
    try:
        return read_json(text.decode())
    except ValueError as error:
        raise Unusual from error

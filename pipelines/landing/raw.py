"""Columns whose values are taken out of a block as they are written.

What belongs here: cutting such values out of rows (dynamic values, which may be anything, and types
that need each digit), and what they become. What does not: the other columns (``blocks``).
"""

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import msgspec
import pyarrow as pa

from pipelines.landing.canonical import read_json
from pipelines.landing.dialects import Dialect, is_clean, without_noise
from pipelines.landing.values import Odd, to_array

_SORTED: Final = msgspec.json.Encoder(order="sorted")
_AS_IS: Final = msgspec.json.Encoder()
_DECODE: Final = msgspec.json.Decoder().decode
# A row whose first colon has a space behind it.
_SPACED: Final = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*": ')
# What stands in the block in place of a value that was taken out.
_STAND_IN: Final = b"0"


class Unusual(Exception):
    """The block is not of the usual form: the exact way must read it."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A block without the values of some columns, and those values row by row.

    ``texts`` is by column; a text is ``None`` where a row lacks the column.
    """

    block: bytes
    rows: int
    texts: Mapping[str, Sequence[bytes | None]]


class RawColumns:
    """The columns of an answer that are taken out. ``names`` are the service's.

    Raises ``Unusual`` for names that can't be looked for.
    """

    def __init__(self, wire_types: Mapping[str, str], dialect: Dialect) -> None:
        self.names = tuple(wire_types)
        self._wire_types = wire_types
        self._dialect = dialect
        optional = msgspec.Raw | msgspec.UnsetType
        fields = {
            f"column_{number}": msgspec.field(name=name, default=msgspec.UNSET)
            for number, name in enumerate(self.names)
        }
        try:
            row = msgspec.defstruct(
                "Row", [(field, optional, default) for field, default in fields.items()], gc=False
            )
        except ValueError as error:
            # A name with quotes, backslashes or control characters.
            raise Unusual from error
        self._getters = {
            name: attrgetter(field) for name, field in zip(self.names, fields, strict=True)
        }
        self._decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
            types.GenericAlias(list, (row,))
        )

    def take_out(self, block: bytes) -> TakenOut:
        """Cut the values out. Raises ``Unusual`` where the block isn't a list of objects."""
        try:
            rows = self._decoder.decode(b"[%b]" % block)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Unusual from error
        texts = {
            name: [None if raw is msgspec.UNSET else bytes(raw) for raw in map(of_row, rows)]
            for name, of_row in self._getters.items()
        }
        return TakenOut(self._without(block, texts), len(rows), texts)

    def _without(self, block: bytes, texts: Mapping[str, Sequence[bytes | None]]) -> bytes:
        """The block with the stand-in where the values are. Raises ``Unusual``.

        Between a row's values of these columns only plain ones stand, in which no such key can.
        Should rows have their keys in other orders, one is found in a later row than its own, and
        so none for the last.
        """
        colon = b": " if _SPACED.match(block) else b":"
        keys = [
            (b"%b%b" % (_AS_IS.encode(name), colon), texts[name]) for name in self._in_order(block)
        ]
        view, place = memoryview(block), 0
        pieces: list[bytes | memoryview] = []
        for row in range(len(keys[0][1])):
            for key, of_rows in keys:
                text = of_rows[row]
                if text is None:
                    continue
                at = block.find(key, place)
                start = at + len(key)
                if at < 0 or not block.startswith(text, start):
                    raise Unusual
                pieces += (view[place:start], _STAND_IN)
                place = start + len(text)
        pieces.append(view[place:])
        return b"".join(pieces)

    def _in_order(self, block: bytes) -> list[str]:
        """The columns in the order of the first row's keys."""
        places = {name: block.find(_AS_IS.encode(name)) for name in self.names}
        return sorted(self.names, key=places.__getitem__)

    def to_array(self, name: str, texts: Sequence[bytes | None]) -> tuple[pa.Array, Odd]:
        """The column, each of its different values made once."""
        numbers: dict[bytes | None, int] = {}
        places = [numbers.setdefault(text, len(numbers)) for text in texts]
        different = list(numbers)
        values, odd = self._made(name, different)
        array = values.take(pa.array(places, pa.int32()))
        if not odd:
            return array, {}
        return array, {row: odd[place] for row, place in enumerate(places) if place in odd}

    def _made(self, name: str, texts: Sequence[bytes | None]) -> tuple[pa.Array, Odd]:
        if self._wire_types[name] == "Object":
            made = [None if text is None else self._dynamic(text) for text in texts]
            return pa.array(made, pa.binary()).cast(pa.string()), {}
        values = [None if text is None else _value(text) for text in texts]
        cleaned = without_noise(values, self._wire_types[name], self._dialect)
        return to_array(cleaned, self._wire_types[name])

    def _dynamic(self, text: bytes) -> bytes | None:
        """The canonical text of a dynamic value."""
        if self._dialect == "plain" or is_clean(text):
            made = _canonical(text)
            if made is not None:
                return made if made != b"null" else None
        array, _ = to_array(without_noise([_value(text)], "Object", self._dialect), "Object")
        canonical: str | None = array[0].as_py()
        return None if canonical is None else canonical.encode()


def _canonical(text: bytes) -> bytes | None:
    """The canonical form, if it is plain that nothing changes but the order of keys.

    Value by value: of many values together Python's collector makes the slower part.
    """
    try:
        value = _DECODE(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    in_order = _SORTED.encode(value)
    # Written as it came, nothing was lost: no digit, no repeated key, no escape.
    return in_order if in_order == text or _AS_IS.encode(value) == text else None


def _value(text: bytes) -> Any:
    try:
        return read_json(text.decode())
    except ValueError as error:
        raise Unusual from error

"""The canonical text of a column's dynamic values, where it is plain that nothing else changes.

What belongs here: the quick way, and the proof that it lost nothing. What does not: canonical text
itself (``canonical``), which is also what makes that of a value without such a proof.

msgspec reads a value and writes it again with its keys in order. What it may change besides makes
the text shorter: spaces, escapes that need not be, a key that comes twice, ``1.50``, ``-0``. Only
two things don't: a number with an exponent, and one with a fraction and more digits than each
double has. So a text without such numbers that comes out as long as it went in is the same but for
the order of its keys.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landing.shapes import Shape
from pipelines.landing.values import one_text

# In strings too, which does no harm. A double has any 15 digits.
_SIXTEEN_DIGITS: Final = "|".join(rf"[0-9]{{{n}}}\.[0-9]{{{16 - n}}}" for n in range(1, 16))
_INEXACT_NUMBER: Final = (
    rf"(?:^|[:\[,])[ \t\r\n]*-?"
    rf"(?:[0-9]+(?:\.[0-9]+)?[eE]|[0-9]{{16,}}\.|{_SIXTEEN_DIGITS})"
)

_Decode = Callable[[msgspec.Raw], Any]

_SAMPLE: Final = 100
# A shape is looked for again where more than one in so many values is not of it, but not for ever.
_MISSED_SHARE: Final = 8
_MOST_SHAPES: Final = 8

# Puts the keys of dicts in order, and leaves the members of a shape in its own.
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODE: Final = msgspec.json.Decoder().decode
_NO_VALUE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class DynamicTexts:
    """Makes the texts of one column, block after block; several threads may ask it."""

    def __init__(self) -> None:
        self._shape = Shape()
        self._decode: _Decode = _DECODE
        self._shapes = 0

    def of(self, values: Sequence[msgspec.Raw]) -> pa.Array:
        """The canonical texts; null where there is no proof."""
        if not self._shapes:
            self._learn(values)
        try:
            # One call for all: no text becomes an object, and each value is gone before the next.
            texts = _lines(_ENCODER.encode_lines(map(self._decode, values)))
        except _NO_VALUE:
            texts = pa.array(self._one_by_one(values), pa.binary())
        lengths = pa.array(np.fromiter(map(len, values), np.int32, len(values)))
        is_proven = pc.equal(pc.binary_length(texts), lengths)
        if _has_inexact_numbers(values):
            given = pa.array(list(map(bytes, values)), pa.binary())
            is_proven = pc.and_(is_proven, pc.invert(_are_inexact(given)))
        are_all: bool = pc.all(is_proven, skip_nulls=False, min_count=0).as_py()
        return texts if are_all else pc.if_else(is_proven, texts, None)

    def _one_by_one(self, values: Sequence[msgspec.Raw]) -> list[bytes | None]:
        """The same, where a value has another shape, or is none."""
        missed: list[msgspec.Raw] = []
        texts: list[bytes | None] = []
        for value in values:
            try:
                texts.append(_in_order(self._decode, value))
            except _NO_VALUE:
                missed.append(value)
                texts.append(_in_order_or_none(value))
        if len(missed) * _MISSED_SHARE > len(values):
            self._learn(missed)
        return texts

    def _learn(self, values: Sequence[msgspec.Raw]) -> None:
        if self._shapes == _MOST_SHAPES:
            return
        self._shapes += 1
        for value in values[:_SAMPLE]:
            try:
                self._shape.add(_DECODE(value))
            except _NO_VALUE:
                continue
        self._decode = msgspec.json.Decoder(self._shape.type()).decode


def _in_order(decode: _Decode, value: msgspec.Raw) -> bytes:
    return _ENCODER.encode(decode(value))


def _in_order_or_none(value: msgspec.Raw) -> bytes | None:
    try:
        return _in_order(_DECODE, value)
    except _NO_VALUE:
        return None


def _lines(text: bytes) -> pa.Array:
    """The lines of a text, which JSON has no other newlines than between."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pc.binary_slice(pa.Array.from_buffers(pa.binary(), len(ends), buffers), 0, -1)


def _has_inexact_numbers(values: Sequence[msgspec.Raw]) -> bool:
    """Whether some values may hold a number whose digits a double does not keep.

    As one text, since nearly always none does.
    """
    return bool(_are_inexact(one_text(pa.binary(), b",".join(values)))[0].as_py())


def _are_inexact(texts: pa.Array) -> pa.Array:
    return pc.match_substring_regex(texts, _INEXACT_NUMBER)

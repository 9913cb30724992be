"""From the JSON values of one column to an Arrow array, exactly.

What belongs here: one converter for each of the service's types. What does not: which type a column
has (``schema``), or the noise of a dialect (``dialects``).

A converter turns a column into an array at once where every value is of the usual form, and value
by value where one isn't; what the type can't hold becomes null and is handed back verbatim.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from types import MappingProxyType, NoneType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landing.canonical import Number, has_lone_surrogate, write_json
from pipelines.landing.durations import parse_duration_ticks
from pipelines.landing.schema import arrow_type
from pipelines.windows import NANOSECONDS_PER_TICK

Odd = dict[int, Any]
_AtOnce = Callable[[Sequence[Any], set[type]], tuple[pa.Array, Odd] | None]

_INT64_MAX: Final = 2**63 - 1
_INT64_MIN: Final = -(2**63)
_INTEGER: Final = re.compile(r"-?\d+", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")
_TRUTHS: Final[Mapping[str, bool]] = MappingProxyType(
    {"1": True, "0": False, "true": True, "false": False, "True": True, "False": False}
)
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:Z|\+00:00)", re.ASCII
)
_PLAIN_INTEGER: Final = r"^-?[0-9]{1,18}$"
_ZERO: Final = np.uint8(ord("0"))
# 1700 to 2199.
_FIRST_CENTURY: Final = 17
_LAST_CENTURY: Final = 21
_DECIMAL_SCALE: Final = Decimal("1e-17")
# Refuses what 38 digits, 17 of them a fraction, don't hold exactly.
_DECIMAL: Final = Context(prec=38, traps=[Inexact, InvalidOperation])


class Unfit(Exception):
    """The value is not one that its type can hold."""


def to_array(values: Sequence[Any], wire_type: str) -> tuple[pa.Array, Odd]:
    """The column as an array of its type; and by row, verbatim, what it can't hold."""
    at_once: _AtOnce = _AT_ONCE.get(wire_type, _texts)
    found = at_once(values, set(map(type, values)))
    if found is not None:
        return found
    return _one_by_one(values, _CONVERTERS.get(wire_type, _other), arrow_type(wire_type))


def texts_to_array(texts: pa.Array, wire_type: str) -> tuple[pa.Array, Odd]:
    """The same of a column that holds nothing but texts, as an array of them."""
    return _OF_TEXTS[wire_type](texts)


def one_text(kind: pa.DataType, text: bytes | memoryview) -> pa.Array:
    """An array of nothing but a text, which is not copied: Arrow looks at it unlocked."""
    offsets = pa.py_buffer(np.array([0, len(text)], np.int32))
    return pa.Array.from_buffers(kind, 1, [None, offsets, pa.py_buffer(text)])


def _one_by_one(
    values: Sequence[Any], convert: Callable[[Any], Any], target: pa.DataType
) -> tuple[pa.Array, Odd]:
    converted: list[Any] = []
    odd: Odd = {}
    for row, value in enumerate(values):
        try:
            converted.append(None if value is None else convert(value))
        except Unfit:
            converted.append(None)
            odd[row] = value
    return pa.array(converted, target), odd


def _texts(values: Sequence[Any], kinds: set[type]) -> tuple[pa.Array, Odd] | None:
    if not kinds <= {str, NoneType}:
        return None
    try:
        return pa.array(values, pa.string()), {}
    except UnicodeEncodeError:  # a lone surrogate
        return None


def _integers(target: pa.DataType) -> _AtOnce:
    def at_once(values: Sequence[Any], kinds: set[type]) -> tuple[pa.Array, Odd] | None:
        if not kinds <= {int, NoneType}:
            return None
        try:
            return pa.array(values, target), {}
        except (pa.ArrowInvalid, OverflowError):
            return None

    return at_once


def _times(values: Sequence[Any], kinds: set[type]) -> tuple[pa.Array, Odd] | None:
    if not kinds <= {str, NoneType}:
        return None
    try:
        texts = pa.array(values, pa.string())
    except UnicodeEncodeError:
        return None
    return _times_of(texts)


def _times_of(texts: pa.Array) -> tuple[pa.Array, Odd]:
    """Times at once, but for the sentinels (0001-01-01, ...) that columns of times do hold."""
    target = arrow_type("DateTime")
    is_text = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    usual = is_text & _are_usual_times(texts)
    unusual = np.flatnonzero(is_text & ~usual).tolist()
    try:
        if not unusual:
            return texts.cast(target), {}
        array = pc.if_else(pa.array(usual), texts, None).cast(target)
    except pa.ArrowInvalid:  # a 30 February, a 25th hour
        return _one_by_one(texts.to_pylist(), _time, target)
    rare, odd = _one_by_one(texts.take(pa.array(unusual)).to_pylist(), _time, target)
    array = pc.replace_with_mask(array, pa.array(is_text & ~usual), rare)
    return array, {unusual[row]: value for row, value in odd.items()}


def _are_usual_times(texts: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which texts are times as the service writes them, if they are times at all.

    In years that are safely within 64-bit nanoseconds, with seconds, ``T`` and ``Z``: what Arrow's
    cast takes beyond that is not of the contract. By their bytes, since a pattern costs as much as
    all else of a block together.
    """
    _, offsets_buffer, data_buffer = texts.buffers()
    shortest = len("0001-01-01T00:00:00Z")
    if data_buffer is None or data_buffer.size < shortest:
        return np.zeros(len(texts), np.bool_)
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8)
    lengths = np.diff(offsets)
    is_long: np.ndarray[Any, np.dtype[np.bool_]] = lengths >= shortest
    first = np.where(is_long, offsets[:-1], 0)
    last = np.where(is_long, offsets[1:], shortest) - 1
    century = (data[first] - _ZERO) * np.uint8(10) + (data[first + 1] - _ZERO)
    usual: np.ndarray[Any, np.dtype[np.bool_]] = (
        is_long
        & (century >= _FIRST_CENTURY)
        & (century <= _LAST_CENTURY)
        & (data[first + 10] == ord("T"))
        & (data[first + 13] == ord(":"))
        & (data[last - 1] - _ZERO <= 9)  # noqa: PLR2004 - a digit
        & (data[last] == ord("Z"))
    )
    return usual


def _durations_of(texts: pa.Array) -> tuple[pa.Array, Odd]:
    return _one_by_one(texts.to_pylist(), _duration, arrow_type("TimeSpan"))


def _texts_of(texts: pa.Array) -> tuple[pa.Array, Odd]:
    return texts, {}


def _integers_of(wire_type: str) -> Callable[[pa.Array], tuple[pa.Array, Odd]]:
    def convert(texts: pa.Array) -> tuple[pa.Array, Odd]:
        target = arrow_type(wire_type)
        # Arrow's cast takes hexadecimal digits too.
        if pc.all(pc.match_substring_regex(texts, _PLAIN_INTEGER), min_count=0).as_py():
            try:
                return texts.cast(target), {}
            except pa.ArrowInvalid:  # beyond its range
                pass
        return _one_by_one(texts.to_pylist(), _CONVERTERS[wire_type], target)

    return convert


def _never(values: Sequence[Any], kinds: set[type]) -> tuple[pa.Array, Odd] | None:
    del values, kinds
    return None


def _text(value: Any) -> str:
    # A number where the schema says text: its digits are its text.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit
    text = str(value)
    if has_lone_surrogate(text):
        raise Unfit
    return text


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, str) and _INTEGER.fullmatch(value) and len(value) <= len(str(low)):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise Unfit
        return value

    return convert


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit
    if value in _NOT_FINITE:
        return float(value)
    text = str(value)
    if not _NUMBER.fullmatch(text):
        raise Unfit
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Unfit
    return number


def _decimal(value: Any) -> Decimal:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or not _NUMBER.fullmatch(text):
        raise Unfit
    try:
        return Decimal(text).quantize(_DECIMAL_SCALE, context=_DECIMAL)
    except DecimalException:
        raise Unfit from None


def _truth(value: Any) -> bool:
    if isinstance(value, Number) and value == "-0":
        return False
    if not isinstance(value, str | int | bool) or str(value) not in _TRUTHS:
        raise Unfit
    return _TRUTHS[str(value)]


def _time(value: Any) -> int:
    """Nanoseconds since the Unix epoch."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit
    seconds_text, fraction = match.groups()
    try:
        moment = datetime.fromisoformat(seconds_text).replace(tzinfo=UTC)
    except ValueError:
        raise Unfit from None
    seconds = int((moment - _EPOCH).total_seconds())
    return _within_int64(seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0")))


def _duration(value: Any) -> int:
    """Nanoseconds."""
    ticks = parse_duration_ticks(value) if isinstance(value, str) else None
    if ticks is None:
        raise Unfit
    return _within_int64(ticks * NANOSECONDS_PER_TICK)


def _within_int64(number: int) -> int:
    # Readers give the ends a meaning: DuckDB takes the largest and its negative for infinity and
    # -infinity, and pandas the smallest for "not a time".
    if not -_INT64_MAX < number < _INT64_MAX:
        raise Unfit
    return number


def _other(value: Any) -> str:
    """A type that the contract does not name: its text, or its JSON."""
    if isinstance(value, str) and not isinstance(value, Number):
        return _text(value)
    return write_json(value)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_AT_ONCE: Final[Mapping[str, _AtOnce]] = MappingProxyType(
    {
        "DateTime": _times,
        "String": _texts,
        "Guid": _texts,
        "Int32": _integers(pa.int32()),
        "Int64": _integers(pa.int64()),
        "SByte": _never,
        "Boolean": _never,
        "Double": _never,
        "SqlDecimal": _never,
        "TimeSpan": _never,
        "Object": _never,
    }
)
_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "DateTime": _time,
        "String": _text,
        "Guid": _text,
        "Int32": _integer(-(2**31), 2**31 - 1),
        "Int64": _integer(_INT64_MIN, _INT64_MAX),
        "SByte": _truth,
        "Boolean": _truth,
        "Double": _double,
        "SqlDecimal": _decimal,
        "TimeSpan": _duration,
        "Object": write_json,
    }
)
_OF_TEXTS: Final[Mapping[str, Callable[[pa.Array], tuple[pa.Array, Odd]]]] = MappingProxyType(
    {
        "DateTime": _times_of,
        "String": _texts_of,
        "Guid": _texts_of,
        "TimeSpan": _durations_of,
        "Int32": _integers_of("Int32"),
        "Int64": _integers_of("Int64"),
    }
)

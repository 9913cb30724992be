"""A slow decoder, written apart from the fast one: what is an answer, and what each cell must be.

It reads JSON with every number kept as its text, and decides with Python's integers and fractions.
Nothing of it comes from ``pipelines.landing`` but the name of the last column.
"""

import json
import math
import struct
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelines.landing import KEPT_ASIDE

_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class Num:
    """A number as it is written."""

    text: str


class Kept(Exception):
    """The type can't hold the value."""


class NotWhole(Exception):
    """The body is no whole answer."""


class Pairs(list[tuple[str, Any]]):
    """The members of an object in which a key stands more than once."""


def cells(body: bytes, dialect: str) -> dict[str, list[Any]]:
    """Each wire column's cells, and those of ``KEPT_ASIDE``, as comparable values.

    Raises ``NotWhole``.
    """
    envelope = _envelope(body)
    columns = _columns(envelope)
    table: dict[str, list[Any]] = {f"column {name}": [] for name in columns}
    table[KEPT_ASIDE] = []
    for row in _rows(envelope):
        aside = {
            key: value
            for key, value in row.items()
            if key not in columns
            and not (dialect == "odata" and _is_annotation(key, value, columns))
        }
        for name, wire_type in columns.items():
            try:
                table[f"column {name}"].append(_cell(row.get(name), wire_type, dialect))
            except Kept:
                table[f"column {name}"].append(None)
                aside[name] = row[name]
        table[KEPT_ASIDE].append(canonical(aside) if aside else None)
    return table


def statistics(body: bytes) -> tuple[float | None, int | None]:
    """The seconds that the answer says it took, and the rows that it says it has."""
    stats = _envelope(body).get("stats")
    if not isinstance(stats, dict):
        return None, None
    took, listed = stats.get("ExecutionTime"), stats.get("dataset_statistics")
    seconds = float(took.text) if isinstance(took, Num) else math.nan
    rows = None
    if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], dict):
        count = listed[0].get("table_row_count")
        digits = count.text.removeprefix("-") if isinstance(count, Num) else ""
        # What is longer than any count of rows is none.
        if _is_digits(digits) and len(count.text) <= 20:
            rows = int(count.text)
    return seconds if 0 <= seconds < math.inf else None, rows


def _envelope(body: bytes) -> dict[str, Any]:
    """The members of the outermost object by their names in lower case."""
    try:
        value = read(body.decode("utf-8"))
    # A depth that Python can't read is none that the service writes.
    except (ValueError, RecursionError) as error:
        raise NotWhole("no JSON") from error
    if not isinstance(value, dict) or "error" in value:
        raise NotWhole("no object of results")
    names = [key.lower() for key in value]
    if len({*names}) < len(names) or any(name.endswith("nextlink") for name in names):
        raise NotWhole("a member twice, or a part")
    return dict(zip(names, value.values(), strict=True))


def _rows(envelope: dict[str, Any]) -> list[dict[str, Any]]:
    rows = envelope.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NotWhole("no list of objects")
    return rows


def _columns(envelope: dict[str, Any]) -> dict[str, str]:
    listed = envelope.get("schema")
    # Without rows there may be none; graph's null is an empty object.
    if listed in (None, {}, []) and not _rows(envelope):
        return {}
    if not isinstance(listed, list) or not listed:
        raise NotWhole("no schema")
    columns: dict[str, str] = {}
    for entry in listed:
        if not isinstance(entry, dict):
            raise NotWhole("no entry of a schema")
        name, kind = _text_of(entry, "name"), _text_of(entry, "type")
        if name in columns:
            raise NotWhole("a column twice")
        columns[name] = kind
    return columns


def _text_of(entry: dict[str, Any], wanted: str) -> str:
    """The one member of that name, however its case is."""
    values = [value for key, value in entry.items() if key.lower() == wanted]
    if len(values) != 1 or not isinstance(values[0], str) or not _is_unicode(values[0]):
        raise NotWhole(f"a column without a {wanted}")
    return values[0]


def read(text: str) -> Any:
    """Any JSON, with numbers as their digits and objects that repeat a key as pairs."""
    return json.loads(
        text,
        parse_float=Num,
        parse_int=Num,
        parse_constant=_refuse,
        object_pairs_hook=_object,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Pairs:
    return dict(pairs) if len({key for key, _ in pairs}) == len(pairs) else Pairs(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _is_unicode(text: str) -> bool:
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def canonical(value: Any) -> str:
    """Sorted keys, no spaces, numbers digit for digit, lone surrogates as escapes."""
    match value:
        case Num(text):
            return text
        case str():
            quoted = json.dumps(value, ensure_ascii=False)
            return "".join(
                f"\\u{ord(letter):04x}" if 0xD800 <= ord(letter) <= 0xDFFF else letter
                for letter in quoted
            )
        case dict() | Pairs():
            pairs = sorted(_pairs(value), key=lambda pair: pair[0])
            members = [f"{canonical(key)}:{canonical(each)}" for key, each in pairs]
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(canonical(each) for each in value) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def bits(number: float) -> bytes:
    """A double as its bytes, so that -0.0 is not 0.0 and a NaN is itself."""
    return b"nan" if number != number else struct.pack("<d", number)  # noqa: PLR0124


def _is_annotation(key: str, value: Any, columns: dict[str, str]) -> bool:
    is_null = value is None or value == {}
    if not is_null and not isinstance(value, str):
        return False
    if key.startswith("@odata."):
        return True
    says_type = is_null or value.startswith("#")
    return says_type and any(key == f"{name}@odata.type" for name in columns)


def _cell(value: Any, wire_type: str, dialect: str) -> Any:
    if value is None or (dialect == "odata" and value == {}):
        return None
    if wire_type == "Object":
        return canonical(_without_markers(value) if dialect == "odata" else value)
    if wire_type in _READERS:
        return _READERS[wire_type](value)
    if isinstance(value, str):
        return _text(value)
    return canonical(_without_markers(value) if dialect == "odata" else value)


def _text(value: Any) -> str:
    if isinstance(value, Num):
        return value.text
    if not isinstance(value, str) or not _is_unicode(value):
        raise Kept
    return value


def _number_text(value: Any) -> str:
    if not isinstance(value, Num | str):
        raise Kept
    return value.text if isinstance(value, Num) else value


def _is_digits(text: str) -> bool:
    return bool(text) and set(text) <= _DIGITS


def _whole(value: Any, power: int) -> int:
    text = _number_text(value)
    if not _is_digits(text.removeprefix("-")):
        raise Kept
    number = int(text)
    # A text longer than any number of the type is no number of the service's.
    if not -(2**power) <= number < 2**power or len(text) > len(str(-(2**power))):
        raise Kept
    return number


def _fraction(value: Any) -> tuple[str, Fraction]:
    text = _number_text(value)
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, part = mantissa.removeprefix("-").partition(".")
    shaped = _is_digits(whole) and (_is_digits(part) or "." not in mantissa)
    if "e" in text.lower():
        shaped = shaped and _is_digits(exponent[1:] if exponent[:1] in "+-" else exponent)
    if not shaped:
        raise Kept
    return text, Fraction(text)


def _double(value: Any) -> bytes:
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return bits(float(value))
    text, _ = _fraction(value)
    number = float(text)
    if abs(number) == float("inf"):
        raise Kept
    return bits(number)


def _decimal(value: Any) -> Fraction:
    _, number = _fraction(value)
    if (number * 10**17).denominator != 1 or abs(number) >= 10**21:
        raise Kept
    return number


def _truth(value: Any) -> bool:
    if value in (True, Num("1"), "1", "true", "True"):
        return True
    if value in (False, Num("0"), Num("-0"), "0", "false", "False"):
        return False
    raise Kept


def _int64(number: int) -> int:
    if abs(number) >= 2**63 - 1:
        raise Kept
    return number


def _nanoseconds(value: Any) -> int:
    if not isinstance(value, str) or not value.endswith(("Z", "+00:00")):
        raise Kept
    text = value.removesuffix("Z") if value.endswith("Z") else value.removesuffix("+00:00")
    whole, dot, fraction = text.partition(".")
    shape = "".join("d" if letter in _DIGITS else letter for letter in whole)
    if shape != "dddd-dd-ddTdd:dd:dd" or (dot and not _is_digits(fraction)) or len(fraction) > 9:
        raise Kept
    hour, minute, second = int(whole[11:13]), int(whole[14:16]), int(whole[17:19])
    try:
        days = date(int(whole[:4]), int(whole[5:7]), int(whole[8:10])).toordinal()
    except ValueError:
        raise Kept from None
    if hour > 23 or minute > 59 or second > 59:
        raise Kept
    seconds = (days - date(1970, 1, 1).toordinal()) * 86_400 + hour * 3_600 + minute * 60 + second
    return _int64(seconds * 10**9 + int((fraction + "000000000")[:9]))


def _ticks(value: Any) -> int:
    if not isinstance(value, str) or not value.isascii():
        raise Kept
    sign = -1 if value.startswith("-") else 1
    text = value.removeprefix("-")
    return sign * (_iso_ticks(text[1:]) if text.startswith("P") else _dotnet_ticks(text))


def _seconds_ticks(text: str) -> int:
    whole, dot, fraction = text.partition(".")
    if not _is_digits(whole) or (dot and not _is_digits(fraction)) or len(fraction) > 7:
        raise Kept
    return int(whole) * 10**7 + int((fraction + "0000000")[:7])


def _iso_ticks(text: str) -> int:
    days, marker, times = text.partition("T")
    if (marker and not times) or not (days or times):
        raise Kept
    total = 0
    if days:
        if not days.endswith("D") or not _is_digits(days[:-1]):
            raise Kept
        total = int(days[:-1]) * 86_400 * 10**7
    for unit, size in (("H", 3_600), ("M", 60)):
        amount, found, rest = times.partition(unit)
        if found:
            if not _is_digits(amount):
                raise Kept
            total, times = total + int(amount) * size * 10**7, rest
    if times:
        if not times.endswith("S"):
            raise Kept
        total += _seconds_ticks(times[:-1])
    return total


def _dotnet_ticks(text: str) -> int:
    parts = text.split(":")
    if len(parts) != 3:
        raise Kept
    days, dot, hours = parts[0].rpartition(".")
    if (dot and not _is_digits(days)) or not all(
        _is_digits(two) and len(two) == 2 for two in (hours, parts[1], parts[2].partition(".")[0])
    ):
        raise Kept
    if int(hours) > 23 or int(parts[1]) > 59 or int(parts[2].partition(".")[0]) > 59:
        raise Kept
    seconds = int(days or 0) * 86_400 + int(hours) * 3_600 + int(parts[1]) * 60
    return seconds * 10**7 + _seconds_ticks(parts[2])


def _without_markers(value: Any) -> Any:
    if isinstance(value, list) and not isinstance(value, Pairs):
        read = [_object_in(each) for each in value]
        if read and None not in read:
            return [_without_markers(each) for each in read]
        return [_without_markers(each) for each in value]
    if isinstance(value, dict | Pairs):
        return Pairs(
            (key, _without_markers(each))
            for key, each in _pairs(value)
            if not (
                isinstance(each, str)
                and (
                    each.startswith("#microsoft.graph.")
                    if key == "@odata.type"
                    else key.endswith("@odata.type") and each.startswith("#")
                )
            )
        )
    return value


def _pairs(value: dict[str, Any] | Pairs) -> list[tuple[str, Any]]:
    return value if isinstance(value, Pairs) else list(value.items())


def _object_in(text: Any) -> dict[str, Any] | None:
    if not isinstance(text, str) or not text.startswith("{"):
        return None
    try:
        value = read(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


_READERS = {
    "String": _text,
    "Guid": _text,
    "DateTime": _nanoseconds,
    "TimeSpan": lambda value: _int64(_ticks(value) * 100),
    "SByte": _truth,
    "Boolean": _truth,
    "Int32": lambda value: _whole(value, 31),
    "Int64": lambda value: _whole(value, 63),
    "Double": _double,
    "SqlDecimal": _decimal,
}


def as_comparable(value: Any) -> Any:
    """A cell of the decoded table in the reference's terms."""
    if isinstance(value, float):
        return bits(value)
    return Fraction(value) if isinstance(value, Decimal) else value

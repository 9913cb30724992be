"""JSON read without loss, and written in one fixed way.

What belongs here: reading and writing JSON so that nothing changes on the way. What does not: what
the values mean (``values``).

Canonical text has its keys sorted and no spaces; numbers stand digit for digit as they came, and
other scripts as they are. A lone surrogate, which UTF-8 can't hold, stays the escape that it was.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from types import MappingProxyType, NoneType
from typing import Any, Final, NoReturn

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# The longest integers that a column can hold; longer ones are kept as they are written.
_INT_CHARACTERS: Final = 20


class Number(str):
    """A number as it is written, where a Python number would not be the same."""

    __slots__ = ()


class RepeatedKeys(list[tuple[str, Any]]):
    """An object in which a key stands more than once."""


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises ``ValueError``.

    Numbers with a fraction or an exponent, and very long ones, are ``Number``; an object that
    repeats a key is ``RepeatedKeys``.
    """
    return _DECODER.decode(text)


def read_json_at(text: str, place: int) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends. Raises ``ValueError``."""
    return _DECODER.raw_decode(text, place)


def write_json(value: Any) -> str:
    """The canonical text of a value from ``read_json``."""
    text = _written(value)
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def has_lone_surrogate(text: str) -> bool:
    """Whether UTF-8, and so Arrow, can't hold the text."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | RepeatedKeys:
    found = dict(pairs)
    return found if len(found) == len(pairs) else RepeatedKeys(pairs)


def _integer(text: str) -> int | Number:
    # "-0" is an integer in JSON, and Python's int has no such value.
    return int(text) if len(text) <= _INT_CHARACTERS and text != "-0" else Number(text)


def _no_json(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _written(value: Any) -> str:
    return _WRITERS[type(value)](value)


def _written_list(values: list[Any]) -> str:
    return f"[{','.join(map(_written, values))}]"


def _written_object(pairs: Sequence[tuple[str, Any]]) -> str:
    members = (f"{encode_basestring(key)}:{_written(value)}" for key, value in pairs)
    return f"{{{','.join(members)}}}"


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=Number,
    parse_int=_integer,
    parse_constant=_no_json,
)
_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = MappingProxyType(
    {
        str: encode_basestring,
        Number: str,
        NoneType: lambda _: "null",
        bool: lambda value: "true" if value else "false",
        int: str,
        list: _written_list,
        dict: lambda value: _written_object(sorted(value.items())),
        # Sorting is stable, so a key's values stay in their order.
        RepeatedKeys: lambda value: _written_object(sorted(value, key=lambda pair: pair[0])),
    }
)

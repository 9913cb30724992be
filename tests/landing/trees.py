"""JSON as a tree that keeps all there is: keys that repeat, and numbers as they are written.

What belongs here: reading and writing such trees, for those who change bodies. What does not: the
changes (``tree_mutations``).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.landing.reference import Num


class Members(list[tuple[str, Any]]):
    """An object: its keys and values, in their order."""


@dataclass(frozen=True)
class Written:
    """A piece that stands as it is, JSON or not."""

    text: str


@dataclass(frozen=True)
class Style:
    """How a tree is written. ``before_item`` stands after each comma between rows."""

    comma: str = ","
    colon: str = ":"
    before_item: str = ""
    before_end: str = ""
    ascii_only: bool = field(default=False)


def read_tree(body: bytes) -> Members | None:
    """The tree of a body; ``None`` where it is no JSON object."""
    try:
        tree = json.loads(
            body.decode("utf-8"), parse_float=Num, parse_int=Num, object_pairs_hook=Members
        )
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, Members) else None


def write_tree(tree: Any, style: Style | None = None) -> bytes:
    """Its bytes. A lone surrogate stays an escape."""
    text = _written(tree, style or Style())
    return text.encode("utf-8", "surrogatepass")


def _written(value: Any, style: Style) -> str:
    match value:
        case Num(text) | Written(text):
            return text
        case Members():
            members = (
                f"{_quoted(key, style)}{style.colon}{_written(each, style)}" for key, each in value
            )
            return "{" + style.comma.join(members) + style.before_end + "}"
        case list():
            comma = style.comma + style.before_item
            return "[" + comma.join(_written(each, style) for each in value) + "]"
        case str():
            return _quoted(value, style)
    return json.dumps(value)


def _quoted(text: str, style: Style) -> str:
    if style.ascii_only or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)

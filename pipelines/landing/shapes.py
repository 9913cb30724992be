"""The shape of dynamic values: which keys their objects have, found by looking at some of them.

What belongs here: shapes, and msgspec's types for them. What does not: what is made of values
(``dynamic``).

An object of a known shape costs half of one that becomes a dict: no key is made, and its members
are in the order of the type, which is that of canonical text. A type is right or it refuses: it
takes no key that its shape lacks.
"""

from dataclasses import dataclass, field
from types import GenericAlias
from typing import Any, Final

import msgspec

_SCALAR: Final = str | int | float | bool | None
# msgspec looks for a key among an object's one after the other.
_MOST_KEYS: Final = 64
_DEEPEST: Final = 16


@dataclass(slots=True)
class Shape:
    """What was seen in one place: the members of its objects, and the items of its lists."""

    members: "dict[str, Shape]" = field(default_factory=dict)
    has_objects: bool = False
    items: "Shape | None" = None

    def add(self, value: Any, depth: int = 0) -> None:
        """Take in one more value of the place, as msgspec reads it into Python's own types."""
        if depth == _DEEPEST:
            return
        if isinstance(value, dict):
            self.has_objects = True
            for key, each in value.items():
                if len(self.members) <= _MOST_KEYS:
                    self.members.setdefault(key, Shape()).add(each, depth + 1)
        elif isinstance(value, list):
            self.items = self.items or Shape()
            for each in value:
                self.items.add(each, depth + 1)

    def type(self) -> Any:
        """The type of values of this shape, and of any scalar."""
        found: Any = _SCALAR
        if self.items is not None:
            found |= GenericAlias(list, (self.items.type(),))
        if self.has_objects:
            found |= self._object()
        return found

    def _object(self) -> Any:
        if len(self.members) > _MOST_KEYS:
            return dict[str, Any]
        members = [
            (
                f"member_{number}",
                self.members[key].type() | msgspec.UnsetType,
                msgspec.field(name=key, default=msgspec.UNSET),
            )
            for number, key in enumerate(sorted(self.members))
        ]
        try:
            return msgspec.defstruct("Object", members, gc=False, forbid_unknown_fields=True)
        except ValueError:
            # A name with quotes, backslashes or control characters.
            return dict[str, Any]

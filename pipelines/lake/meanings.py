"""What a column holds, in one line, by the service's type of it.

What belongs here: the words for people who query the lake. What does not: how a value lands
(``landing``; ``docs/types.md`` has it value by value).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipelines.landing import KEPT_ASIDE, Column

_TEXT: Final = "text"
_TRUTH: Final = "true or false"
_WHOLE: Final = "a whole number"

TYPE_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DateTime": "a time in UTC, exact to 100 ns",
        "String": _TEXT,
        "Guid": "an identifier, as text",
        "SByte": _TRUTH,
        "Boolean": _TRUTH,
        "Int32": _WHOLE,
        "Int64": _WHOLE,
        "Double": "a number with a fraction, as a double",
        "SqlDecimal": "a number with a fraction, exact to 17 digits after the point",
        "TimeSpan": "a duration, in nanoseconds",
        "Object": "a dynamic value, as JSON text",
    }
)
OTHER_MEANING: Final = "as the service sent it, as text"

# The columns of every view that are not the service's.
OWN_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        KEPT_ASIDE: "JSON of the values that their columns' types can't hold; else null",
        "tenant": "the tenant's name; a condition on it leaves out whole files",
        "date": "the UTC day of the row's partition; a condition on it leaves out whole files",
        "hour": "the UTC hour of the row's partition; a condition on it leaves out whole files",
    }
)


def column_meaning(column: Column) -> str:
    """What a landed column holds, and what the service calls it."""
    meaning = TYPE_MEANINGS.get(column.wire_type, OTHER_MEANING)
    name = "" if column.landed == column.wire_name else f" {column.wire_name}"
    return f"{meaning}; the service's {column.wire_type}{name}"

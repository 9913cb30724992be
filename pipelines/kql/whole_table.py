"""Whether a query is a table as it is: all of its rows, and some of its columns.

What belongs here: that question. What does not: what a query means for slicing (``verdict``).

A hunt of such a query can stand for the service's table itself, so that other queries run on what
landed of it. Nothing is computed and nothing renamed, so a column means what it does there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipelines.kql.lexer import Token
from pipelines.kql.structure import Node, Operator, Pipeline, name_of, parse, split

_PATTERN: Final = frozenset({"*"})
# What an entry of their lists may hold beside the name of a column.
_CHOOSING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "project": frozenset(),
        "project-away": _PATTERN,
        "project-keep": _PATTERN,
        "project-reorder": _PATTERN | {"asc", "desc"},
    }
)


def whole_table(query: str) -> str | None:
    """The table of which the query returns every row as it is; ``None`` where it does else.

    The name is as the query has it. Raises ``KqlError`` for a query that can't be read.
    """
    match parse(query):
        case (Pipeline(source=(table,)) as only,) if all(map(_chooses, only.operators)):
            return name_of(table)
        case _:
            return None


def _chooses(step: Operator) -> bool:
    """Whether an operator does nothing but choose columns, or their order."""
    beside = _CHOOSING.get(step.name)
    return beside is not None and all(_is_plain(part, beside) for part in split(step.args, ","))


def _is_plain(part: tuple[Node, ...], beside: frozenset[str]) -> bool:
    """Whether it is the name of a column, or a pattern of names."""
    names = [node for node in part if not (isinstance(node, Token) and node.text in beside)]
    if beside:
        return bool(part) and all(name_of(node) is not None for node in names)
    return len(names) == 1 and name_of(names[0]) is not None

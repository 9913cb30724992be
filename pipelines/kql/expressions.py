"""What an expression may read: the calls, lists and brackets within an operator.

What belongs here: walking expressions with the names that are in scope there, and what was found on
the way. What does not: statements and operators (``sources``).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from pipelines.errors import KqlError
from pipelines.kql.functions import FOREIGN_FUNCTIONS, KEYWORDS, TABLE_READERS
from pipelines.kql.lexer import Kind, Token, code, place
from pipelines.kql.names import made_columns, may_be_column
from pipelines.kql.structure import (
    FOLLOWING_OPERATORS,
    Group,
    Node,
    Parameter,
    is_group,
    is_sign,
    name_of,
    split,
    starts_with,
)
from pipelines.kql.tables import find_table

_LISTING: Final = frozenset({"in", "in~", "!in", "!in~", "has_any", "has_all"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A name and where it stands."""

    name: str
    start: int


@dataclass(slots=True)
class Sources:
    """What a query reads, calls and defines, each in the order of the walk."""

    tables: list[Mention] = field(default_factory=list)
    calls: list[Mention] = field(default_factory=list)
    table_lets: list[Mention] = field(default_factory=list)
    """Lets whose value is a table, or a function that takes or returns one."""
    defined: list[Mention] = field(default_factory=list)
    """Names that the query itself gives to something."""
    nested: list[int] = field(default_factory=list)
    """Where pipelines stand within brackets."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name in scope stands for."""

    tabular: bool = False
    parameters: tuple[Parameter, ...] = ()


Scope = dict[str, Binding]


class ExpressionWalk(ABC):
    """Goes through expressions. Methods return, where they do, whether what they saw is a table."""

    def __init__(self, text: str, time_column: str | None) -> None:
        self.found = Sources()
        self._text = text
        self._time_column = time_column
        self._made_columns = made_columns(code(text))

    @abstractmethod
    def _source(self, nodes: Sequence[Node], scope: Scope, *, must: bool) -> bool:
        """What stands where a table may (or ``must``) stand."""

    @abstractmethod
    def _pipelines(self, nodes: Sequence[Node], scope: Scope) -> bool:
        """What stands within brackets and is a pipeline of its own, or several statements."""

    def _expression(self, nodes: Sequence[Node], scope: Scope) -> None:
        """Anything else: what is called, bracketed or named in it."""
        index = 0
        while index < len(nodes):
            node = nodes[index]
            follower = nodes[index + 1] if index + 1 < len(nodes) else None
            before = nodes[index - 1] if index else None
            if isinstance(node, Group):
                self._group(node, scope)
            elif isinstance(follower, Group) and is_group(follower, "("):
                self._before_bracket(node, follower, scope)
                index += 1
            elif node.kind is Kind.NAME:
                self._bare_name(node, before, follower, scope)
            index += 1

    def _before_bracket(self, node: Token, group: Group, scope: Scope) -> None:
        if node.text in _LISTING and node.kind in {Kind.NAME, Kind.SIGN}:
            self._table_or_column(group.items, scope)
        elif node.kind is Kind.NAME and (node.text in scope or node.text not in KEYWORDS):
            self._call(Mention(node.text, node.start), group, scope)
        else:
            self._group(group, scope)

    def _bare_name(
        self, node: Token, before: Node | None, follower: Node | None, scope: Scope
    ) -> None:
        if node.text == "$table":
            self._refuse(
                node.start,
                "restricting a table changes the name that `$table` returns for it; add the name "
                "with `extend`",
            )
        is_member = before is not None and is_sign(before, ".")
        is_given = follower is not None and is_sign(follower, "=", ":")
        if find_table(node.text) and not is_member and not is_given:
            self._reference(node.text, node.start, scope)

    def _bracketed(self, group: Group, scope: Scope) -> bool:
        """A pipeline, or something scalar, within round brackets."""
        tabular = self._pipelines(group.items, scope)
        if tabular:
            self.found.nested.append(group.start)
        return tabular

    def _group(self, group: Group, scope: Scope) -> None:
        if any(is_sign(node, "|") for node in group.items) or starts_with(
            group.items, FOLLOWING_OPERATORS
        ):
            self._bracketed(group, scope)
        else:
            self._expression(group.items, scope)

    def _call(self, call: Mention, group: Group, scope: Scope) -> None:
        if call.name in FOREIGN_FUNCTIONS:
            self._refuse(
                call.start,
                f"huntlake can't restrict what `{call.name}()` reads; name the table itself, in "
                f"the tenant's own database",
            )
        if call.name in TABLE_READERS:
            self._bracketed(group, scope)
            return
        self.found.calls.append(call)
        binding = scope.get(call.name, Binding())
        if binding.parameters:
            self._arguments(binding.parameters, group, scope)
        else:
            self._group(group, scope)

    def _arguments(self, parameters: tuple[Parameter, ...], group: Group, scope: Scope) -> None:
        for number, argument in enumerate(split(group.items, ",")):
            tabular = number < len(parameters) and parameters[number].tabular
            if any(is_sign(node, "|") for node in argument):
                self._pipelines(argument, scope)
            elif argument and tabular:
                self._source(argument, scope, must=True)
            else:
                self._expression(argument, scope)

    def _table_or_column(self, nodes: Sequence[Node], scope: Scope) -> None:
        """What stands alone in ``in (...)``."""
        name = name_of(nodes[0]) if len(nodes) == 1 else None
        if any(is_sign(node, "|") for node in nodes):
            self.found.nested.append(nodes[0].start)
            self._pipelines(nodes, scope)
        elif name is None:
            self._expression(nodes, scope)
        elif find_table(name) or not (
            name in scope or may_be_column(name, self._made_columns) or self._reads_undocumented()
        ):
            self._reference(name, nodes[0].start, scope)

    def _reads_undocumented(self) -> bool:
        """Whether a table whose columns nobody knows was read: then any name may be a column."""
        return any(find_table(table.name) is None for table in self.found.tables)

    def _refuse(self, start: int, why: str) -> NoReturn:
        raise KqlError(f"{place(self._text, start)}: {why}")

    def _reference(self, name: str, start: int, scope: Scope) -> bool:
        if name in scope:
            return scope[name].tabular
        if name in {"true", "false", "null"}:
            return False
        if find_table(name) is None and self._time_column is None:
            self._refuse(
                start,
                f"`{name}` is neither a documented table nor a name that the hunt defines before; "
                f"if it is a table, name its time column in the hunt's file "
                f"(`export: time_column: ...`)",
            )
        self.found.tables.append(Mention(name, start))
        return True

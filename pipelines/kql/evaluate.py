"""What names, calls and expressions stand for, and what they depend on.

What belongs here: everything within an operator. What does not: statements, pipelines and operators
(``interpret``), which this comes back to for what stands in brackets.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from pipelines.kql.columns import timespan_ticks
from pipelines.kql.functions import (
    AGGREGATES,
    KEYWORDS,
    ROW_FUNCTIONS,
    TABLE_MAKERS,
    TIME_FUNCTIONS,
    WATCHLIST_FUNCTIONS,
)
from pipelines.kql.lexer import Kind, Token, code
from pipelines.kql.names import documented_columns
from pipelines.kql.structure import (
    FOLLOWING_OPERATORS,
    Function,
    Group,
    Node,
    Statement,
    is_group,
    is_sign,
    name_of,
    split,
    starts_with,
)
from pipelines.kql.values import (
    CHANGING,
    Division,
    Lambda,
    Note,
    Relation,
    Scalar,
    Scope,
    Value,
    unless,
)

# More than any hunt that a person writes needs; calls within calls can double with each `let`.
_MOST_PARTS: Final = 10_000
# How deep expressions and calls may lie within each other: shallower than Python's stack.
_MOST_DEPTH: Final = 90

_ROW_CALLS: Final = ROW_FUNCTIONS | TIME_FUNCTIONS


class TooEntangled(Exception):
    """The query's functions call each other more often than can be followed."""


class Evaluator(ABC):
    """Evaluates one query's expressions, each where it stands."""

    def __init__(self, text: str, tables: Mapping[int, Relation]) -> None:
        self._seen: set[int] = set()
        self._uncalled: dict[int, Function] = {}
        self._text = text
        self._tables = tables
        self._made = _times_made(text)
        self._parts = 0
        self._depth = 0
        self._unsteady_reads = 0

    def misses(self, table: int) -> bool:
        """Whether a table stands there that the walk never came by, in a body that is called."""
        idle = any(body.start <= table < body.end for body in self._uncalled.values())
        return table not in self._seen and not idle

    @abstractmethod
    def _block(self, block: Sequence[Statement], scope: Scope) -> Value:
        """The value of the last of some statements."""

    @abstractmethod
    def _brackets(self, nodes: Sequence[Node], scope: Scope) -> Value:
        """The value of what stands in brackets: statements of their own, or one expression."""

    # Names

    def _named(self, name: str, node: Node, scope: Scope) -> Value | None:
        """What a name stands for where it stands alone; None for a column."""
        if node.start in self._tables:
            self._seen.add(node.start)
            return self._tables[node.start]
        value = scope.get(name)
        return self._called(value, []) if isinstance(value, Lambda) else value

    def _nameable(self, name: str, value: Value) -> Value:
        """The value as it is known under a name, which a column may have, too."""
        hidden = name in documented_columns() or self._made[name] > 1
        return replace(value, ticks=None) if hidden and isinstance(value, Scalar) else value

    # Calls

    def _call(self, node: Node, group: Group, scope: Scope) -> Value | None:
        """The value of ``f(...)``, where f is the hunt's own or takes a table."""
        name = name_of(node)
        value = scope.get(name or "")
        if isinstance(value, Lambda):
            return self._called(value, self._arguments(value, group, scope))
        if value is not None:
            return None
        if name == "materialize":
            return self._brackets(group.items, scope)
        if name == "toscalar":
            read = self._brackets(group.items, scope)
            return Scalar(self._reading(read, group.start), steady=_is_steady(read))
        if name in WATCHLIST_FUNCTIONS:
            return unless(self._expression(group.items, scope), CHANGING)
        return None

    def _arguments(
        self, function: Lambda, group: Group, scope: Scope
    ) -> list[tuple[str | None, Value]]:
        arguments: list[tuple[str | None, Value]] = []
        own = {parameter.name for parameter in function.function.parameters}
        for part in split(group.items, ","):
            if len(part) > 1 and is_sign(part[1], "=") and name_of(part[0]) in own:
                arguments.append((name_of(part[0]), self._value(part[2:], scope)))
            else:
                arguments.append((None, self._value(part, scope)))
        return arguments

    def _value(self, nodes: Sequence[Node], scope: Scope) -> Value:
        return self._brackets(nodes, scope) if nodes else Scalar()

    def _called(self, callee: Lambda, arguments: list[tuple[str | None, Value]]) -> Value:
        function = callee.function
        self._uncalled.pop(function.start, None)
        scope = dict(callee.scope)
        for number, parameter in enumerate(function.parameters):
            given = next(
                (value for name, value in arguments if name == parameter.name),
                arguments[number][1] if number < len(arguments) else Scalar(),
            )
            scope[parameter.name] = self._nameable(parameter.name, given)
        self._go_deeper()
        value = self._block(function.body, scope)
        self._depth -= 1
        return value

    # Expressions

    def _scalar(self, nodes: Sequence[Node], scope: Scope) -> Scalar:
        ticks = None
        if len(nodes) == 1 and isinstance(nodes[0], Token) and nodes[0].kind is Kind.LITERAL:
            ticks = timespan_ticks(nodes[0])
        before = self._unsteady_reads
        noted = self._expression(nodes, scope)
        return Scalar(noted, ticks, steady=before == self._unsteady_reads)

    def _expression(
        self, nodes: Sequence[Node], scope: Scope, *, aggregates: bool = False
    ) -> Note | None:
        """What keeps an expression from depending on nothing but its row. Walks all of it."""
        self._go_deeper()
        found: Note | None = None
        before: Node | None = None
        skip = False
        for index, node in enumerate(nodes):
            follower = nodes[index + 1] if index + 1 < len(nodes) else None
            noted: Note | None = None
            if skip:
                skip = False
            elif (
                isinstance(node, Token)
                and isinstance(follower, Group)
                and (is_group(follower, "(") and node.kind is Kind.NAME)
            ):
                noted = self._call_within(node, follower, scope, aggregates=aggregates)
                skip = True
            elif (name := name_of(node)) is not None:
                if not _is_label(before, follower):
                    noted = self._name_within(name, node, scope)
            elif isinstance(node, Group):
                noted = self._group(node, scope, aggregates=aggregates)
            found = found or noted
            before = node
        self._depth -= 1
        return found

    def _name_within(self, name: str, node: Node, scope: Scope) -> Note | None:
        value = self._named(name, node, scope)
        if isinstance(value, Scalar):
            return self._reading(value, node.start)
        if value is None or self._reading(value, node.start) is None:
            return None
        what = "the table" if node.start in self._tables else "the let"
        return Note(node.start, f"{what} `{name}` is read too, at {{place}}")

    def _call_within(
        self, node: Token, group: Group, scope: Scope, *, aggregates: bool
    ) -> Note | None:
        called = self._call(node, group, scope)
        if called is not None:
            return self._reading(called, node.start)
        noted = self._group(group, scope, aggregates=aggregates)
        known = node.text in _ROW_CALLS or node.text in KEYWORDS | TABLE_MAKERS
        if known or node.text in {"has_any", "in"} or (aggregates and node.text in AGGREGATES):
            return noted
        text = f"`{node.text}()` at {{place}} is not known to treat rows one by one"
        return Note(node.start, text)

    def _group(self, group: Group, scope: Scope, *, aggregates: bool) -> Note | None:
        """A pipeline of its own, or a part of the expression."""
        if any(is_sign(node, "|") for node in group.items) or starts_with(
            group.items, FOLLOWING_OPERATORS | {"union", "print", "range"}
        ):
            return self._reading(self._brackets(group.items, scope), group.start)
        return self._expression(group.items, scope, aggregates=aggregates)

    def _reading(self, value: Value, start: int) -> Note | None:
        """What is to be said of reading a value within an expression, if it depends on events."""
        if not _is_steady(value):
            self._unsteady_reads += 1
        if isinstance(value, Scalar):
            return value.objection
        if isinstance(value, Relation) and value.division is Division.CONSTANT:
            return None
        return Note(start, "the brackets at {place} read rows that other rows decide about")

    def _go_deeper(self) -> None:
        self._depth += 1
        self._parts += 1
        if self._depth > _MOST_DEPTH or self._parts > _MOST_PARTS:
            raise TooEntangled


def _times_made(text: str) -> Counter[str]:
    """How often each name is given to something: a let, a parameter, a column."""
    made: Counter[str] = Counter()
    tokens = code(text)
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False):
        given = after is not None and after.is_sign("=", ":")
        captured = before is not None and before.kind is Kind.STRING
        if token.kind is Kind.NAME and (given or captured):
            made[token.text] += 1
    return made


def _is_label(before: Node | None, follower: Node | None) -> bool:
    """Whether a name between these names a member or an option, and stands for nothing."""
    is_member = before is not None and is_sign(before, ".")
    return is_member or (follower is not None and is_sign(follower, "=", ":"))


def _is_steady(value: Value) -> bool:
    return isinstance(value, Lambda) or value.steady

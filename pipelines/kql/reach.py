"""How far back and forth in time a query reads a table, as far as its own conditions say.

What belongs here: the instants that every reading of the table is restricted to, so that what lies
outside need not be opened. What does not: what a query means for slicing (``verdict``).

Only conditions right after the table's name count, of instants that the query spells out or its
``now()`` gives; whatever isn't plain restricts nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, TypeAlias

from pipelines.kql.columns import timespan_ticks
from pipelines.kql.lexer import Token, code
from pipelines.kql.names import documented_columns
from pipelines.kql.structure import (
    Function,
    Group,
    Let,
    Node,
    Pipeline,
    Statement,
    is_group,
    is_sign,
    name_of,
    parse,
    split,
    starts_with,
    statements,
)
from pipelines.windows import TICKS_PER_SECOND, parse_instant

_DAY: Final = 86_400 * TICKS_PER_SECOND
_UNION: Final = frozenset({"union"})
_FILTERS: Final = frozenset({"where", "filter"})
_AFTER: Final = frozenset({">", ">=", "=="})
_BEFORE: Final = frozenset({"<", "<=", "=="})


@dataclass(frozen=True, slots=True)
class Reach:
    """No row before ``first``, and none after ``last``, has a part in the answer.

    ``None``: nothing is known.
    """

    first: int | None = None
    last: int | None = None

    def __or__(self, other: "Reach") -> "Reach":
        """What holds of both together."""
        firsts, lasts = (self.first, other.first), (self.last, other.last)
        return Reach(
            None if None in firsts else min(each for each in firsts if each is not None),
            None if None in lasts else max(each for each in lasts if each is not None),
        )

    def __and__(self, other: "Reach") -> "Reach":
        """What is left where both conditions are met."""
        firsts = [each for each in (self.first, other.first) if each is not None]
        lasts = [each for each in (self.last, other.last) if each is not None]
        return Reach(max(firsts, default=None), min(lasts, default=None))


def reach(query: str, table: str, time_column: str, *, now: int) -> Reach:
    """What the query reads of the table. Raises ``KqlError`` for a query that can't be read."""
    walk = _Walk(query, table, time_column, now)
    found = list(walk.statements(parse(query), {}))
    mentions = sum(token.text == table for token in code(query))
    if not found or len(found) != mentions:
        # The name stands where it isn't plain what for.
        return Reach()
    together = found[0]
    for each in found[1:]:
        together |= each
    return together


@dataclass(frozen=True, slots=True)
class _Value:
    """An instant or a length of time, in ticks."""

    ticks: int
    is_instant: bool

    def plus(self, other: "_Value") -> "_Value | None":
        if self.is_instant and other.is_instant:
            return None
        return _Value(self.ticks + other.ticks, self.is_instant or other.is_instant)

    def minus(self, other: "_Value") -> "_Value | None":
        if other.is_instant:
            return None
        return _Value(self.ticks - other.ticks, self.is_instant)


_Known: TypeAlias = Mapping[str, _Value]


class _Walk:
    """Goes by every place where the table is read."""

    def __init__(self, text: str, table: str, time_column: str, now: int) -> None:
        self._text = text
        self._table = table
        self._time_column = time_column
        self._now = now

    def statements(self, block: Sequence[Statement], scope: _Known) -> Iterator[Reach]:
        """``scope`` has the instants, and the lengths of time, that names stand for."""
        known = dict(scope)
        for statement in block:
            if isinstance(statement, Pipeline):
                yield from self._pipeline(statement, known)
            elif isinstance(statement.value, Function):
                given = {parameter.name for parameter in statement.value.parameters}
                inner = {name: at for name, at in known.items() if name not in given}
                yield from self.statements(statement.value.body, inner)
            else:
                yield from self._pipeline(statement.value, known)
                self._define(statement, known)

    def _define(self, let: Let, known: dict[str, _Value]) -> None:
        known.pop(let.name, None)
        if isinstance(let.value, Pipeline) and not let.value.operators:
            value = self._value(let.value.source, known)
            if value is not None:
                known[let.name] = value

    def _pipeline(self, pipeline: Pipeline, known: _Known) -> Iterator[Reach]:
        restricted = Reach()
        for step in takewhile(lambda step: step.name in _FILTERS, pipeline.operators):
            restricted &= self._condition(step.args, known)
        for node in _plainly_read(pipeline.source):
            if isinstance(node, Token) and node.text == self._table:
                yield restricted
        yield from self._within(pipeline.source, known)
        for step in pipeline.operators:
            if step.name in {"join", "lookup", "union"}:
                yield from (Reach() for node in step.args if self._is_table(node))
            yield from self._within(step.args, known)

    def _is_table(self, node: Node) -> bool:
        return isinstance(node, Token) and node.text == self._table

    def _within(self, nodes: Sequence[Node], known: _Known) -> Iterator[Reach]:
        """What brackets read, be they around a pipeline or around arguments."""
        for node in nodes:
            if isinstance(node, Group):
                for part in split(node.items, ","):
                    if part:
                        yield from self.statements(statements(self._text, part), known)

    # Conditions

    def _condition(self, nodes: Sequence[Node], known: _Known) -> Reach:
        """What a ``where`` leaves; parts of it that aren't plain leave everything."""
        if any(isinstance(node, Token) and node.is_name("or") for node in nodes):
            return Reach()
        restricted = Reach()
        for part in _conjuncts(nodes):
            restricted &= self._comparison(part, known)
        return restricted

    def _comparison(self, nodes: Sequence[Node], known: _Known) -> Reach:
        match nodes:
            case (Group(items=items) as only,) if is_group(only, "("):
                return self._condition(items, known)
            case (column, Token(text="between"), Group(items=items)) if self._is_time(column):
                edges = split(items, "..")
                return self._between(edges, known) if len(edges) == 2 else Reach()  # noqa: PLR2004
            case (column, Token(text=sign), *rest) if self._is_time(column):
                at = _instant(self._value(rest, known))
                return Reach(at if sign in _AFTER else None, at if sign in _BEFORE else None)
            case _:
                return Reach()

    def _between(self, edges: Sequence[Sequence[Node]], known: _Known) -> Reach:
        """Both edges are in it; the second may be a length of time after the first."""
        first, last = (self._value(edge, known) for edge in edges)
        if first is not None and last is not None and not last.is_instant:
            last = first.plus(last)
        return Reach(_instant(first), _instant(last))

    def _is_time(self, node: Node) -> bool:
        return name_of(node) == self._time_column

    # Values

    def _value(self, nodes: Sequence[Node], known: _Known) -> _Value | None:
        """What an expression is, where that is plain."""
        signs = [at for at, node in enumerate(nodes) if is_sign(node, "+", "-")]
        if signs:
            left, right = (
                self._value(nodes[: signs[-1]], known),
                self._value(nodes[signs[-1] + 1 :], known),
            )
            if left is None or right is None:
                return None
            return left.plus(right) if is_sign(nodes[signs[-1]], "+") else left.minus(right)
        match nodes:
            case (Group(items=items) as only,) if is_group(only, "("):
                return self._value(items, known)
            case (Token() as token,):
                return _literal(token, known)
            case (Token(text=function), Group(items=items)):
                return self._call(function, items, known)
            case _:
                return None

    def _call(self, function: str, items: Sequence[Node], known: _Known) -> _Value | None:
        now = _Value(self._now, is_instant=True)
        if function == "now" and not items:
            return now
        argument = self._value(items, known)
        match function, argument:
            case "ago", _Value(is_instant=False):
                return now.minus(argument)
            case "startofday", _Value(ticks=ticks, is_instant=True):
                return _Value(ticks - ticks % _DAY, is_instant=True)
            case _:
                return None


def _instant(value: _Value | None) -> int | None:
    return value.ticks if value is not None and value.is_instant else None


def _literal(token: Token, known: _Known) -> _Value | None:
    # A column of that name would stand before what `let` gives it.
    if token.text in known and token.text not in documented_columns():
        return known[token.text]
    if token.text.startswith(("datetime(", "date(")):
        try:
            instant = parse_instant(token.text.partition("(")[2][:-1].strip())
        except ValueError:
            return None
        return _Value(instant, is_instant=True)
    ticks = timespan_ticks(token)
    return None if ticks is None else _Value(ticks, is_instant=False)


def _plainly_read(source: Sequence[Node]) -> Sequence[Node]:
    """The nodes of a source, of which those that are tables are read as the pipeline goes on."""
    if len(source) == 1:
        return source
    if starts_with(source, _UNION):
        return source[1:]
    return ()


def _conjuncts(nodes: Sequence[Node]) -> Iterator[tuple[Node, ...]]:
    part: list[Node] = []
    for node in nodes:
        if isinstance(node, Token) and node.is_name("and"):
            yield tuple(part)
            part = []
        else:
            part.append(node)
    yield tuple(part)

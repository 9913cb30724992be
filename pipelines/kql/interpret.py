"""A query evaluated not on rows, but on what is known of them before any is read.

What belongs here: walking statements, pipelines and operators with the values that names have in
scope. What does not: expressions (``evaluate``), what an operator does to rows (``steps``), or what
follows for slicing (``verdict``).

``find_sources`` has seen the query before: what it took for a table is one here. A table that this
walk never comes by is left to ``verdict``, which then trusts nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.kql.evaluate import Evaluator
from pipelines.kql.functions import (
    TABLE_MAKERS,
)
from pipelines.kql.lexer import Token
from pipelines.kql.sources import option_length
from pipelines.kql.steps import join_kind, joined, objection, stepped, united, without_named
from pipelines.kql.structure import (
    STARTING_OPERATORS,
    Function,
    Group,
    Let,
    Node,
    Operator,
    Pipeline,
    Statement,
    is_group,
    name_of,
    operator,
    split,
    starts_with,
    statements,
)
from pipelines.kql.values import (
    CHANGING,
    CONSTANT,
    Division,
    Lambda,
    Relation,
    Scalar,
    Scope,
    Value,
    unless,
    whole,
)

# What they compare with decides which rows there are, not what is in them.
_FILTERS: Final = frozenset({"filter", "where"})
_AGGREGATING: Final = frozenset({"make-series", "summarize", "top-nested"})


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the query's last pipeline is up to ``end``; ``step`` is what ends there."""

    end: int
    step: Operator | None
    relation: Relation


class Interpreter(Evaluator):
    """Evaluates one query, once."""

    def __init__(self, text: str, tables: Mapping[int, Relation]) -> None:
        super().__init__(text, tables)
        self.prefixes: list[Prefix] = []

    def query(self, parsed: Sequence[Statement]) -> Value:
        """The value of the last statement."""
        return self._block(parsed, {}, prefixes=self.prefixes)

    # Statements

    def _block(
        self,
        block: Sequence[Statement],
        scope: Scope,
        *,
        record: Relation | None = None,
        prefixes: list[Prefix] | None = None,
    ) -> Value:
        value: Value = Scalar()
        for statement in block:
            if isinstance(statement, Let):
                self._let(statement, scope)
            else:
                if prefixes is not None:
                    prefixes.clear()
                value = self._pipeline(statement, scope, record=record, prefixes=prefixes)
        return value

    def _let(self, let: Let, scope: Scope) -> None:
        if isinstance(let.value, Function):
            self._uncalled[let.value.start] = let.value
            scope[let.name] = Lambda(let.name, let.value, dict(scope))
        else:
            scope[let.name] = self._nameable(let.name, self._pipeline(let.value, scope))

    def _pipeline(
        self,
        pipeline: Pipeline,
        scope: Scope,
        *,
        record: Relation | None = None,
        prefixes: list[Prefix] | None = None,
    ) -> Value:
        if not pipeline.source:
            value: Value = record or whole(
                pipeline.start, "the operators at {place} work on rows that huntlake can't see"
            )
        else:
            value = self._source(pipeline.source, scope)
        if not pipeline.operators:
            if prefixes is not None and isinstance(value, Relation):
                prefixes.append(Prefix(pipeline.source[-1].end, None, value))
            return value
        relation = _relation(value, pipeline.start)
        if prefixes is not None and pipeline.source:
            prefixes.append(Prefix(pipeline.source[-1].end, None, relation))
        for step in pipeline.operators:
            relation = self._step(relation, step, scope)
            if prefixes is not None:
                prefixes.append(Prefix(step.end, step, relation))
        return relation

    # What a pipeline starts with

    def _source(self, nodes: Sequence[Node], scope: Scope) -> Value:
        first = nodes[0]
        name = name_of(first)
        if len(nodes) == 1:
            if name is not None and (named := self._named(name, first, scope)) is not None:
                return named
            if isinstance(first, Group) and is_group(first, "("):
                return self._brackets(first.items, scope)
        if isinstance(first, Token) and name not in scope:
            if name in TABLE_MAKERS:
                noted = self._expression(nodes[1:], scope)
                made = CONSTANT if name == "datatable" else CHANGING
                return unless(noted, made)
            if starts_with(nodes, STARTING_OPERATORS):
                return self._starting_operator(operator(nodes), scope)
        if len(nodes) == 2 and isinstance(nodes[1], Group) and is_group(nodes[1], "("):  # noqa: PLR2004 - f and its brackets
            called = self._call(first, nodes[1], scope)
            if called is not None:
                return called
        return self._scalar(nodes, scope)

    def _brackets(
        self, nodes: Sequence[Node], scope: Scope, record: Relation | None = None
    ) -> Value:
        self._go_deeper()
        value = self._block(statements(self._text, nodes), dict(scope), record=record)
        self._depth -= 1
        return value

    def _starting_operator(self, step: Operator, scope: Scope) -> Relation:
        if step.name == "union":
            return self._union([], step, scope)
        if step.name not in {"print", "range"}:
            return unless(self._expression(step.args, scope), objection(step))
        value = self._scalar(step.args, scope)
        return unless(value.objection, CONSTANT if value.steady else CHANGING)

    # Operators

    def _step(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        if relation.division is Division.WHOLE:
            self._after(relation, step, scope)
            return relation
        before = self._unsteady_reads
        after = self._after(relation, step, scope)
        if step.name in _FILTERS or before == self._unsteady_reads:
            return after
        return replace(after, steady=False)

    def _after(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        match step.name:
            case "join" | "lookup":
                return self._join(relation, step, scope)
            case "union":
                return self._union([relation], step, scope)
            case "invoke":
                return self._invoke(relation, step, scope)
            case "mv-apply":
                return self._mv_apply(relation, step, scope)
            case "as":
                return self._as(relation, step, scope)
            case _:
                noted = self._expression(step.args, scope, aggregates=step.name in _AGGREGATING)
                after = stepped(relation, step, scope)
                return after if after.division is Division.WHOLE else unless(noted, after)

    def _join(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        nodes = _after_options(step.args)
        call = len(nodes) > 1 and name_of(nodes[0]) is not None and is_group(nodes[1], "(")
        length = 2 if call else 1
        right = _relation(self._source(nodes[:length], scope), nodes[0].start)
        noted = self._expression(nodes[length:], scope)
        return joined(unless(noted, relation), right, step, join_kind(step))

    def _union(self, before: list[Relation], step: Operator, scope: Scope) -> Relation:
        parts = [part for part in split(_after_options(step.args), ",") if part]
        read = [_relation(self._source(part, scope), part[0].start) for part in parts]
        return united([*before, *read], step.start) if before or read else objection(step)

    def _invoke(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        match step.args:
            case (node, Group() as group):
                callee = scope.get(name_of(node) or "")
                if isinstance(callee, Lambda):
                    arguments = self._arguments(callee, group, scope) if group.items else []
                    called = self._called(callee, [(None, relation), *arguments])
                    return _relation(called, step.start)
                self._expression(group.items, scope)
        text = "`invoke` at {place} asks the service about some of all rows"
        return whole(step.start, text)

    def _mv_apply(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        """Its brackets work on the rows of one record: to them those are all there is."""
        if not step.args or not isinstance(step.args[-1], Group):
            return objection(step)
        noted = self._expression(step.args[:-1], scope)
        body = self._brackets(step.args[-1].items, scope, record=CONSTANT)
        read = _relation(body, step.args[-1].start)
        if read.division is not Division.CONSTANT:
            return read if read.division is Division.WHOLE else objection(step)
        steady = relation.steady and read.steady
        return without_named(unless(noted, replace(relation, steady=steady)), step, scope)

    def _as(self, relation: Relation, step: Operator, scope: Scope) -> Relation:
        if step.args and (name := name_of(step.args[-1])):
            scope[name] = relation
        return relation


def _after_options(nodes: Sequence[Node]) -> Sequence[Node]:
    while (equals := option_length(nodes)) is not None:
        nodes = nodes[equals + 2 :]
    return nodes


def _relation(value: Value, start: int) -> Relation:
    if isinstance(value, Relation):
        return value
    return whole(start, "what stands at {place} is not known to be a table")

"""Which tables a query reads, and where: what has to be restricted, and whether it can be.

What belongs here: walking every statement and operator of a query with the names that are in scope
there. What does not: what an expression may read (``expressions``), or whether the query may be
sliced (``verdict``).

Nothing may slip through. A table that is read by a way that a ``let`` before the hunt can't reach
is refused, with what to change; and a documented table is restricted wherever its name stands, even
where this walk doesn't see why it stands there.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipelines.kql.expressions import Binding, ExpressionWalk, Mention, Scope, Sources
from pipelines.kql.functions import (
    AGGREGATES,
    ENRICHMENTS,
    FOREIGN_FUNCTIONS,
    KEYWORDS,
    OTHER_FUNCTIONS,
    ROW_FUNCTIONS,
    TABLE_MAKERS,
    TABLE_READERS,
    TIME_FUNCTIONS,
    WATCHLIST_FUNCTIONS,
)
from pipelines.kql.lexer import Token
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
    is_sign,
    name_of,
    operator,
    split,
    starts_with,
    statements,
)
from pipelines.kql.tables import find_table, known_tables

_BUILT_IN: Final = ROW_FUNCTIONS | OTHER_FUNCTIONS | AGGREGATES | TIME_FUNCTIONS


def find_sources(
    text: str, query: Sequence[Statement], *, time_column: str | None = None
) -> Sources:
    """Everything that the query reads. Raises ``KqlError`` for what no window can restrict."""
    walk = _Walk(text, time_column)
    walk.query(query)
    walk.refuse_shadowing()
    return walk.found


class _Walk(ExpressionWalk):
    """Goes through a query once. Methods return whether what they saw is a table."""

    def query(self, query: Iterable[Statement]) -> None:
        """The whole query: what its statements return can only be tables."""
        scope: Scope = {}
        for statement in query:
            if isinstance(statement, Let):
                self._let(statement, scope)
            else:
                self._pipeline(statement, scope, must=True)

    def _block(self, block: Iterable[Statement], scope: Scope) -> bool:
        """The statements of a function or within brackets; what the last one is, the block is."""
        tabular = False
        for statement in block:
            if isinstance(statement, Let):
                self._let(statement, scope)
            else:
                tabular = self._pipeline(statement, scope)
        return tabular

    def refuse_shadowing(self) -> None:
        """Refuse a query that gives a name of its own to what huntlake has to redefine."""
        read = {table.name for table in self.found.tables}
        for name in self.found.defined:
            if name.name in TIME_FUNCTIONS | TABLE_READERS:
                self._refuse(
                    name.start,
                    f"`{name.name}` is a function of KQL's own, which huntlake has to know; give "
                    f"yours another name",
                )
            table = find_table(name.name)
            if name.name in read or (table is not None and table.time_column is not None):
                self._refuse(
                    name.start,
                    f"the hunt gives the name of the table `{name.name}` to something of its own; "
                    f"give that another name, so that huntlake can restrict the table",
                )

    # Statements

    def _let(self, let: Let, scope: Scope) -> None:
        if isinstance(let.value, Function):
            parameters = let.value.parameters
            inner = dict(scope)
            for parameter in parameters:
                self._define(parameter.name, parameter.start, inner, Binding(parameter.tabular))
            tabular = self._block(let.value.body, inner)
            if tabular or any(parameter.tabular for parameter in parameters):
                self.found.table_lets.append(Mention(let.name, let.start))
            self._define(let.name, let.start, scope, Binding(tabular, parameters))
        else:
            tabular = self._pipeline(let.value, scope)
            if tabular:
                self.found.table_lets.append(Mention(let.name, let.start))
            self._define(let.name, let.start, scope, Binding(tabular))

    def _define(self, name: str, start: int, scope: Scope, binding: Binding) -> None:
        self.found.defined.append(Mention(name, start))
        scope[name] = binding

    def _pipeline(self, pipeline: Pipeline, scope: Scope, *, must: bool = False) -> bool:
        tabular = True
        if pipeline.source:
            must = must or bool(pipeline.operators)
            tabular = self._source(pipeline.source, scope, must=must)
        for step in pipeline.operators:
            self._operator(step, scope)
        return tabular or bool(pipeline.operators)

    # What a pipeline starts with

    def _source(self, nodes: Sequence[Node], scope: Scope, *, must: bool) -> bool:
        """What stands where a table may (or ``must``) stand."""
        first = nodes[0]
        name = name_of(first)
        if len(nodes) == 1 and name is not None:
            return self._reference(name, first.start, scope)
        if len(nodes) == 1 and isinstance(first, Group) and is_group(first, "("):
            return self._bracketed(first, scope)
        if name in TABLE_MAKERS:
            self._expression(nodes[1:], scope)
            return True
        if starts_with(nodes, STARTING_OPERATORS):
            self._starting_operator(operator(nodes), scope)
            return True
        if len(nodes) == 2 and name is not None and is_group(nodes[1], "("):  # noqa: PLR2004 - f and its brackets
            return self._source_call(nodes, Mention(name, first.start), scope, must=must)
        self._expression(nodes, scope)
        if must:
            self._refuse(
                first.start,
                "huntlake can't tell which table this pipeline reads; start it with the table's "
                "name",
            )
        return False

    def _pipelines(self, nodes: Sequence[Node], scope: Scope) -> bool:
        return self._block(statements(self._text, nodes), dict(scope))

    def _source_call(
        self, nodes: Sequence[Node], call: Mention, scope: Scope, *, must: bool
    ) -> bool:
        own = call.name in scope
        if call.name in WATCHLIST_FUNCTIONS and not own:
            self._expression(nodes[1:], scope)
            self.found.nested.append(call.start)
            return True
        scalar = call.name in _BUILT_IN | KEYWORDS and not must
        if own or scalar or call.name in TABLE_READERS | FOREIGN_FUNCTIONS:
            self._expression(nodes, scope)
            return scope[call.name].tabular if own else call.name == "materialize"
        return self._refuse(
            call.start,
            f"the hunt calls `{call.name}()` for a table, and huntlake can't see which tables that "
            f"reads; define the function with `let` in the hunt",
        )

    # Operators

    def _operator(self, step: Operator, scope: Scope) -> None:
        if not step.name:
            self._refuse(step.start, "an operator such as `where` must follow the `|`")
        match step.name:
            case "join" | "lookup":
                self._join(step, scope)
            case "union":
                self._union(step, scope)
            case "invoke":
                self._invoke(step, scope)
            case "evaluate":
                self._evaluate(step, scope)
            case "make-graph":
                self._make_graph(step, scope)
            case "macro-expand":
                self._refuse(step.start, "huntlake can't restrict `macro-expand`; use `union`")
            case "as":
                self._expression(step.args[:-1], scope)
                if step.args and (name := name_of(step.args[-1])):
                    self._define(name, step.args[-1].start, scope, Binding(tabular=True))
            case _:
                self._expression(step.args, scope)

    def _starting_operator(self, step: Operator, scope: Scope) -> None:
        if step.name in {"search", "find"}:
            self._refuse(
                step.start,
                f"`{step.name}` reads tables, and returns their names, by a way that huntlake "
                f"can't restrict; write `union A, B | where ...` with the tables' names",
            )
        self._operator(step, scope)

    def _join(self, step: Operator, scope: Scope) -> None:
        nodes = self._after_options(step.args)
        if not nodes:
            self._refuse(step.start, f"`{step.name}` names no table to read")
        call = len(nodes) > 1 and name_of(nodes[0]) is not None and is_group(nodes[1], "(")
        length = 2 if call else 1
        self._source(nodes[:length], scope, must=True)
        self._expression(nodes[length:], scope)

    def _union(self, step: Operator, scope: Scope) -> None:
        for part in split(self._after_options(step.args), ","):
            if any(is_sign(node, "*") for node in part):
                self._refuse_pattern(part)
            if part:
                self._source(part, scope, must=True)

    def _refuse_pattern(self, nodes: Sequence[Node]) -> None:
        """``Device*``: the tenant may have tables that no documentation lists, so don't guess."""
        shape = "".join(
            ".*" if is_sign(node, "*") else re.escape(name_of(node) or "") for node in nodes
        )
        fitting = [name for name in known_tables() if re.fullmatch(shape, name)]
        listed = f", such as {', '.join(fitting[:3])}" if fitting else ""
        self._refuse(
            nodes[0].start,
            f"huntlake can't restrict the tables that a `*` stands for; list their names{listed}",
        )

    def _invoke(self, step: Operator, scope: Scope) -> None:
        name = name_of(step.args[0]) if step.args else None
        if name is None or (name not in scope and name not in ENRICHMENTS):
            self._refuse(
                step.start,
                f"huntlake can't see which tables `invoke {name or ''}` reads; define the "
                f"function with `let` in the hunt",
            )
        self._expression(step.args[1:], scope)

    def _evaluate(self, step: Operator, scope: Scope) -> None:
        """A plugin. The lookups alone take a table: ``ipv4_lookup(Networks, ...)``."""
        match step.args:
            case (Token() as plugin, Group() as group, *rest) if plugin.text.endswith("_lookup"):
                table, *arguments = split(group.items, ",")
                if table:
                    self._source(table, scope, must=True)
                for argument in (*arguments, rest):
                    self._expression(argument, scope)
            case _:
                self._expression(step.args, scope)

    def _make_graph(self, step: Operator, scope: Scope) -> None:
        """``Source --> Target with Nodes on Id``: what follows ``with`` are tables."""
        parts = split(step.args, ",")
        for part in parts:
            words = [isinstance(node, Token) and node.is_name("with") for node in part]
            table = words.index(True) + 1 if True in words else 0 if part is not parts[0] else None
            if table is not None and table < len(part):
                self._source(part[table : table + 1], scope, must=True)
                self._expression(part[table + 1 :], scope)
            else:
                self._expression(part, scope)

    def _after_options(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """What follows ``kind=inner hint.remote=left`` and their like."""
        while (equals := option_length(nodes)) is not None:
            if isinstance(nodes[0], Token) and nodes[0].is_name("withsource", "with_source"):
                self._refuse(
                    nodes[0].start,
                    "restricting a table changes the name that `withsource` returns for it; add "
                    "the names with `extend` in each part of the union",
                )
            nodes = nodes[equals + 2 :]
        return nodes


def option_length(nodes: Sequence[Node]) -> int | None:
    """Where the ``=`` of an option stands that the nodes start with, if they do."""
    for index, node in enumerate(nodes):
        if is_sign(node, "="):
            return index if index % 2 else None
        if not (is_sign(node, ".") if index % 2 else name_of(node)):
            return None
    return None

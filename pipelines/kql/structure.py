"""The shape of a KQL query: statements, pipelines, operators, brackets.

What belongs here: cutting tokens at ``;``, ``|`` and brackets, and giving each part its name and
place. What does not: which names are tables (``sources``), or what an operator does to rows
(``verdict``).

This is no grammar. It reads any query that the service accepts and many that it doesn't, because
refusing what is merely unknown would refuse each new operator of the language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pipelines.errors import KqlError
from pipelines.kql.lexer import Kind, Token, code, place, string_value

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
# Deeper than any query that a person writes, shallower than Python's stack.
_MAX_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Group:
    """What stands between a bracket and the one that closes it."""

    open: Token
    close: Token
    items: tuple["Node", ...]

    @property
    def start(self) -> int:
        """Where its opening bracket stands."""
        return self.open.start

    @property
    def end(self) -> int:
        """Where what follows its closing bracket starts."""
        return self.close.end


Node: TypeAlias = Token | Group


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a pipeline, such as ``where``; ``args`` is all that follows its name."""

    name: str
    start: int
    args: tuple[Node, ...]

    @property
    def end(self) -> int:
        """Where what follows it starts, spaces and comments included."""
        return self.args[-1].end if self.args else self.start + len(self.name)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``source | operator | operator``. Within ``mv-apply`` and its like the source is empty."""

    source: tuple[Node, ...]
    operators: tuple[Operator, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a let function. ``tabular``: it takes a table."""

    name: str
    start: int
    tabular: bool


@dataclass(frozen=True, slots=True)
class Function:
    """The value of ``let f = (parameters) { body }``, whose body is ``text[start:end]``."""

    parameters: tuple[Parameter, ...]
    body: tuple["Statement", ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Let:
    """``let name = value``."""

    name: str
    start: int
    value: Pipeline | Function


Statement: TypeAlias = Let | Pipeline

# Operators that a pipeline may start with, for lack of a source of its own or being the source.
STARTING_OPERATORS: Final = frozenset({"union", "search", "find", "print", "range", "evaluate"})
# Operators that a sub-pipeline without a source starts with, as in mv-apply x on (top 1 by x).
FOLLOWING_OPERATORS: Final = frozenset(
    {
        *("as", "count", "distinct", "extend", "filter", "fork", "invoke", "join", "limit"),
        *("lookup", "make-series", "mv-apply", "mv-expand", "order", "parse", "parse-kv"),
        *("parse-where", "partition", "project", "project-away", "project-keep", "project-rename"),
        *("project-reorder", "reduce", "render", "sample", "sample-distinct", "scan", "serialize"),
        *("sort", "summarize", "take", "top", "top-hitters", "top-nested", "where"),
    }
)


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a query, in order. Raises ``KqlError`` for what can't be read."""
    parsed = statements(text, _tree(text, code(text)))
    if not parsed:
        raise KqlError("1:1: the query is empty; write one, or remove the hunt")
    return parsed


def statements(text: str, nodes: Sequence[Node]) -> tuple[Statement, ...]:
    """The statements of a whole query, or of the body of a function."""
    parts = [part for part in split(nodes, ";") if part]
    return tuple(_statement(text, part) for part in parts)


def split(nodes: Sequence[Node], sign: str) -> list[tuple[Node, ...]]:
    """The runs of nodes between signs of one kind, outside brackets; a run may be empty."""
    runs: list[list[Node]] = [[]]
    for node in nodes:
        if isinstance(node, Token) and node.is_sign(sign):
            runs.append([])
        else:
            runs[-1].append(node)
    return [tuple(run) for run in runs]


def pipeline(text: str, nodes: Sequence[Node]) -> Pipeline:
    """A pipeline from the nodes between two semicolons or within brackets."""
    start = nodes[0].start
    first, *rest = split(nodes, "|")
    operators = []
    for number, run in enumerate(rest, start=1):
        if not run:
            raise KqlError(
                f"{place(text, _end_of(nodes, number))}: a `|` has no operator after it; add one, "
                f"or remove the `|`"
            )
        operators.append(operator(run))
    if not first:
        raise KqlError(f"{place(text, start)}: nothing stands before this `|`; name a table there")
    if starts_with(first, FOLLOWING_OPERATORS):
        return Pipeline((), (operator(first), *operators), start)
    return Pipeline(first, tuple(operators), start)


def operator(nodes: Sequence[Node]) -> Operator:
    """An operator from the nodes between two pipes. ``project-away`` is one name."""
    name, length = _hyphenated(nodes)
    return Operator(name, nodes[0].start, tuple(nodes[length:]))


def starts_with(nodes: Sequence[Node], names: frozenset[str]) -> bool:
    """Whether the nodes read as one of these operators: its name, and something to work on.

    A name that stands alone, or before a dot or a sign, is a table or a value of that name.
    """
    name, length = _hyphenated(nodes)
    if name not in names:
        return False
    follower = nodes[length] if length < len(nodes) else None
    if follower is None:
        return name in {"count", "serialize"}
    return not (isinstance(follower, Token) and follower.is_sign(".", "=", ","))


def quoted_name(node: Node) -> str | None:
    """The name that ``['a name']`` stands for; None for any other node."""
    if isinstance(node, Group) and node.open.text == "[" and len(node.items) == 1:
        item = node.items[0]
        if isinstance(item, Token) and item.kind is Kind.STRING:
            return string_value(item)
    return None


def name_of(node: Node) -> str | None:
    """The name that a node is, plain or quoted; None where it is none."""
    if isinstance(node, Token):
        return node.text if node.kind is Kind.NAME else None
    return quoted_name(node)


def is_group(node: Node, opening: str) -> bool:
    """Whether the node is a group that this bracket opens."""
    return isinstance(node, Group) and node.open.text == opening


def is_sign(node: Node, *signs: str) -> bool:
    """Whether the node is one of these signs."""
    return isinstance(node, Token) and node.is_sign(*signs)


def _tree(text: str, tokens: Sequence[Token]) -> tuple[Node, ...]:
    open_brackets: list[Token] = []
    levels: list[list[Node]] = [[]]
    for token in tokens:
        if token.is_sign(*_CLOSING):
            open_brackets.append(token)
            levels.append([])
            if len(open_brackets) > _MAX_DEPTH:
                raise KqlError(
                    f"{place(text, token.start)}: more than {_MAX_DEPTH} brackets stand within "
                    f"each other here; split the query with `let`"
                )
        elif token.is_sign(*_CLOSING.values()):
            if not open_brackets or _CLOSING[open_brackets[-1].text] != token.text:
                raise _unmatched(text, open_brackets, token)
            group = Group(open_brackets.pop(), token, tuple(levels.pop()))
            levels[-1].append(group)
        else:
            levels[-1].append(token)
    if open_brackets:
        raise KqlError(
            f"{place(text, open_brackets[-1].start)}: this `{open_brackets[-1].text}` is never "
            f"closed"
        )
    return tuple(levels[0])


def _unmatched(text: str, open_brackets: Sequence[Token], token: Token) -> KqlError:
    here = place(text, token.start)
    if not open_brackets:
        return KqlError(f"{here}: this `{token.text}` closes nothing")
    opened = open_brackets[-1]
    return KqlError(
        f"{here}: this `{token.text}` does not close the `{opened.text}` at "
        f"{place(text, opened.start)}"
    )


def _statement(text: str, nodes: tuple[Node, ...]) -> Statement:
    first = nodes[0]
    if isinstance(first, Token):
        if first.is_name("let") and len(nodes) > 1 and not is_sign(nodes[1], "|"):
            return _let(text, nodes)
        if first.kind is Kind.DIRECTIVE:
            raise KqlError(
                f"{place(text, first.start)}: a line that starts with # is a client's directive, "
                f"which the service does not know; remove it, or comment it out with //"
            )
        if first.is_name("set", "declare", "alias", "restrict") and len(nodes) > 1:
            raise KqlError(
                f"{place(text, first.start)}: huntlake can't put its own statements before a "
                f"`{first.text}` statement, which must come first; remove it"
            )
    return pipeline(text, nodes)


def _let(text: str, nodes: tuple[Node, ...]) -> Let:
    name = name_of(nodes[1])
    value = nodes[3:]
    if name is None or len(nodes) <= 2 or not is_sign(nodes[2], "=") or not value:  # noqa: PLR2004 - let, name, =
        raise KqlError(f"{place(text, nodes[0].start)}: a let statement reads `let name = value;`")
    start = nodes[1].start
    signature = value[1:] if isinstance(value[0], Token) and value[0].is_name("view") else value
    match signature:
        case (Group() as parameters, Group() as body) if body.open.text == "{":
            inner = statements(text, body.items)
            function = Function(_parameters(parameters), inner, body.start, body.end)
            return Let(name, start, function)
        case _:
            return Let(name, start, pipeline(text, value))


def _parameters(group: Group) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name, part[0].start, tabular=any(is_group(node, "(") for node in part[1:]))
        for part in split(group.items, ",")
        if part and (name := name_of(part[0])) is not None
    )


def _hyphenated(nodes: Sequence[Node]) -> tuple[str, int]:
    """``project-away`` and how many nodes it takes; hyphens bind only without spaces."""
    name, length = "", 0
    for token in _touching(nodes):
        expected = token.is_sign("-") if length % 2 else token.kind is Kind.NAME
        if not expected:
            break
        name += token.text
        length += 1
    if length and length % 2 == 0:  # a trailing hyphen is a minus
        return name[:-1], length - 1
    return name, length


def _touching(nodes: Sequence[Node]) -> Iterator[Token]:
    """The leading tokens that no space parts."""
    end = nodes[0].start if nodes else 0
    for node in nodes:
        if not isinstance(node, Token) or node.start != end:
            return
        yield node
        end = node.end


def _end_of(nodes: Sequence[Node], pipe: int) -> int:
    """Where the pipe of this number stands, counted from one."""
    pipes = [node for node in nodes if is_sign(node, "|")]
    return pipes[pipe - 1].start

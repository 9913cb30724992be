"""Lists of columns: ``a, b = tolower(c), bin(Timestamp, 1h)``, with the names that KQL gives them.

What belongs here: cutting such lists, and what an entry's expression holds of the event's time or
of a key. What does not: what an operator does with the list (``steps``).

Where the language's own rule for a name is not plain, the column has no name here, and so nothing
is known of it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.kql.lexer import Kind, Token
from pipelines.kql.structure import Group, Node, is_group, is_sign, name_of, split
from pipelines.kql.values import Lineage, Scalar, Scope
from pipelines.spans import Grid
from pipelines.windows import TICKS_PER_SECOND, parse_instant

# A column made by one of these is named after their first argument.
_NAMED_AFTER_ARGUMENT: Final = frozenset(
    {
        *("bin", "bin_at", "floor", "format_datetime", "round", "startofday", "tobool"),
        *("todatetime", "todecimal", "todouble", "toguid", "toint", "tolong", "toreal"),
        *("tostring", "totimespan"),
    }
)
_CALENDAR_BINS: Final[Mapping[str, Grid]] = {
    "startofday": Grid(86_400 * TICKS_PER_SECOND),
    "startofweek": Grid.weeks(),
    "startofmonth": Grid.months(),
    "startofyear": Grid.years(),
}
_UNIT_TICKS: Final = {
    **dict.fromkeys(("tick", "ticks"), 1),
    **dict.fromkeys(("microsecond", "microseconds", "microsec", "micros", "micro"), 10),
    **dict.fromkeys(("ms", "milli", "millis", "millisec", "millisecond", "milliseconds"), 10_000),
    **dict.fromkeys(("s", "sec", "second", "seconds"), TICKS_PER_SECOND),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60 * TICKS_PER_SECOND),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600 * TICKS_PER_SECOND),
    **dict.fromkeys(("d", "day", "days"), 86_400 * TICKS_PER_SECOND),
}
_AMOUNT: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?([a-z]+)")
_CLOCK: Final = re.compile(r"(?:([0-9]+)\.)?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_TYPED: Final = re.compile(r"(?:timespan|time)\((.*)\)", re.DOTALL)
_DATETIME: Final = re.compile(r"(?:datetime|date)\(\s*([0-9T:.\- ]+?)Z?\s*\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list: the names it is given (several for ``(a, b) = ...``), or none."""

    given: tuple[str, ...]
    expression: tuple[Node, ...]

    @property
    def name(self) -> str | None:
        """The name of its column; None where it has several or an unknown one."""
        if self.given:
            return self.given[0] if len(self.given) == 1 else None
        return _implied_name(self.expression)


def entries(nodes: Sequence[Node]) -> list[Entry]:
    """The entries of a list."""
    return [_entry(part) for part in split(nodes, ",") if part]


def by_list(nodes: Sequence[Node]) -> tuple[Sequence[Node], Sequence[Node]]:
    """What stands before ``by``, and after it."""
    for index, node in enumerate(nodes):
        if isinstance(node, Token) and node.is_name("by"):
            return nodes[:index], nodes[index + 1 :]
    return nodes, ()


def held_by(nodes: Sequence[Node], lineage: Lineage, scope: Scope) -> Lineage:
    """What an expression holds: one entry, under the name of the column it is of; or nothing."""
    plain = _unwrapped(nodes)
    name = name_of(plain[0]) if len(plain) == 1 else None
    if name is not None:
        return {name: lineage[name]} if name in lineage else {}
    match plain:
        case (Token(kind=Kind.NAME) as function, Group() as group) if is_group(group, "("):
            arguments = split(group.items, ",")
            time = held_by(arguments[0], lineage, scope) if arguments[0] else {}
            bins = _bins(function.text, arguments[1:], scope)
            for column, held in time.items():
                if held is not None and bins is not None and held.nests_in(bins):
                    return {column: bins}
    return {}


def timespan_ticks(token: Token) -> int | None:
    """The ticks of a timespan literal, where it is one and positive."""
    text = token.text
    if typed := _TYPED.fullmatch(text):
        text = typed[1].strip()
    if clock := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        return total * TICKS_PER_SECOND or None
    amount = _AMOUNT.fullmatch(text)
    if amount is None or amount[3] not in _UNIT_TICKS:
        return None
    fraction = amount[2] or ""
    ticks, rest = divmod(int(amount[1] + fraction) * _UNIT_TICKS[amount[3]], 10 ** len(fraction))
    return ticks if ticks and not rest else None


def matcher(nodes: Sequence[Node]) -> Callable[[str], bool]:
    """Whether a list of names and patterns, such as ``a, Device*``, has a name."""
    patterns = [
        "".join(
            ".*" if is_sign(node, "*") else re.escape(name_of(node) or "")
            for node in part
            if not (isinstance(node, Token) and node.is_name("asc", "desc"))
        )
        for part in split(nodes, ",")
    ]
    shape = re.compile("|".join(patterns))
    return lambda name: shape.fullmatch(name) is not None


def names_in(nodes: Sequence[Node]) -> frozenset[str]:
    """Every name that stands anywhere in the nodes."""
    names = {name for node in nodes if (name := name_of(node)) is not None}
    for node in nodes:
        if isinstance(node, Group):
            names |= names_in(node.items)
    return frozenset(names)


def _entry(part: Sequence[Node]) -> Entry:
    if len(part) > 1 and is_sign(part[1], "="):
        name = name_of(part[0])
        if name is not None:
            return Entry((name,), tuple(part[2:]))
        if isinstance(part[0], Group):
            return Entry(tuple(names_in(part[0].items)), tuple(part[2:]))
    return Entry((), tuple(part))


def _implied_name(nodes: Sequence[Node]) -> str | None:
    plain = _unwrapped(nodes)
    if len(plain) == 1:
        return name_of(plain[0])
    match plain:
        case (Token(kind=Kind.NAME) as function, Group() as group) if is_group(group, "("):
            if function.text in _NAMED_AFTER_ARGUMENT:
                return _implied_name(split(group.items, ",")[0])
        case (first, *path) if path and name_of(first):
            return _path_name(plain)
    return None


def _path_name(nodes: Sequence[Node]) -> str | None:
    """``a_b`` for ``a.b``."""
    names = [name_of(node) for node in nodes[::2]]
    dots = all(is_sign(node, ".") for node in nodes[1::2])
    return "_".join(name or "" for name in names) if dots and all(names) else None


def _unwrapped(nodes: Sequence[Node]) -> Sequence[Node]:
    while len(nodes) == 1 and isinstance(nodes[0], Group) and is_group(nodes[0], "("):
        nodes = nodes[0].items
    return nodes


def _bins(function: str, arguments: Sequence[Sequence[Node]], scope: Scope) -> Grid | None:
    """The grid of a call that returns the start of a time's bin."""
    if function in _CALENDAR_BINS and not arguments:
        return _CALENDAR_BINS[function]
    if function in {"bin", "floor"} and len(arguments) == 1:
        width = _width(arguments[0], scope)
        return Grid(width) if width else None
    if function == "bin_at" and len(arguments) == 2:  # noqa: PLR2004 - a width and an origin
        width, origin = _width(arguments[0], scope), _origin(arguments[1])
        return Grid(width, origin) if width and origin is not None else None
    return None


def _width(nodes: Sequence[Node], scope: Scope) -> int | None:
    plain = _unwrapped(nodes)
    if len(plain) != 1 or not isinstance(plain[0], Token):
        return None
    if plain[0].kind is Kind.LITERAL:
        return timespan_ticks(plain[0])
    named = scope.get(plain[0].text)
    return named.ticks if isinstance(named, Scalar) else None


def _origin(nodes: Sequence[Node]) -> int | None:
    plain = _unwrapped(nodes)
    if len(plain) == 1 and isinstance(plain[0], Token):
        literal = _DATETIME.fullmatch(plain[0].text)
        try:
            return parse_instant(literal[1]) if literal else None
        except ValueError:
            return None
    return None

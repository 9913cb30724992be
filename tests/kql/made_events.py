"""Events made for one query: filters match some of them, and time has its awkward places.

What belongs here: values for columns, drawn from the query's own literals and from a few others,
and times in a window. What does not: running queries (``running``), or what must hold of them.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipelines.errors import KqlError
from pipelines.kql.lexer import Kind, Token, code, string_value
from pipelines.standin.store import all_tables, columns
from pipelines.windows import TICKS_PER_SECOND, Window

HOUR: Final = 3600 * TICKS_PER_SECOND
DAY: Final = 24 * HOUR
_ROWS: Final = 150
# A literal is a value for the column named before it, though some words may stand between.
_REACH: Final = 400
# How many literals that stand after no column are values for all of them.
_SPREAD: Final = 8
# Other columns stay null where the query doesn't name them.
_ALWAYS: Final = frozenset({"ReportId", "DeviceId", "DeviceName", "NodeId", "CveId"})

Table = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class _Words:
    """What a query says: its names, its texts by the column that they stand after, its numbers."""

    names: frozenset[str]
    texts: Mapping[str, Sequence[str]]
    numbers: Sequence[int]

    def of(self, column: str) -> Sequence[str]:
        return self.texts.get(column, ())


def make_events(
    query: str, tables: Iterable[str], window: Window, *, rows: int = _ROWS
) -> Mapping[str, Table]:
    """Rows for each table, always the same for the same query."""
    words = _words(query)
    return {table: _rows(table, words, window, rows) for table in tables}


def tables_named(query: str) -> tuple[str, ...]:
    """The tables that a query names."""
    named = {token.text for token in code(query)}
    return tuple(table for table in all_tables() if table in named)


def _rows(table: str, words: _Words, window: Window, rows: int) -> Table:
    chance = random.Random(f"{table} {sorted(words.names)}")  # noqa: S311 - made up
    kinds = columns(table)
    made: Table = {}
    for column, kind in kinds.items():
        if column == "Timestamp" and kind == "datetime":
            made[column] = list(_times(window, rows, chance))
        elif column in words.names or column in _ALWAYS:
            made[column] = [_value(column, kind, words, window, chance) for _ in range(rows)]
    # Equal rows are a case of their own: an answer is no set.
    return {column: [*values, *values[: rows // 20]] for column, values in made.items()}


def _times(window: Window, rows: int, chance: random.Random) -> Iterator[int]:
    """Ties, bursts, edges of hours and days to the tick, and some instants outside the window."""
    bursts = [chance.randrange(window.start, window.end) for _ in range(3)]
    edges = [window.start, window.start - 1, window.end - 1, window.end]
    hours = range(window.start, window.end, max(HOUR, window.ticks // 200))
    for number in range(rows):
        match number % 10:
            case 0 | 1:
                yield bursts[number % 3]
            case 2:
                yield bursts[number % 3] + chance.randrange(-2, 3)
            case 3 | 4:
                yield chance.choice(hours) + chance.randrange(-1, 2)
            case 5 if number < 4 * len(edges) * 10:
                yield edges[number // 10 % len(edges)]
            case 6:
                yield chance.randrange(window.start, window.end, HOUR // 12)
            case _:
                yield chance.randrange(window.start, window.end)


def _value(column: str, kind: str, words: _Words, window: Window, chance: random.Random) -> Any:
    value: Any = None
    match kind:
        case "string":
            value = _text(column, words, chance)
        case "bool" | "boolean":
            value = chance.choice((True, False, None))
        case "int" | "long":
            value = chance.choice((*words.numbers, *words.numbers, 0, 1, 2, 3, None))
        case "real":
            value = float(chance.randrange(10))
        case "datetime" | "date":
            value = chance.randrange(window.start - DAY, window.end)
        case "dynamic":
            value = json.dumps(_bag(column, words, chance))
    return value


def _text(column: str, words: _Words, chance: random.Random) -> str:
    own = words.of(column) or words.of("")[:_SPREAD]
    roll = chance.random()
    if own and roll < 0.6:
        return _around(chance.choice(own), chance)
    if own and roll < 0.7:
        return " ".join(chance.sample(own, k=min(3, len(own))))
    if roll > 0.95:
        return ""
    # The same few values in every table, so that joins find partners.
    return f"{column}-{chance.randrange(5)}"


def _around(text: str, chance: random.Random) -> str:
    return chance.choice((text, text, text.upper(), f"{text} x", f"a/{text}"))


def _bag(column: str, words: _Words, chance: random.Random) -> dict[str, Any]:
    keys = sorted(words.names)[:40]
    values = (*words.of(column), "x", "y", 1, ["p", "q"])
    return {key: chance.choice(values) for key in keys}


def _words(query: str) -> _Words:
    tokens = code(query)
    known = {column for table in tables_named(query) for column in columns(table)}
    texts: dict[str, list[str]] = defaultdict(list)
    column, seen_at = "", 0
    for token in tokens:
        if token.kind is Kind.NAME and token.text in known:
            column, seen_at = token.text, token.start
        elif token.kind is Kind.STRING and token.start - seen_at < _REACH:
            texts[column].append(_string(token))
    names = frozenset(token.text for token in tokens if token.kind is Kind.NAME)
    numbers = [int(token.text) for token in tokens if token.text.isdecimal()]
    small = [number for number in numbers if number < 2**31]
    return _Words(names, texts, sorted({n + d for n in small[:20] for d in (-1, 0, 1)}))


def _string(token: Token) -> str:
    try:
        return string_value(token)
    except KqlError:
        return token.text

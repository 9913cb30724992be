"""A query in the words that ``duckdb-kql`` knows, each with its place in the hunter's own text.

What belongs here: words that stand for others, token by token. What does not: what a query means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pipelines.kql.lexer import Kind, Token, place, scan
from pipelines.kql.tables import FORMER_NAMES
from pipelines.translation.names import Names
from pipelines.translation.rephrasing import rephrased

# Older names, which the language still has.
_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "makeset": "make_set",
        "makelist": "make_list",
        "argmax": "arg_max",
        "argmin": "arg_min",
        "parsejson": "parse_json",
        "extractjson": "extract_json",
        "notcontains": "!contains",
        **FORMER_NAMES,
    }
)


@dataclass(frozen=True, slots=True)
class Respelt:
    """A query's words; ``starts`` says where each stands in the hunter's own text, ``kql``."""

    kql: str
    words: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def text(self) -> str:
        """The query that is read."""
        return "".join(self.words)

    def place(self, line: int, column: int) -> str:
        """Where that is in the hunter's text, as ``line:column``, of a place in ``text``.

        ``line`` counts from 1 and ``column`` from 0, as the parser does; the result both from 1.
        """
        lines = self.text.split("\n")
        offset = sum(len(each) + 1 for each in lines[: line - 1]) + column
        for word, start in zip(self.words, self.starts, strict=True):
            if offset < len(word):
                return place(self.kql, min(start + offset, len(self.kql)))
            offset -= len(word)
        return place(self.kql, len(self.kql))


def respell(kql: str, names: Names) -> Respelt:
    """The query as it is read. Raises ``KqlError`` where a string is not closed."""
    tokens = list(scan(kql))
    other = rephrased(tokens)
    words = tuple(
        other[index] if index in other else _respelling(token, names)
        for index, token in enumerate(tokens)
    )
    return Respelt(kql, words, tuple(token.start for token in tokens))


def _respelling(token: Token, names: Names) -> str:
    if token.kind is not Kind.NAME:
        return token.text
    return _SYNONYMS.get(token.text, names.held(token.text))

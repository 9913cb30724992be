"""The words of a KQL query, each with its place.

What belongs here: cutting text into tokens that tile it exactly, so that what is inside a string or
a comment is never taken for code. What does not: what the tokens mean (``structure``).

The rules are those of the language's own lexer: names are ASCII, a string ends on its line unless
it is fenced by three backticks or tildes, and only ``//`` starts a comment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from pipelines.errors import KqlError


class Kind(Enum):
    """What a token is."""

    SPACE = auto()
    COMMENT = auto()
    STRING = auto()
    LITERAL = auto()  # a number, a timespan, a guid, or a typed one such as datetime(2026-11-20)
    NAME = auto()  # an identifier or a keyword: KQL has no reserved words
    SIGN = auto()  # an operator or a bracket; also !has, in~ and their like
    DIRECTIVE = auto()  # a line that starts with #, for a client and not for the service
    OTHER = auto()  # a character that KQL has no use for


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the text: ``text[start:end]``."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next token starts."""
        return self.start + len(self.text)

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind is Kind.SIGN and self.text in signs

    def is_name(self, *names: str) -> bool:
        """Whether it is one of these names or keywords."""
        return self.kind is Kind.NAME and self.text in names


_TIMESPAN_UNITS: Final = (
    "minutes|minute|min|milliseconds|millisecond|millisec|millis|milli|microseconds|microsecond|"
    "microsec|micros|micro|ms|m|seconds|second|sec|s|days|day|d|hours|hour|hrs|hr|h|nanoseconds|"
    "nanosecond|nanosec|nanos|nano|ticks|tick"
)
_TYPES: Final = "datetime|date|timespan|time|guid|int64|int32|int|long|real|double|decimal|bool"
_HEX: Final = "[0-9A-Fa-f]"

# In this order, each tried where the last token ended. A new line ends a quoted string unclosed;
# the last dots of 1..5 are a range, not a fraction.
_SHAPES: Final = (
    (Kind.SPACE, r"[\s\u180e\u200b\ufeff]+"),
    (Kind.COMMENT, r"//[^\r\n\u2028\u2029]*"),
    (Kind.STRING, r"[hH]?(?:```.*?```|~~~.*?~~~)"),
    (Kind.STRING, r"""[hH]?@(?:"(?:""|[^"\r\n])*"|'(?:''|[^'\r\n])*')"""),
    (Kind.STRING, r"""[hH]?(?:"(?:\\[^\r\n]|[^"\\\r\n])*"|'(?:\\[^\r\n]|[^'\\\r\n])*')"""),
    (Kind.LITERAL, rf"(?:{_TYPES})\([^)]*\)"),
    (Kind.LITERAL, rf"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}"),
    (Kind.LITERAL, r"[0-9]+\.(?!\.(?!\.))(?:[0-9]+(?:[eE][+-]?[0-9]+)?)?(?![A-Za-z0-9_])"),
    (Kind.LITERAL, r"[0-9]+[eE][+-]?[0-9]+(?![A-Za-z0-9_])"),
    (Kind.LITERAL, rf"[0-9]+(?:\.[0-9]+)?(?:{_TIMESPAN_UNITS})(?![A-Za-z0-9_])"),
    (Kind.LITERAL, rf"0[xX]{_HEX}+(?![A-Za-z0-9_])"),
    (Kind.LITERAL, r"[0-9]+(?![A-Za-z0-9_])"),
    (Kind.SIGN, r"![A-Za-z_]+~?|in~"),
    (Kind.NAME, r"[A-Za-z_$][A-Za-z0-9_]*|[0-9]+[A-Za-z_][A-Za-z0-9_]*"),
    (Kind.SIGN, r"<\||<=|>=|<>|==|=>|=~|!=|!~|\.\.|[|;:,.()\[\]{}=<>+\-*/%?!]"),
    (Kind.DIRECTIVE, r"\#[^\r\n]*"),
    (Kind.OTHER, r"."),
)
_TOKEN: Final = re.compile("|".join(f"({shape})" for _, shape in _SHAPES), re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)")
_OPENING: Final = re.compile(rf"""[hH]?(?:@?["']|```|~~~)|(?:{_TYPES})\(""")


def place(text: str, offset: int) -> str:
    """``line:column`` of an offset, both from 1, as editors count."""
    line_start = text.rfind("\n", 0, offset) + 1
    return f"{text.count(chr(10), 0, offset) + 1}:{offset - line_start + 1}"


def scan(text: str) -> Iterator[Token]:
    """Every token of the text, spaces and comments too; joined they are the text again.

    Raises ``KqlError`` where a string or a typed literal is not closed.
    """
    offset = 0
    while match := _TOKEN.match(text, offset):
        kind = _SHAPES[(match.lastindex or 1) - 1][0]
        if opening := _unclosed(text, offset, kind):
            what = "bracket" if opening.endswith("(") else "string"
            raise KqlError(
                f"{place(text, offset)}: the {what} that {opening} opens is never closed; close "
                f"it, or double or escape a quote that belongs to the text"
            )
        yield Token(kind, match[0], offset)
        offset = match.end()


@lru_cache(maxsize=16)  # each part of the analysis, and each slice's query, asks for them again
def code(text: str) -> tuple[Token, ...]:
    """The tokens that mean something: all but spaces and comments."""
    blank = (Kind.SPACE, Kind.COMMENT)
    return tuple(token for token in scan(text) if token.kind not in blank)


def string_value(token: Token) -> str:
    """What a string says, for comparing names: an escaped character is taken for itself."""
    text = token.text.removeprefix("h").removeprefix("H")
    if text.startswith(("```", "~~~")):
        return text[3:-3]
    if text.startswith("@"):
        return text[2:-1].replace(text[-1] * 2, text[-1])
    return _ESCAPED.sub(r"\1", text[1:-1])


def _unclosed(text: str, offset: int, kind: Kind) -> str | None:
    """What opens a string or typed literal here, where no shape found its end."""
    if kind is not Kind.OTHER and kind is not Kind.NAME:
        return None
    opening = _OPENING.match(text, offset)
    return opening[0] if opening else None

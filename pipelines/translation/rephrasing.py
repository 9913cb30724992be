"""What ``duckdb-kql`` can't read, said in another way that it can.

What belongs here: rules that look at more than one word. Each gives other words for some tokens, by
their index; an empty one drops its token. What does not: single words (``respelling``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelines.kql.lexer import Kind, Token

# Blank tokens have no part in any rule.
_BLANK: Final = frozenset({Kind.SPACE, Kind.COMMENT})
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_CASTS: Final[Mapping[str, str]] = {
    "string": "tostring",
    "int": "toint",
    "long": "tolong",
    "real": "toreal",
    "double": "toreal",
    "bool": "tobool",
    "datetime": "todatetime",
    "timespan": "totimespan",
}
_TAKES_TYPE: Final = frozenset({"extract", "extractjson", "extract_json"})
_NEWER: Final[Mapping[str, str]] = {"extractjson": "extract_json"}
_EXPANSIONS: Final = frozenset({"parse_json", "parsejson", "todynamic"})
# What holds of the columns joined together just where it holds of one of them.
_THROUGHOUT: Final = frozenset({"contains", "contains_cs", "has", "has_any", "has_cs"})
_MV_EXPAND: Final = ("mv", "-", "expand")

_Words = Iterator[tuple[int, str]]


def rephrased(tokens: Sequence[Token]) -> Mapping[int, str]:
    """The words of those tokens that are said in another way."""
    told = [index for index, token in enumerate(tokens) if token.kind not in _BLANK]
    words: dict[int, str] = {}
    for rule in _RULES:
        words |= dict(rule(tokens, told))
    return words


def _reordering(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``project-reorder``: the order of an answer's columns is undefined."""
    for at in _runs(tokens, told, ("project", "-", "reorder")):
        end = _end_of_step(tokens, told, at)
        yield told[at], "where true"
        yield from ((told[each], "") for each in range(at + 1, end))


def _typed(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``extract(a, 1, b, typeof(long))`` is ``tolong(extract(a, 1, b))``."""
    for at, index in enumerate(told[:-1]):
        if not tokens[index].is_name(*_TAKES_TYPE) or not tokens[told[at + 1]].is_sign("("):
            continue
        close = _closing(tokens, told, at + 1)
        last = [tokens[told[each]].text for each in range(max(0, close - 5), close)]
        if len(last) == 5 and last[:3] == [",", "typeof", "("] and last[3] in _CASTS:  # noqa: PLR2004
            yield index, f"{_CASTS[last[3]]}({_NEWER.get(tokens[index].text, tokens[index].text)}"
            yield from ((told[each], "") for each in range(close - 5, close))
            yield told[close], "))"


def _named_expansion(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``mv-expand todynamic(a.b)`` names the column of the elements ``a_b``."""
    begun = [at + 2 for at in _runs(tokens, told, _MV_EXPAND)]
    begun += [at for at, index in enumerate(told) if tokens[index].is_name("mvexpand")]
    for at in begun:
        if at + 2 >= len(told) or not tokens[told[at + 1]].is_name(*_EXPANSIONS):
            continue
        if tokens[told[at + 2]].is_sign("("):
            close = _closing(tokens, told, at + 2)
            path = [tokens[told[each]] for each in range(at + 3, close)]
            name = "_".join(token.text for token in path if token.kind is Kind.NAME)
            if all(token.kind is Kind.NAME or token.is_sign(".") for token in path) and name:
                yield told[at + 1], f"{name} = {tokens[told[at + 1]].text}"


def _until_a_time(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``between (a .. 2h)`` is ``between (a .. (a + 2h))``."""
    spans = _names_of_spans(tokens, told)
    for at, index in enumerate(told[:-1]):
        opens = told[at + 1]
        if tokens[index].text not in {"between", "!between"} or not tokens[opens].is_sign("("):
            continue
        close = _closing(tokens, told, at + 1)
        last = tokens[told[close - 1]]
        if tokens[told[close - 2]].is_sign("..") and (_is_span(last) or last.text in spans):
            start = "".join(each.text for each in tokens[opens + 1 : told[close - 2]])
            yield told[close - 1], f"({start.strip()} + {last.text})"


def _keys_of_join(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``on $left.a == $right.b and $left.c == $right.d``: a comma stands for the ``and``."""
    for at, index in enumerate(told):
        if tokens[index].is_name("and") and at + 1 < len(told):
            following = tokens[told[at + 1]]
            if following.text in {"$left", "$right"}:
                yield index, ","


def _any_column(tokens: Sequence[Token], told: Sequence[int]) -> _Words:
    """``* has "text"`` looks through all columns, of which a call makes one text."""
    for at, index in enumerate(told[:-1]):
        if tokens[index].is_sign("*") and tokens[told[at + 1]].text in _THROUGHOUT:
            yield index, "huntlake_all_values()"


def _names_of_spans(tokens: Sequence[Token], told: Sequence[int]) -> frozenset[str]:
    """What ``let`` gives a length of time."""
    return frozenset(
        tokens[told[at + 1]].text
        for at in range(len(told) - 4)
        if tokens[told[at]].is_name("let")
        and tokens[told[at + 2]].is_sign("=")
        and _is_span(tokens[told[at + 3]])
        and tokens[told[at + 4]].is_sign(";")
    )


_RULES: Final = (
    _reordering,
    _typed,
    _named_expansion,
    _until_a_time,
    _keys_of_join,
    _any_column,
)


def _is_span(token: Token) -> bool:
    return (
        token.kind is Kind.LITERAL
        and not token.text.isdecimal()
        and (token.text[0].isdigit() or token.text.startswith(("time(", "timespan(")))
        and (token.text[-1].isalpha() or token.text.endswith(")"))
    )


def _runs(tokens: Sequence[Token], told: Sequence[int], words: Sequence[str]) -> Iterator[int]:
    """Where these words stand one after another, by their place among what is told."""
    for at in range(len(told) - len(words) + 1):
        if all(tokens[told[at + each]].text == word for each, word in enumerate(words)):
            yield at


def _end_of_step(tokens: Sequence[Token], told: Sequence[int], at: int) -> int:
    depth = 0
    for each in range(at, len(told)):
        text = tokens[told[each]].text
        if depth == 0 and text in {"|", ";", ")", "}"}:
            return each
        depth += (text in _OPENING) - (text in _CLOSING)
    return len(told)


def _closing(tokens: Sequence[Token], told: Sequence[int], opening: int) -> int:
    """Where the bracket closes that opens there; the last word where none does."""
    depth = 0
    for each in range(opening, len(told)):
        text = tokens[told[each]].text
        depth += (text in _OPENING) - (text in _CLOSING)
        if depth == 0:
            return each
    return len(told) - 1

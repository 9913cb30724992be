"""Cutting a query into tokens: nothing is lost, and text is never taken for code."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from pipelines.errors import KqlError
from pipelines.kql.lexer import Kind, code, place, scan

_PIECES = st.sampled_from(
    [
        *(
            "DeviceEvents",
            " | where ",
            "Timestamp",
            "ago(7d)",
            "now()",
            "1..5",
            "1.5e3",
            "\n",
            "\r\n",
        ),
        *(
            '"a|b;c//d"',
            "'it\\'s'",
            '@"C:\\""x"',
            "h'secret'",
            "```a\n'b```",
            "~~~x;\n~~~",
            "\ufeff",
        ),
        *(
            "// a 'comment' | ; (\n",
            "datetime(2026-11-20)",
            "!in~ (",
            ")",
            "['a b']",
            "\u200b",
            "\U0001d4b3",
        ),
        *(
            "dynamic([1])",
            "project-away",
            "x =~ 'a'",
            "$left.A",
            "}",
            "{",
            "#",
            "-1tick",
            "0x1F",
            "“",
        ),
    ]
)


def kinds(text: str) -> list[tuple[Kind, str]]:
    return [(token.kind, token.text) for token in code(text)]


@given(st.lists(_PIECES).map("".join) | st.text())
def test_tokens_tile_the_text(text: str) -> None:
    """Joined, the tokens are the text again, whatever it is."""
    try:
        tokens = list(scan(text))
    except KqlError:
        reject()
    assert "".join(token.text for token in tokens) == text
    assert all(text[token.start : token.end] == token.text for token in tokens)


@given(st.text(st.characters(exclude_characters='"\\\r\n')))
def test_a_string_is_one_token_whatever_it_holds(content: str) -> None:
    """Pipes, semicolons, brackets and comment signs in a string are text."""
    assert kinds(f'x == "{content}" | y') == [
        (Kind.NAME, "x"),
        (Kind.SIGN, "=="),
        (Kind.STRING, f'"{content}"'),
        (Kind.SIGN, "|"),
        (Kind.NAME, "y"),
    ]


@given(st.text(st.characters(exclude_characters="\r\n\u2028\u2029")))
def test_a_comment_ends_with_its_line(content: str) -> None:
    """Quotes and brackets in a comment open nothing, and what follows on the next line is code."""
    assert kinds(f"T //{content}\n| count") == kinds("T | count")


@pytest.mark.parametrize(
    "string",
    [
        *('"a"', "'a'", '"a\\"b"', "'a\\\\'", '@"C:\\temp\\"', '@"say ""hi"""', "@'it''s'", 'h"x"'),
        *("H'x'", 'h@"C:\\"', "```a\n\"b'```", "~~~\n|```~~~", "h```x```", '""', "@''"),
    ],
)
def test_each_form_of_string_is_one_token(string: str) -> None:
    """Escapes belong to plain strings, doubled quotes to verbatim ones, lines to fenced ones."""
    assert kinds(f"{string};") == [(Kind.STRING, string), (Kind.SIGN, ";")]


@pytest.mark.parametrize(
    "literal",
    [
        *(
            "1",
            "1.5",
            "1.",
            "1e9",
            "1.5E-3",
            "0xFF",
            "1d",
            "1.5h",
            "10minutes",
            "100ticks",
        ),
        *("datetime(2026-11-20 10:00)", "timespan(1.00:00:00)", "guid(a-b)", "int(null)"),
        "74be27de-1e4e-49d9-b579-fe0b331d3642",
    ],
)
def test_each_form_of_literal_is_one_token(literal: str) -> None:
    """Numbers with their units, and typed literals with their brackets."""
    assert kinds(f"{literal},") == [(Kind.LITERAL, literal), (Kind.SIGN, ",")]


def test_a_range_is_not_a_fraction() -> None:
    """``1..5`` is three tokens, though ``1.`` is a number."""
    assert [text for _, text in kinds("between (1..5)")] == ["between", "(", "1", "..", "5", ")"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("T | where x == 'abc", "1:16"),
        ('T\n| where x == "a\n"', "2:14"),
        ('T | where x == @"a', "1:16"),
        ("T | where x == h'a", "1:16"),
        ("T\n// fine ' here\n| where x == ```a", "3:14"),
        ("T | where x > datetime(2026", "1:15"),
    ],
)
def test_what_is_never_closed_is_refused_where_it_opens(text: str, where: str) -> None:
    """The error names line and column of the opening."""
    with pytest.raises(KqlError, match=f"^{where}: .* never closed"):
        list(scan(text))


def test_places_count_from_one_and_by_character() -> None:
    """A character beyond the BMP is one column, as in editors."""
    assert place("a\n\U0001d4b3\U0001d4b3b", 4) == "2:3"
    assert place("abc", 0) == "1:1"

"""Places in a query that was respelt are told in the hunter's own text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kql.lexer import place, scan
from pipelines.translation import Names, respell

NAMES = Names.of([["LogonId", "LogonID"]])
QUERIES = (
    "T\n| where LogonID == 1 | project-reorder a, b | where x",
    "T | summarize makeset(LogonID),\n  argmax(t, *) by LogonId // LogonID",
    "T | mvexpand parsejson(a.b)\n| where t between (ago(1d) .. 2h)",
    "T\n\n| where extract('a', 1, b, typeof(int)) > 1 | mv-expand todynamic(c)",
)


@pytest.mark.parametrize("query", QUERIES)
def test_every_word_is_found_where_it_stands(query: str) -> None:
    """From where it begins in the text that is read."""
    respelt = respell(query, NAMES)
    offset = 0
    for word, token in zip(respelt.words, scan(query), strict=True):
        before = respelt.text[:offset]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
        if word:
            assert respelt.place(line, column) == place(query, token.start)
        offset += len(word)


@given(st.sampled_from(QUERIES), st.integers(1, 9), st.integers(0, 200))
def test_no_place_is_outside(query: str, line: int, column: int) -> None:
    """Whatever the parser says."""
    found_line, found_column = respell(query, NAMES).place(line, column).split(":")
    lines = query.split("\n")
    assert 1 <= int(found_line) <= len(lines)
    assert 1 <= int(found_column) <= len(lines[int(found_line) - 1]) + 1


def test_of_two_names_that_differ_by_case_one_gives_way() -> None:
    """In code-point order of the table's columns, wherever it stands."""
    assert respell("T | where LogonID == LogonId", NAMES).text.count("LogonID__again") == 1
    assert respell('T | where a == "LogonID"', NAMES).text == 'T | where a == "LogonID"'

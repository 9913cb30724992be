"""What the language's own binder says of the queries that huntlake makes of a hunt."""

from collections.abc import Iterator

import pytest

from pipelines.kql import analyse
from pipelines.kql.lexer import code
from tests.kql import cases
from tests.kql.oracle import Oracle, documented, why_not
from tests.kql.rewritten import faults, rewritings

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

HUNTS = [
    *(hunt for hunts in cases.DAY.values() for hunt in hunts),
    *cases.CALENDAR,
    *(hunt for hunts in cases.NOT_RUN.values() for hunt in hunts),
]


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    said = {token.text for hunt in HUNTS for token in code(hunt)}
    # Binding takes its time for each column that a table has.
    tables = {
        table: {name: kind for name, kind in columns.items() if name in said}
        for table, columns in documented().items()
        if table in said
    }
    with Oracle(tables, opened=[]) as oracle:
        yield oracle


# Every third: the binder takes 25 ms a query, and each hunt is rewritten in six ways.
@pytest.mark.parametrize("query", HUNTS[::3])
def test_the_binder_agrees(query: str, oracle: Oracle) -> None:
    """Every rewriting is valid, has the hunt's columns, and reads no event past the window.

    The tables that the analysis finds are those that the binder sees, too.
    """
    bound = oracle.bind(query)
    assert not bound.errors
    analysis = analyse(query)
    found = {*(table.name for table in analysis.event_tables), *analysis.snapshot_tables}
    assert found == bound.tables
    assert dict(faults(oracle, bound, analysis, dict(rewritings(query, analysis)))) == {}

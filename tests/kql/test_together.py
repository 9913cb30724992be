"""Several hunts in one counting query: which may share it, and that each means what it means."""

import pytest

from pipelines.kql import (
    CELL,
    HUNT,
    ROWS,
    analyse,
    count_cells,
    count_cells_of_all,
    may_share,
    may_share_query,
)
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

START = parse_instant("2026-11-19")
HOUR = 3_600 * TICKS_PER_SECOND
ALL = Window(START - 24 * HOUR, START + 48 * HOUR)

PLAIN = "AlertInfo"
COMMENTED = "// what is high\nAlertInfo // of all\n| where Severity == 'High' // no more"
NAMED = (
    "let high = 'High';\nlet of_high = (s:string) { s == high };\n"
    "AlertInfo | where of_high(Severity)"
)
EVIDENCE = "AlertEvidence | where EntityType != 'x' | project Timestamp"
UNITED = "union AlertInfo, AlertEvidence | project Timestamp"


@pytest.mark.parametrize(
    ("query", "may"),
    [
        *((query, True) for query in (PLAIN, COMMENTED, NAMED, EVIDENCE, UNITED)),
        ("AlertInfo | where Timestamp > ago(1h)", False),
        ("AlertInfo | summarize count() by Severity", False),
        ("AlertInfo | as Kept", False),
    ],
)
def test_what_may_share_a_query(query: str, may: bool) -> None:
    """Not what its partition's end has a part in, nor what names things for all."""
    assert may_share_query((query, analyse(query))) is may


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (PLAIN, NAMED, True),
        (PLAIN, UNITED, True),
        ("let Severity = 'x'; AlertInfo | where Title == Severity", COMMENTED, False),
        ("let high = 'x'; AlertInfo | where Title == high", NAMED, False),
        (
            "let high = 'x'; AlertInfo | where Title == high",
            "AlertInfo | extend ['high'] = 1",
            False,
        ),
    ],
)
def test_names_of_one_mean_nothing_in_the_other(one: str, other: str, may: bool) -> None:
    """Be it a column there, or another name of the same spelling."""
    first, second = (one, analyse(one)), (other, analyse(other))
    assert may_share(first, second) is may
    assert may_share(second, first) is may


def test_a_table_that_one_reads_whole_keeps_them_apart() -> None:
    """A window in the one would be a window in the other."""
    joined = "AlertInfo | join kind=inner AlertEvidence on AlertId"
    whole = (joined, analyse(joined, reference_tables=["AlertEvidence"]))
    assert may_share_query(whole)
    assert not may_share(whole, (EVIDENCE, analyse(EVIDENCE)))
    assert may_share(whole, (PLAIN, analyse(PLAIN)))


def test_each_is_counted_as_it_is_alone() -> None:
    """Some windows of a day, several hunts, one answer."""
    tenant = SyntheticTenant()
    for table in ("AlertInfo", "AlertEvidence"):
        tenant.add_late(table, Window(START, START + 24 * HOUR), rows=400, seed=3)
    windows = [
        Window(START, START + 1),
        Window(START + 3 * HOUR, START + 5 * HOUR),
        Window(START + 10 * HOUR, START + 24 * HOUR),
    ]
    whole = Window(windows[0].start, windows[-1].end)
    hunts = [(query, analyse(query)) for query in (PLAIN, COMMENTED, NAMED, EVIDENCE, UNITED)]

    def counted(query: str, *columns: str) -> list[tuple[object, ...]]:
        with tenant.evaluate(query, visible=ALL, row_cap=10_000) as answer:
            names = ", ".join(columns)
            return sorted(answer.connection.sql(f"SELECT {names} FROM answer").fetchall())

    together = counted(count_cells_of_all(hunts, windows=windows, width=HOUR), HUNT, CELL, ROWS)
    for number, (query, analysis) in enumerate(hunts):
        alone = count_cells(
            query, analysis, window=whole, now=whole.end, width=HOUR, windows=windows
        )
        assert [row[1:] for row in together if row[0] == number] == counted(alone, CELL, ROWS)
    assert {row[0] for row in together} == {0, 1, 2, 3, 4}
    tenant.close()

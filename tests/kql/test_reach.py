"""How far a query reaches in time: never less than it does."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kql.reach import Reach, reach
from pipelines.translation import MACROS, Tables, to_sql
from pipelines.windows import TICKS_PER_SECOND, parse_instant

NOW = parse_instant("2026-11-23")
HOUR = 3600 * TICKS_PER_SECOND
DAY = 24 * HOUR


def of(query: str) -> Reach:
    return reach(query, "T", "Timestamp", now=NOW)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("T | where Timestamp > ago(7d)", -7 * DAY, None),
        ("T | where a == 1 | where Timestamp >= now() - 1h and b", -HOUR, None),
        ("T | where Timestamp between (ago(2d) .. now())", -2 * DAY, 0),
        ("T | where Timestamp between (datetime(2026-11-20) .. 1d)", -3 * DAY, -2 * DAY),
        ("T | where (Timestamp < datetime(2026-11-22T12:00:00Z))", None, -12 * HOUR),
        ("let since = ago(3d); T | where Timestamp >= since", -3 * DAY, None),
        ("let back = 3d; T | where Timestamp >= ago(back)", -3 * DAY, None),
        (
            "let s = ago(1d); T | where Timestamp > s | join (T | where Timestamp > ago(9d)) on a",
            -9 * DAY,
            None,
        ),
        ("union T, B | where Timestamp > startofday(ago(36h))", -2 * DAY, None),
        ("union (T | where Timestamp > ago(1d)), (T | where Timestamp > ago(2d))", -2 * DAY, None),
        ("B | where a in ((T | where Timestamp > ago(2d) | project a))", -2 * DAY, None),
        (
            "let n = toscalar(T | where Timestamp > ago(2d) | count); B | where a > n",
            -2 * DAY,
            None,
        ),
        ("let f = () { T | where Timestamp > ago(2d) }; f()", -2 * DAY, None),
    ],
)
def test_plain_conditions_restrict(query: str, first: int | None, last: int | None) -> None:
    """From ``now()``, or as they are spelled out."""
    assert of(query) == Reach(
        None if first is None else NOW + first, None if last is None else NOW + last
    )


@pytest.mark.parametrize(
    "query",
    [
        "T",
        "T | where Timestamp > ago(7d) or a == 1",
        "T | where not(Timestamp > ago(7d))",
        "T | extend Timestamp = now() | where Timestamp > ago(7d)",
        "T | where Timestamp > ago(1d) | join T on a",
        "T | where Timestamp > ago(1d) | union T",
        "let all = T; all | where Timestamp > ago(1d)",
        "let f = (back: timespan) { T | where Timestamp > ago(back) }; f(1d)",
        "let back = 1d; let f = (back: timespan) { T | where Timestamp > ago(back) }; f(9d)",
        "let ReportId = ago(1d); T | where Timestamp > ReportId",
        "T | where Timestamp !between (ago(2d) .. ago(1d))",
        "T | where Other > ago(7d)",
        "T | where Timestamp > Other",
        "T | where Timestamp > datetime(20 Nov 2026)",
        "let T = B; T | where Timestamp > ago(1d)",
    ],
)
def test_what_is_not_plain_restricts_nothing(query: str) -> None:
    """Though a person might see that it does."""
    assert of(query) == Reach()


CONDITION = st.sampled_from(
    [
        "Timestamp > ago({0}h)",
        "Timestamp >= now() - {0}h",
        "Timestamp < ago({0}h)",
        "Timestamp == ago({0}h)",
        "Timestamp between (ago({0}h) .. ago({1}h))",
        "Timestamp between (ago({0}h) .. {1}h)",
        "Timestamp between (startofday(ago({0}h)) .. now())",
        "a > {1}",
    ]
)
WHERE = st.tuples(
    st.lists(CONDITION, min_size=1, max_size=3), st.integers(0, 60), st.integers(1, 9)
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for macro in MACROS:
        connection.execute(f"CREATE MACRO {macro}")
    connection.execute(
        "CREATE TABLE T AS SELECT TIMESTAMP_NS '2026-11-23' - to_hours(i) AS Timestamp, i AS a "
        "FROM range(72) AS t(i)"
    )
    return connection


@given(filters=st.lists(WHERE, min_size=1, max_size=2), both=st.booleans())
def test_what_lies_outside_has_no_part_in_the_answer(
    connection: duckdb.DuckDBPyConnection, filters: list[tuple[list[str], int, int]], both: bool
) -> None:
    """The rows within reach give the same answer as all rows."""
    steps = " | ".join(
        "where " + " and ".join(each.format(hours, span) for each in conditions)
        for conditions, hours, span in filters
    )
    query = f"T | {steps}" + (f" | join kind=inner (T | {steps}) on a" if both else "")
    found = of(query)
    sql = to_sql(f"{query} | summarize make_set(a)", Tables.of({"T": ["Timestamp", "a"]}), now=NOW)
    ends = (
        f"epoch_ns(Timestamp) {sign} {at * 100}"
        for at, sign in ((found.first, ">="), (found.last, "<="))
        if at is not None
    )
    within = (
        f"WITH T AS (SELECT * FROM main.T WHERE true {''.join(f'AND {each} ' for each in ends)})"
    )
    assert connection.sql(f"{within} FROM ({sql})").fetchall() == connection.sql(sql).fetchall()

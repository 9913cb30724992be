"""The rules of the verdicts, by running: hunts of many shapes, cut where their verdict says.

DuckDB's types are quoted in annotations, as pytest keeps those until Python exits.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.kql import Analysis, analyse
from pipelines.kql.rewrite import fix_now
from pipelines.spans import TICKS
from pipelines.windows import TICKS_PER_SECOND, Window, datetime_from_instant, parse_instant

to_sql = pytest.importorskip("duckdb_kql").to_sql

# Over weeks, a month's end, and hours that are no multiple of anything.
WINDOW = Window(parse_instant("2026-10-20T05:00"), parse_instant("2026-11-17T03:00"))
COLUMNS = {"Timestamp": "datetime", "DeviceName": "string", "ActionType": "string"}
TABLES = ("DeviceEvents", "DeviceInfo")
KNOWN = (
    "datatable(DeviceName: string, Rank: long)['device1', 1, 'device2', 2, 'device2', 3, 'x', 4]"
)


@pytest.fixture(scope="module")
def tenant() -> Iterator["duckdb.DuckDBPyConnection"]:
    """Events at even distances and in bursts; some names are of events of one table only."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE SCHEMA every")
        for table, rows, names in (("DeviceEvents", 400, 7), ("DeviceInfo", 60, 9)):
            connection.execute(
                f"""CREATE TABLE every.{table} AS
                SELECT TIMESTAMP '2026-10-19' + INTERVAL (i * i * 31337 % 2592000) SECOND
                         AS Timestamp,
                       'device' || (i * 5 % {names}) AS DeviceName,
                       chr(97 + (i % 3)::INTEGER) AS ActionType
                FROM range({rows}) AS t(i)
                UNION ALL
                SELECT TIMESTAMP '2026-11-01', 'burst' || (i % 2), 'a' FROM range(9) AS t(i)"""
            )
        yield connection


Rows = Counter[tuple[object, ...]]


def sql_of(query: str) -> str:
    return str(to_sql(fix_now(query, WINDOW.end), schema=dict.fromkeys(TABLES, COLUMNS)))


def answer(tenant: "duckdb.DuckDBPyConnection", sql: str, window: Window) -> tuple[list[str], Rows]:
    """What the query returns where the tenant has the window's events alone."""
    start, end = (datetime_from_instant(edge).isoformat() for edge in (window.start, window.end))
    for table in TABLES:
        tenant.execute(
            f"CREATE OR REPLACE TEMP VIEW {table} AS FROM every.{table} "
            f"WHERE Timestamp >= TIMESTAMPTZ '{start}' AND Timestamp < TIMESTAMPTZ '{end}'"
        )
    result = tenant.execute(sql)
    names = [column[0] for column in result.description]
    return names, Counter(map(_comparable, result.fetchall()))


def _comparable(row: tuple[object, ...]) -> tuple[object, ...]:
    """A set's order is nobody's promise."""
    return tuple(tuple(sorted(cell)) if isinstance(cell, list) else cell for cell in row)


def cut(
    tenant: "duckdb.DuckDBPyConnection", sql: str, analysis: Analysis, edges: list[int]
) -> Rows:
    """The rows of all the slices between edges, each in its own window if it tells its time."""
    rows: Rows = Counter()
    for start, end in pairwise([WINDOW.start, *edges, WINDOW.end]):
        names, part = answer(tenant, sql, Window(start, end))
        if analysis.time_column is not None and analysis.grid is not None:
            column = names.index(analysis.time_column)
            first = datetime_from_instant(analysis.grid.floor(start)).replace(tzinfo=None)
            past = datetime_from_instant(end).replace(tzinfo=None)
            assert all(first <= row[column] < past for row in part)
        rows += part
    return rows


@dataclass(frozen=True)
class Step:
    """A step of a made-up hunt: the columns that it needs, and those there are after it.

    ``+``: those that were there before, too.
    """

    text: str
    needs: str
    leaves: str = "+"

    def columns(self, before: frozenset[str]) -> frozenset[str]:
        leaves = frozenset(self.leaves.split())
        return before | leaves - {"+"} if "+" in leaves else leaves


STEPS = [
    Step("where ActionType != 'b'", "ActionType"),
    Step("where DeviceName in (names)", "DeviceName"),
    Step("sort by DeviceName desc", "DeviceName"),
    Step("extend Hour = bin(Timestamp, 1h)", "Timestamp", "+ Hour"),
    Step("extend Week = startofweek(Timestamp)", "Timestamp", "+ Week"),
    Step("extend Timestamp = bin(Timestamp, 1d)", "Timestamp"),
    Step("extend Timestamp = Timestamp + 30h", "Timestamp"),
    Step("extend part = split('x,y', ',') | mv-expand part", "", "+ part"),
    Step("project Timestamp, DeviceName", "Timestamp DeviceName", "Timestamp DeviceName"),
    Step(
        "project Timestamp = bin(Timestamp, 2h), DeviceName",
        "Timestamp DeviceName",
        "Timestamp DeviceName",
    ),
    Step("project DeviceName, ActionType", "DeviceName ActionType", "DeviceName ActionType"),
    Step("extend Timestamp = now()", "Timestamp"),
    Step(
        "summarize n = count() by bin(Timestamp, 1h), DeviceName",
        "Timestamp DeviceName",
        "n Timestamp DeviceName",
    ),
    Step("summarize n = count() by bin(Timestamp, 3h)", "Timestamp", "n Timestamp"),
    Step("summarize n = count() by Day = bin(Timestamp, 1d)", "Timestamp", "n Day"),
    Step("summarize k = dcount(DeviceName) by Hour", "Hour DeviceName", "k Hour"),
    Step("summarize n = count() by Week", "Week", "n Week"),
    Step("summarize n = count() by T = startofweek(Timestamp)", "Timestamp", "n T"),
    Step("summarize n = count() by T = startofmonth(Timestamp)", "Timestamp", "n T"),
    Step(
        "summarize m = make_set(ActionType) by Timestamp, DeviceName",
        "Timestamp DeviceName ActionType",
        "m Timestamp DeviceName",
    ),
    Step(
        "summarize Timestamp = max(Timestamp) by DeviceName",
        "Timestamp DeviceName",
        "Timestamp DeviceName",
    ),
    Step("summarize n = count() by DeviceName", "DeviceName", "n DeviceName"),
    Step("distinct Timestamp, DeviceName", "Timestamp DeviceName", "Timestamp DeviceName"),
    Step("distinct DeviceName", "DeviceName", "DeviceName"),
    Step("where n > 1", "n"),
    Step("top 3 by Timestamp", "Timestamp"),
    Step("lookup known on DeviceName", "DeviceName", "+ Rank"),
    Step("join kind=leftanti known on DeviceName", "DeviceName"),
    Step("join kind=inner known on DeviceName", "DeviceName", "+ Rank"),
    Step("where DeviceName in (DeviceInfo | project DeviceName)", "DeviceName"),
]
SOURCES = [
    "DeviceEvents",
    "filtered",
    "union DeviceEvents, (DeviceInfo | where ActionType == 'a')",
]


@st.composite
def made_up_hunts(draw: st.DrawFn) -> str:
    """A hunt of up to five steps, each of which finds the columns that it needs."""
    columns = frozenset(COLUMNS)
    steps = [draw(st.sampled_from(SOURCES))]
    for _ in range(draw(st.integers(1, 5))):
        fitting = [step for step in STEPS if frozenset(step.needs.split()) <= columns]
        step = draw(st.sampled_from(fitting))
        columns = step.columns(columns)
        steps.append(step.text)
    lets = "let filtered = DeviceEvents | where ActionType != 'c';\n"
    lets += f"let names = dynamic(['device1', 'device3', 'burst0']);\nlet known = {KNOWN};\n"
    return lets + "\n| ".join(steps)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made_up_hunts(), st.data())
def test_a_hunt_that_is_cut_as_its_verdict_says_returns_what_it_returns_whole(
    tenant: "duckdb.DuckDBPyConnection", query: str, data: st.DataObject
) -> None:
    """At any edges of its grid; and each slice returns rows of its own time alone."""
    analysis = analyse(query)
    if analysis.grid is None:
        return
    if analysis.grid == TICKS:
        instants = st.integers(WINDOW.start + TICKS_PER_SECOND, WINDOW.end - 1)
        milliseconds = instants.map(lambda instant: instant // 10_000 * 10_000)
        edges = data.draw(st.lists(milliseconds, min_size=1, max_size=3, unique=True).map(sorted))
    else:
        inner = list(analysis.grid.edges(WINDOW))
        edges = data.draw(st.lists(st.sampled_from(inner), max_size=3, unique=True).map(sorted))
    sql = sql_of(query)
    _, whole = answer(tenant, sql, WINDOW)
    assert cut(tenant, sql, analysis, edges) == whole


INNER = "DeviceEvents | join kind=inner known on DeviceName"
REFUSED = [
    "DeviceEvents | count",
    "DeviceEvents | top 2 by Timestamp",
    "DeviceEvents | summarize dcount(DeviceName)",
    "DeviceEvents | summarize n = count() by DeviceName",
    "DeviceEvents | distinct DeviceName",
    "DeviceEvents | summarize n = count() by bin(Timestamp + 12h, 1d)",
    "DeviceEvents | where DeviceName in (DeviceInfo | project DeviceName)",
    "DeviceEvents | join kind=inner DeviceInfo on DeviceName",
    "DeviceEvents | join kind=leftanti DeviceInfo on DeviceName",
    f"let known = {KNOWN}; DeviceEvents | join kind=fullouter known on DeviceName",
    f"let known = {KNOWN}; known | join kind=leftouter DeviceEvents on DeviceName",
    f"let known = {KNOWN}; known | project DeviceName | union DeviceEvents",
    f"let known = {KNOWN} | where DeviceName in (DeviceInfo | project DeviceName);\n{INNER}",
    "DeviceEvents | where Timestamp >= toscalar(DeviceInfo | summarize max(Timestamp))",
    "let f = (t: (*)) { t | summarize n = count() by ActionType }; DeviceEvents | invoke f()",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_cut_at_any_instant_would_return_something_else(
    tenant: "duckdb.DuckDBPyConnection", query: str
) -> None:
    """The refusals aren't vacuous: cut at two instants, each of these hunts is another."""
    analysis = analyse(query)
    assert analysis.grid is None
    sql = sql_of(query)
    edges = [parse_instant("2026-10-29T13:00"), parse_instant("2026-11-01T00:00")]
    _, whole = answer(tenant, sql, WINDOW)
    assert cut(tenant, sql, analysis, edges) != whole


HOURLY = "DeviceEvents | summarize n = count() by bin(Timestamp, 1h), DeviceName"
PAIRS = "DeviceEvents | summarize n = count() by DeviceName, ActionType"


@pytest.mark.parametrize(
    ("key", "query"),
    [
        ("DeviceName", "DeviceEvents | summarize n = count(), max(Timestamp) by DeviceName"),
        ("DeviceName", "DeviceEvents | distinct DeviceName, ActionType"),
        ("ActionType", f"{PAIRS} | where n > 2 | summarize m = max(n) by ActionType"),
        ("DeviceName", f"{PAIRS} | project-away ActionType | where n > 2"),
        ("DeviceName", f"union ({PAIRS}), ({PAIRS.replace('Events', 'Info')})"),
        (
            "DeviceName",
            f"{HOURLY} | summarize busiest = max(n) by DeviceName",
        ),
    ],
)
def test_the_rows_of_one_key_come_from_the_events_of_that_key(
    tenant: "duckdb.DuckDBPyConnection", key: str, query: str
) -> None:
    """So a hash of the key divides a keyed answer, and each part is what it is in the whole."""
    analysis = analyse(query)
    assert analysis.hash_columns is not None
    assert key in analysis.hash_columns
    sql = sql_of(query)
    names, whole = answer(tenant, sql, WINDOW)
    assert len(whole) > 1
    for value in {row[names.index(key)] for row in whole}:
        part = sql
        for table in TABLES:
            part = part.replace(f'"{table}"', f"(FROM {table} WHERE {key} = '{value}')")
        _, rows = answer(tenant, part, WINDOW)
        assert rows == Counter(
            {row: times for row, times in whole.items() if row[names.index(key)] == value}
        )

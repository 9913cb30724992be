"""What a restricted hunt returns, evaluated: the definition of a partition, and of a slice."""

# DuckDB's types are quoted in annotations: pytest keeps those until Python exits, and DuckDB then
# reports them as leaks.
from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from pipelines.kql import Verdict, analyse, restrict
from pipelines.windows import Window, parse_instant

to_sql = pytest.importorskip("duckdb_kql").to_sql

PARTITION = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))
SLICES = [
    Window(parse_instant(f"2026-11-20T{start}"), parse_instant(f"2026-11-2{end}"))
    for start, end in [("00:00", "0T06:00"), ("06:00", "0T06:00:01"), ("06:00:01", "1T00:00")]
]

TABLES = ("DeviceEvents", "DeviceInfo")

ROW_WISE = [
    "DeviceEvents",
    "DeviceEvents | where ActionType == 'b' | extend n = strlen(DeviceName) | project n, Timestamp",
    "let kinds = dynamic(['a', 'c']); DeviceEvents | where ActionType in (kinds)",
    "DeviceEvents | where Timestamp > ago(12h) | project Timestamp, age = now() - Timestamp",
    "DeviceEvents | extend Timestamp = Timestamp + 3d | sort by Timestamp desc",
    "DeviceEvents | extend part = split('x,y', ',') | mv-expand part | project-away ActionType",
    "union (DeviceEvents | project Timestamp), (DeviceInfo | project Timestamp)",
]
WHOLE = [
    "DeviceEvents | summarize n = count(), latest = max(Timestamp) by DeviceName",
    """let busy = DeviceEvents | summarize n = count() by DeviceName | where n > 5;
    DeviceInfo | join kind=inner busy on DeviceName""",
    "DeviceEvents | where DeviceName in (DeviceInfo | project DeviceName)",
    "DeviceEvents | where Timestamp >= toscalar(DeviceInfo | summarize max(Timestamp))",
    "let kinds = materialize(DeviceEvents | distinct ActionType);\nkinds | sort by ActionType",
    "DeviceInfo | join kind=leftanti (DeviceEvents | where ActionType == 'a') on DeviceName",
]


@pytest.fixture(scope="module")
def tenant() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two tables of events over three days, some on the borders of windows to the microsecond."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, rows in (("DeviceEvents", 500), ("DeviceInfo", 40)):
            connection.execute(
                f"""CREATE TABLE {table} AS
                SELECT TIMESTAMP '2026-11-19' + INTERVAL (i * 259200000 // {rows}) MILLISECOND
                         AS Timestamp,
                       'device' || (i * 7 % 11) AS DeviceName,
                       chr(97 + (i * 5 % 3)::INTEGER) AS ActionType
                FROM range({rows}) AS t(i)
                UNION ALL
                SELECT t::TIMESTAMP, 'border', 'b' FROM (VALUES
                  ('2026-11-19T23:59:59.999999'), ('2026-11-20'), ('2026-11-20T05:59:59.999999'),
                  ('2026-11-20T06:00'), ('2026-11-20T06:00:01'), ('2026-11-20T23:59:59.999999'),
                  ('2026-11-21')) AS b(t)"""
            )
        yield connection


COLUMNS = {"Timestamp": "datetime", "DeviceName": "string", "ActionType": "string"}


def answer(connection: duckdb.DuckDBPyConnection, query: str) -> Counter[tuple[object, ...]]:
    sql = to_sql(query, schema=dict.fromkeys(TABLES, COLUMNS))
    return Counter(map(tuple, connection.execute(sql).fetchall()))


@pytest.mark.parametrize("query", [*ROW_WISE, *WHOLE])
def test_a_partition_is_the_hunt_over_its_windows_rows(
    query: str, tenant: duckdb.DuckDBPyConnection
) -> None:
    """Restricting the query and removing all other rows from the tenant are the same."""
    analysis = analyse(query)
    restricted = answer(tenant, restrict(query, analysis, window=PARTITION, now=PARTITION.end))
    with tenant.cursor() as other:
        other.execute("CREATE SCHEMA only_window; SET schema = 'only_window'")
        for table in TABLES:
            other.execute(
                f"""CREATE TABLE {table} AS SELECT * FROM memory.main.{table}
                WHERE Timestamp >= '2026-11-20' AND Timestamp < '2026-11-21'"""
            )
        now = "datetime(2026-11-21)"
        plain = query.replace("now()", now).replace("ago(12h)", f"({now} - 12h)")
        expected = answer(other, plain)
        other.execute("SET schema = 'main'; DROP SCHEMA only_window CASCADE")
    assert restricted == expected
    assert restricted


@pytest.mark.parametrize("query", ROW_WISE)
def test_the_slices_of_a_row_wise_hunt_are_its_partition(
    query: str, tenant: duckdb.DuckDBPyConnection
) -> None:
    """Cut at any instant, with now() at the partition's end, nothing is lost or doubled."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.ROW_WISE
    whole = answer(tenant, restrict(query, analysis, window=PARTITION, now=PARTITION.end))
    slices = sum(
        (
            answer(tenant, restrict(query, analysis, window=window, now=PARTITION.end))
            for window in SLICES
        ),
        Counter(),
    )
    assert slices == whole


@pytest.mark.parametrize("query", WHOLE)
def test_the_other_hunts_are_not_called_row_wise(query: str) -> None:
    """Cutting these at any instant would change what they return."""
    assert analyse(query).verdict in {Verdict.KEYED, Verdict.WHOLE}

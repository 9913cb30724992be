"""Ranges of time, and what a query leaves unread: files by partition, row groups by time."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.hunts import Partitioning
from pipelines.lake import HuntCard, LakeLayout, connect, publish
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition
from pipelines.windows import NANOSECONDS_PER_TICK
from tests.lake.samples import land as land_sample
from tests.lake.samples import receipt_of

CARD: Final = HuntCard("logons", "T", time_column="Timestamp", within_window=True)
SCHEMA: Final = arrow_schema({"Timestamp": "DateTime", "n": "Int64"})
# DuckDB skips whole row groups of its vectors' size at least.
ROWS: Final = 24_000
ROW_GROUP: Final = 2_000


@dataclass(frozen=True, slots=True)
class Opened:
    """What a query returned, and what DuckDB read for it."""

    rows: int
    files: int
    row_groups: int


def land(layout: LakeLayout, kind: Partitioning, key: str, *, tenant: str = "contoso") -> None:
    """A partition of rows at even distances, in row groups of a twelfth of it."""
    window = partition(kind, key).window
    step = (window.end - window.start) // ROWS * NANOSECONDS_PER_TICK
    start = window.start * NANOSECONDS_PER_TICK
    times = [start + number * step for number in range(ROWS)]
    path = layout.partition_file("logons", tenant, partition(kind, key))
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table([times, range(ROWS), [None] * ROWS], schema=SCHEMA)
    pq.write_table(table, path, row_group_size=ROW_GROUP)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    """Five days of two tenants."""
    layout = LakeLayout(tmp_path_factory.mktemp("days"))
    for tenant in ("contoso", "fabrikam"):
        for day in range(1, 6):
            land(layout, "daily", f"2026-11-0{day}", tenant=tenant)
    publish(layout, cards=[CARD])
    return layout


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    """Four hours around midnight."""
    layout = LakeLayout(tmp_path_factory.mktemp("hours"))
    for key in ("03-22:00", "03-23:00", "04-00:00", "04-01:00"):
        land(layout, "hourly", f"2026-11-{key}")
    publish(layout, cards=[CARD])
    return layout


def opened(layout: LakeLayout, source: str) -> Opened:
    """Read the columns of what stands after ``FROM``."""
    query = f"SELECT count(n), count(Timestamp) FROM {source}"
    with connect(layout) as lake:
        [(rows, _)] = lake.sql(query).fetchall()
        [(_, plan)] = lake.sql(f"EXPLAIN ANALYZE {query}").fetchall()
    files = re.findall(r"Total Files Read: (\d+)", plan)
    groups = re.findall(r"Row Groups Scanned: (\d+)", plan)
    return Opened(rows, sum(map(int, files)), sum(map(int, groups)))


@pytest.mark.parametrize(
    ("where", "files"),
    [
        ("true", 10),
        ("date = '2026-11-03'", 2),
        ("date >= '2026-11-03'", 6),
        ("date BETWEEN '2026-11-02' AND '2026-11-03' AND tenant = 'fabrikam'", 2),
        ("tenant = 'contoso'", 5),
        ("tenant LIKE 'fab%' AND date IN ('2026-11-01', '2026-11-05')", 2),
        ("tenant = 'nobody'", 0),
    ],
)
def test_conditions_on_the_partition_leave_out_whole_files(
    days: LakeLayout, where: str, files: int
) -> None:
    """DuckDB opens those alone that can have a row, though the view names no file."""
    found = opened(days, f"logons WHERE {where}")
    assert (found.files, found.rows) == (files, files * ROWS)


def test_a_tenant_s_view_opens_the_tenant_s_files(days: LakeLayout) -> None:
    """And of these, those of the condition."""
    assert opened(days, "contoso.logons").files == 5
    assert opened(days, "contoso.logons WHERE date > '2026-11-04'").files == 1


def test_conditions_on_the_hour_leave_out_whole_files(hours: LakeLayout) -> None:
    """As those on the date do."""
    assert opened(hours, "logons WHERE hour = 23").files == 1
    assert opened(hours, "logons WHERE date = '2026-11-04' AND hour < 1").files == 1
    assert opened(hours, "logons WHERE hour < 9").files == 2


def test_a_condition_on_the_time_leaves_out_row_groups(days: LakeLayout) -> None:
    """Each has its least and its greatest time, and rows lie in the order of time."""
    day = "tenant = 'contoso' AND date = '2026-11-03'"
    assert opened(days, f"logons WHERE {day}").row_groups == 12
    hour = "Timestamp >= '2026-11-03 04:00+00' AND Timestamp < '2026-11-03 05:00+00'"
    assert opened(days, f"logons WHERE {day} AND {hour}") == Opened(1_000, 1, 1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("'2026-11-03', '2026-11-04'", Opened(ROWS, 1, 12)),
        ("'2026-11-03 04:00', '2026-11-03 05:00'", Opened(1_000, 1, 1)),
        ("'2026-11-02 22:00', '2026-11-03T02:00:00Z'", Opened(4_000, 2, 2)),
        ("'2026-11-03 06:00+02:00', TIMESTAMPTZ '2026-11-03 05:00+00'", Opened(1_000, 1, 1)),
        ("DATE '2026-11-04', TIMESTAMP '2026-11-05'", Opened(ROWS, 1, 12)),
        ("'2026-11-05'", Opened(ROWS, 1, 12)),
        ("'2026-11-03', '2026-11-03'", Opened(0, 0, 0)),
        # Half-open to the tick.
        ("'2026-11-03 00:00:00', '2026-11-03 00:00:00.0000001'", Opened(1, 1, 1)),
        ("'2026-11-03 00:00:00.0000001', '2026-11-03 00:00:03.6000000'", Opened(0, 1, 0)),
    ],
)
def test_a_range_reads_what_it_has_to(days: LakeLayout, asked: str, expected: Opened) -> None:
    """Its partitions alone, and of these its row groups; exact at both ends."""
    found = opened(days, f"contoso.logons({asked})")
    assert (found.rows, found.files) == (expected.rows, expected.files)
    # An empty one may take a look at the statistics of a row group before it knows.
    assert found.row_groups <= max(expected.row_groups, 1)


def test_a_range_is_in_the_main_schema_too(days: LakeLayout) -> None:
    """Over all tenants, with whatever conditions stand beside it."""
    assert opened(days, "logons('2026-11-03', '2026-11-04')").files == 2
    beside = "logons('2026-11-03', '2026-11-04') WHERE tenant = 'contoso'"
    assert opened(days, beside) == Opened(ROWS, 1, 12)


def test_a_range_opens_its_hours_alone(hours: LakeLayout) -> None:
    """Across midnight too."""
    found = opened(hours, "logons('2026-11-03 23:00', '2026-11-04 01:00')")
    assert (found.rows, found.files) == (2 * ROWS, 2)
    assert opened(hours, "logons('2026-11-04 00:05', '2026-11-04 00:10')").files == 1


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_range_is_in_utc_whatever_the_client_s_zone(days: LakeLayout, zone: str) -> None:
    """A client shows times in its own zone, and its answers are the same."""
    with duckdb.connect(str(days.catalogue), read_only=True) as lake:
        lake.execute(f"SET TimeZone = '{zone}'")
        [(rows, dates)] = lake.sql(
            "SELECT count(*), count(DISTINCT date) FROM contoso.logons('2026-11-03', '2026-11-04')"
        ).fetchall()
        given = "'2026-11-03 06:00+02:00', TIMESTAMPTZ '2026-11-03 05:00Z'"
        [(hour,)] = lake.sql(f"SELECT count(*) FROM contoso.logons({given})").fetchall()
    assert (rows, dates, hour) == (ROWS, 1, ROWS // 24)


def test_an_end_may_be_how_long_ago_it_was(tmp_path: Path) -> None:
    """As text or as an interval; the lake's own clock is DuckDB's."""
    layout = LakeLayout(tmp_path)
    today = datetime.now(UTC).date()
    for ago in range(5):
        land(layout, "daily", str(today - timedelta(days=ago)))
    publish(layout, cards=[CARD])
    # Whenever midnight is: the day of the instant, and all after it.
    assert opened(layout, "logons('2 days')").files in {3, 4}
    assert opened(layout, "logons(INTERVAL 2 DAY, '1 day')").files in {2, 3}
    assert opened(layout, "logons('30 days', INTERVAL 10 DAY)") == Opened(0, 0, 0)


def test_what_is_no_time_is_refused(days: LakeLayout) -> None:
    """Not taken for null, which would be an answer without rows."""
    with connect(days) as lake, pytest.raises(duckdb.Error, match="'yesterdayish'"):
        lake.sql("FROM logons('yesterdayish')").fetchall()


def test_a_time_that_may_lie_outside_its_partition_leaves_out_no_file(days: LakeLayout) -> None:
    """A week's bin begins before most of the partitions that have rows of it."""
    publish(days, cards=[replace(CARD, within_window=False)])
    found = opened(days, "contoso.logons('2026-11-03 04:00', '2026-11-03 05:00')")
    assert (found.rows, found.row_groups) == (1_000, 1)
    with connect(days) as lake:
        [(sql,)] = lake.sql(
            "SELECT macro_definition FROM duckdb_functions() WHERE function_name = 'logons' AND "
            "schema_name = 'contoso' AND len(parameters) = 1"
        ).fetchall()
    assert "date" not in sql.partition("WHERE")[2]
    publish(days, cards=[CARD])


@pytest.mark.parametrize("card", [replace(CARD, time_column=None), replace(CARD, time_column="x")])
def test_rows_without_a_time_are_those_of_the_partitions_of_the_range(
    days: LakeLayout, card: HuntCard
) -> None:
    """Of all that overlap it, since each may have a row of it."""
    publish(days, cards=[card])
    found = opened(days, "contoso.logons('2026-11-02 23:00', '2026-11-04')")
    assert (found.rows, found.files) == (2 * ROWS, 2)
    publish(days, cards=[CARD])


@pytest.mark.parametrize("name", ["since", "until", "given", "_of_tenant"])
def test_a_column_may_be_called_what_a_function_calls_its_own(tmp_path: Path, name: str) -> None:
    """DuckDB refuses a function whose parameter is called what a column is."""
    layout = LakeLayout(tmp_path)
    day = partition("daily", "2026-11-03")
    path = layout.partition_file("logons", "contoso", day)
    path.parent.mkdir(parents=True)
    start = day.window.start * NANOSECONDS_PER_TICK
    schema = arrow_schema({name: "DateTime", f"{name}_": "Int64"})
    table = pa.table([[start, start + 1_000], [1, 2], [None] * 2], schema=schema)
    pq.write_table(table, path)
    publish(layout, cards=[replace(CARD, time_column=name)])
    with connect(layout) as lake:
        asked = "'2026-11-03', '2026-11-03 00:00:00.000001'"
        assert lake.sql(f"SELECT count({name}) FROM contoso.logons({asked})").fetchall() == [(1,)]


@pytest.mark.parametrize("name", ["read_parquet", "range", "now", "unnest", "count"])
def test_a_hunt_may_be_called_what_duckdb_calls_a_function(tmp_path: Path, name: str) -> None:
    """Its own function is found by its name, and the lake goes on to be read by DuckDB's."""
    layout = LakeLayout(tmp_path)
    day = partition("daily", "2026-11-03")
    land_sample(layout, receipt_of(name, "contoso", day), day)
    publish(layout, cards=[replace(CARD, hunt=name)])
    publish(layout)
    with connect(layout) as lake:
        assert len(lake.sql(f'FROM main."{name}"').fetchall()) == 2
        assert len(lake.sql(f"FROM main.\"{name}\"('2026-11-01')").fetchall()) == 2
        assert len(lake.sql("FROM huntlake.partitions").fetchall()) == 1
        assert len(lake.sql("FROM huntlake.columns").fetchall()) == 2

"""What the catalogue says of itself: comments, ``huntlake.hunts`` and ``huntlake.columns``."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.lake import HuntCard, LakeLayout, LandedColumns, connect, publish
from pipelines.lake.generations import newest
from pipelines.lake.tables import TABLES
from pipelines.landing.partition import RECEIPT_KEY
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition
from tests.lake.samples import land, receipt_of

CARD = HuntCard(
    hunt="logons",
    query="DeviceLogonEvents | where 'it''s' != ''",
    title="Failed logons",
    description="Who couldn't get in.",
    table="DeviceLogonEvents",
    time_column="Timestamp",
    within_window=True,
    verdict="row-wise",
    partitions="daily",
    tags=("a", "it's"),
)
DAYS = [partition("daily", f"2026-11-1{day}") for day in range(5)]


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path / "data")


def land_columns(
    layout: LakeLayout, day: int, columns: dict[str, str], *, tenant: str = "contoso"
) -> None:
    """A day without rows, of columns of these types of the service."""
    receipt = receipt_of("logons", tenant, DAYS[day])
    path = layout.partition_file("logons", tenant, DAYS[day])
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = arrow_schema(columns).with_metadata({RECEIPT_KEY: receipt.to_json()})
    pq.write_table(schema.empty_table(), path)


def answer(layout: LakeLayout, query: str) -> list[tuple[Any, ...]]:
    with connect(layout) as lake:
        return lake.sql(query).fetchall()


def test_a_view_tells_what_the_hunt_is_and_where_to_look_for_more(layout: LakeLayout) -> None:
    """To whoever lists the views, with any client; what changes by itself is only pointed to."""
    land(layout, receipt_of("logons", "contoso", DAYS[0]), DAYS[0])
    publish(layout, cards=[CARD])
    told = dict(answer(layout, "SELECT schema_name, comment FROM duckdb_views() "
                               "WHERE view_name = 'logons'"))  # fmt: skip
    for text in told.values():
        lines = text.splitlines()
        assert lines[:2] == ["Failed logons", "Who couldn't get in."]
        assert "Every row of the service's table DeviceLogonEvents." in lines
        query = lines[-1].partition(": ")[2]
        assert len(answer(layout, query)) == 1
    assert "AND tenant = 'contoso'" in told["contoso"]


def test_a_column_tells_what_it_holds(layout: LakeLayout) -> None:
    """By its type, and what the service calls it."""
    land_columns(layout, 0, {"LogonId": "Int64", "LogonID": "Object", "T": "DateTime"})
    publish(layout)
    for schema in ("main", "contoso"):
        told = dict(
            answer(
                layout,
                f"SELECT column_name, comment FROM duckdb_columns() "
                f"WHERE schema_name = '{schema}' AND table_name = 'logons'",
            )
        )
        assert told["T"] == "a time in UTC, exact to 100 ns; the service's DateTime"
        assert told["LogonID"] == "a dynamic value, as JSON text; the service's Object"
        assert told["LogonId_2"] == "a whole number; the service's Int64 LogonId"
        assert {*told} == {"T", "LogonID", "LogonId_2", "_kept_aside", "tenant", "date"}
        assert all(told.values())


def test_each_column_of_the_lake_s_own_tables_tells_what_it_means(layout: LakeLayout) -> None:
    """As the page of the documentation does."""
    publish(layout)
    told = answer(
        layout,
        "SELECT table_name, column_name, comment FROM duckdb_columns() "
        "WHERE schema_name = 'huntlake'",
    )
    expected = {(table.name, each.name, each.meaning) for table in TABLES for each in table.columns}
    assert {*told} == expected


def test_hunts_are_listed_with_what_their_cards_say(layout: LakeLayout) -> None:
    """And one without a card by its name."""
    for hunt in ("logons", "alerts"):
        land(layout, receipt_of(hunt, "contoso", DAYS[0]), DAYS[0])
    publish(layout, cards=[CARD])
    alerts, logons = answer(layout, "FROM huntlake.hunts ORDER BY hunt")
    assert alerts == ("alerts", *[None] * 11)
    assert logons == (
        "logons", "Failed logons", "Who couldn't get in.", CARD.query, "DeviceLogonEvents",
        "Timestamp", True, "row-wise", "daily", ["a", "it's"], [], [],
    )  # fmt: skip


def test_what_a_hunt_is_now_is_shown_once_it_commits(layout: LakeLayout) -> None:
    """The views of other hunts are not made again for it."""
    for hunt in ("logons", "alerts"):
        land(layout, receipt_of(hunt, "contoso", DAYS[0]), DAYS[0])
    publish(layout)
    columns = LandedColumns(layout, "logons")
    assert publish(layout, columns, "contoso", cards=[CARD]) is True
    assert publish(layout, columns, "contoso", cards=[CARD]) is False
    query = "SELECT title FROM huntlake.hunts WHERE hunt = 'logons'"
    assert answer(layout, query) == [("Failed logons",)]
    odd = HuntCard("logons", "\ud800", title="half a pair: \ud800")
    assert publish(layout, columns, "contoso", cards=[odd]) is True
    assert answer(layout, query) == [("half a pair: ?",)]


COLUMNS = """
    SELECT "column", type, service_name, service_type, partitions, of_partitions, first_partition,
        last_partition FROM huntlake.columns WHERE tenant = 'contoso' AND "column" = 'n'
"""


def test_columns_are_counted_in_the_partitions_that_have_them(layout: LakeLayout) -> None:
    """As commits go on, whether or not they change the catalogue."""
    land_columns(layout, 0, {"T": "DateTime"})
    land_columns(layout, 1, {"T": "DateTime", "n": "Int32"})
    land_columns(layout, 1, {"n": "String"}, tenant="fabrikam")
    publish(layout)
    expected = ("n", "INTEGER", "n", "Int32", 1, 2, "2026-11-11", "2026-11-11")
    assert answer(layout, COLUMNS) == [expected]
    land_columns(layout, 2, {"T": "DateTime", "n": "Int32"})
    assert publish(layout, LandedColumns(layout, "logons"), "contoso") is False
    expected = ("n", "INTEGER", "n", "Int32", 2, 3, "2026-11-11", "2026-11-12")
    assert answer(layout, COLUMNS) == [expected]


@pytest.mark.parametrize(
    "types",
    [
        ["Int32"], ["Int32", "Int64"], ["Int64", "Int32", "SqlDecimal"], ["Double", "Int32"],
        ["SByte", "Boolean"], ["String", "Guid", "Invented"], ["TimeSpan"],
        ["Int64", "Double"], ["SqlDecimal", "Double"], ["String", "Int64"], ["String", "Object"],
    ],
)  # fmt: skip
def test_a_column_s_type_is_that_of_the_tenant_s_view(layout: LakeLayout, types: list[str]) -> None:
    """The widest one; where no type holds all, the view refuses the column and the table has none.

    Texts and JSON land as one type, but the view doesn't take them for alike.
    """
    for day, kind in enumerate(types):
        land_columns(layout, day, {"n": kind})
    publish(layout)
    [(told, service)] = answer(layout, "SELECT type, service_type FROM huntlake.columns")
    assert service == ", ".join(sorted(types))
    with connect(layout) as lake:
        shown = str(lake.sql("SELECT n FROM contoso.logons").types[0])
    # What is an error to read has the type of no value.
    assert told == (None if shown == '"NULL"' else shown.replace(",", ", "))


def test_an_index_of_an_older_huntlake_is_read_and_made_again(layout: LakeLayout) -> None:
    """It says nothing of columns; these are told once the hunt commits."""
    land(layout, receipt_of("logons", "contoso", DAYS[0]), DAYS[0])
    publish(layout)
    path = newest(layout.index_file("logons", "contoso"))
    assert path is not None
    table: pa.Table = pq.read_table(path, partitioning=None)
    pq.write_table(table.drop_columns(["shape"]), path)
    assert answer(layout, "FROM huntlake.columns") == []
    assert len(answer(layout, "FROM huntlake.partitions")) == 1
    publish(layout)
    found = answer(layout, 'SELECT "column" FROM huntlake.columns ORDER BY ALL')
    assert found == [("Timestamp",), ("n",)]

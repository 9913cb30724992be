"""The catalogue: one view a hunt, over whatever is committed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import HuntlakeError
from pipelines.hunts import Partitioning
from pipelines.lake import LakeLayout, LandedColumns, connect, publish
from pipelines.lake.catalogue import _wanted_views
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path / "data")


def land(
    layout: LakeLayout,
    key: str,
    columns: dict[str, list[object]],
    *,
    hunt: str = "logons",
    kind: Partitioning = "daily",
) -> Path:
    path = layout.partition_file(hunt, "contoso.com", partition(kind, key))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_a_view_shows_every_partition_with_its_tenant_and_date(layout: LakeLayout) -> None:
    """What the folders' names say is a column, typed the same whatever the values look like."""
    land(layout, "2026-11-20", {"Account": ["a"]})
    land(layout, "2026-11-21", {"Account": ["b", "c"]})
    publish(layout)
    with connect(layout) as lake:
        rows = lake.sql("SELECT tenant, date, Account FROM logons ORDER BY ALL").fetchall()
    assert rows == [
        ("contoso.com", date(2026, 11, 20), "a"),
        ("contoso.com", date(2026, 11, 21), "b"),
        ("contoso.com", date(2026, 11, 21), "c"),
    ]


def test_hours_are_a_number(layout: LakeLayout) -> None:
    """An hourly hunt's view has the hour too, so that a range of hours can be asked for."""
    land(layout, "2026-11-20-05:00", {"n": [1]}, kind="hourly")
    land(layout, "2026-11-20-13:00", {"n": [2]}, kind="hourly")
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT n FROM logons WHERE hour > 9").fetchall() == [(2,)]


def test_a_commit_is_seen_without_writing_the_catalogue_again(layout: LakeLayout) -> None:
    """Only a hunt's first partition changes the catalogue; who reads it meanwhile sees the next."""
    land(layout, "2026-11-20", {"n": [1]})
    assert publish(layout) is True
    with connect(layout) as lake:
        land(layout, "2026-11-21", {"n": [2]})
        assert publish(layout) is False
        assert lake.sql("SELECT sum(n) FROM logons").fetchall() == [(3,)]


def test_publishing_does_not_disturb_who_reads(layout: LakeLayout) -> None:
    """The catalogue is replaced while another connection has it open, and both work."""
    land(layout, "2026-11-20", {"n": [1]})
    publish(layout)
    with connect(layout) as before:
        land(layout, "2026-11-20", {"n": [5]}, hunt="alerts")
        assert publish(layout) is True
        assert before.sql("SELECT n FROM logons").fetchall() == [(1,)]
    with connect(layout) as after:
        assert after.sql("SELECT n FROM alerts").fetchall() == [(5,)]


def test_columns_of_some_days_are_null_on_the_others(layout: LakeLayout) -> None:
    """Live tables gain columns from one day to the next."""
    land(layout, "2026-11-20", {"n": [1]})
    land(layout, "2026-11-21", {"n": [2], "New": ["x"]})
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT n, New FROM logons ORDER BY n").fetchall() == [(1, None), (2, "x")]


def land_typed(layout: LakeLayout, key: str, wire_type: str, values: list[object]) -> Path:
    """A partition of one column, typed by the service as in ``landing``'s schemas."""
    path = layout.partition_file("logons", "contoso.com", partition("daily", key))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = arrow_schema({"Time": "DateTime", "n'1": wire_type})
    columns = [[0] * len(values), values, [None] * len(values)]
    arrays = [pa.array(each, kind) for each, kind in zip(columns, schema.types, strict=True)]
    pq.write_table(pa.table(arrays, schema=schema), path)
    return path


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (("Int32", [1]), ("Int64", [2**63 - 1]), ("BIGINT", [1, 2**63 - 1])),
        (("Int64", [-(2**63)]), ("Int32", [1]), ("BIGINT", [-(2**63), 1])),
        (("Int32", [2**31 - 1]), ("Double", [0.5]), ("DOUBLE", [2147483647.0, 0.5])),
        (
            ("Int64", [2**63 - 1]),
            ("SqlDecimal", [Decimal("0.5")]),
            ("DECIMAL(38,17)", [Decimal(2**63 - 1), Decimal("0.5")]),
        ),
        (("SByte", [True]), ("Boolean", [False]), ("BOOLEAN", [True, False])),
        (("Guid", ["a"]), ("String", ["b"]), ("VARCHAR", ["a", "b"])),
    ],
)
def test_a_column_of_two_types_has_the_wider_one(
    before: tuple[str, list[object]],
    now: tuple[str, list[object]],
    shown: tuple[str, list[object]],
    layout: LakeLayout,
) -> None:
    """To the last digit, on the days before the change and after it; the view names the type."""
    land_typed(layout, "2026-11-20", *before)
    publish(layout)
    land_typed(layout, "2026-11-21", *now)
    columns = LandedColumns(layout, "logons")
    arrow_types_differ = "CAST" in _view(layout, columns)
    assert publish(layout, columns) is arrow_types_differ
    with connect(layout) as lake:
        relation = lake.sql("""SELECT "n'1" FROM logons ORDER BY date""")
        assert (str(relation.types[0]), [cell for (cell,) in relation.fetchall()]) == shown


def _view(layout: LakeLayout, columns: LandedColumns) -> str:
    return _wanted_views(layout, {}, columns)["logons"]


def test_a_column_that_nothing_holds_exactly_is_not_converted(layout: LakeLayout) -> None:
    """Of partitions that were moved together by hand: the others can be read all the same."""
    land_typed(layout, "2026-11-20", "Int64", [2**63 - 1])
    land_typed(layout, "2026-11-21", "Double", [0.5])
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT count(Time) FROM logons").fetchall() == [(2,)]
        with pytest.raises(duckdb.Error, match="partitions hold column n'1 in types of which none"):
            lake.sql("FROM logons").fetchall()


def test_only_the_hunt_that_changed_is_read(
    layout: LakeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The views of others stay what they were, and a hunt without a view gets one."""
    land_typed(layout, "2026-11-20", "Int32", [1])
    land_typed(layout, "2026-11-21", "Int64", [1])
    publish(layout)
    for hunt in ("alerts", "new"):
        land(layout, "2026-11-20", {"n": [1]}, hunt=hunt)
    read: list[str] = []
    shapes = LandedColumns.shapes

    def recorded(self: LandedColumns) -> object:
        read.append(self.hunt)
        return shapes(self)

    monkeypatch.setattr(LandedColumns, "shapes", recorded)
    assert publish(layout, LandedColumns(layout, "alerts")) is True
    assert read == ["alerts", "new"]
    with connect(layout) as lake:
        assert str(lake.sql("""SELECT "n'1" FROM logons""").types[0]) == "BIGINT"


def test_a_first_day_without_rows_or_columns_is_no_hindrance(layout: LakeLayout) -> None:
    """An empty answer may come without a schema, before there is another to learn from."""
    path = layout.partition_file("logons", "contoso.com", partition("daily", "2026-11-19"))
    path.parent.mkdir(parents=True)
    pq.write_table(arrow_schema({}).empty_table(), path)
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT _kept_aside, tenant, date FROM logons").fetchall() == []
    land_typed(layout, "2026-11-20", "Int64", [7])
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("""SELECT "n'1", date FROM logons""").fetchall() == [
            (7, date(2026, 11, 20))
        ]


def test_awkward_folder_names_are_quoted(tmp_path: Path) -> None:
    """A quote in the data folder's path is part of the path."""
    layout = LakeLayout(tmp_path / "it's here")
    land(layout, "2026-11-20", {"n": [1]})
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("FROM logons SELECT n").fetchall() == [(1,)]


def test_a_damaged_catalogue_is_made_anew(layout: LakeLayout) -> None:
    """Nothing lives in the catalogue alone."""
    land(layout, "2026-11-20", {"n": [1]})
    layout.catalogue.write_bytes(b"not a database")
    assert publish(layout) is True
    with connect(layout) as lake:
        assert lake.sql("SELECT n FROM logons").fetchall() == [(1,)]


def test_readers_can_not_write(layout: LakeLayout) -> None:
    """An analyst's slip does not harm the catalogue."""
    land(layout, "2026-11-20", {"n": [1]})
    publish(layout)
    with connect(layout) as lake, pytest.raises(duckdb.Error, match="read-only"):
        lake.sql("DROP VIEW logons")


def test_no_lake_yet_says_what_to_do(layout: LakeLayout) -> None:
    """Before the first export there is nothing to open, and that is said."""
    with pytest.raises(HuntlakeError, match="export a hunt first"):
        connect(layout)

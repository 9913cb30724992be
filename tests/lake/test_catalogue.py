"""The catalogue: one view a hunt, over whatever is committed."""

from collections.abc import Sequence
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
    tenant: str = "contoso.com",
    kind: Partitioning = "daily",
) -> Path:
    """A partition of numbers and texts, as the service types them."""
    types = {
        name: "Int64" if isinstance(values[0], int) else "String"
        for name, values in columns.items()
    }
    path = layout.partition_file(hunt, tenant, partition(kind, key))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = arrow_schema(types)
    aside: list[object] = [None] * len(next(iter(columns.values())))
    pq.write_table(pa.table([*columns.values(), aside], schema=schema), path)
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


def land_typed(
    layout: LakeLayout,
    key: str,
    wire_type: str,
    values: list[object],
    *,
    name: str = "n'1",
    tenant: str = "contoso.com",
) -> Path:
    """A partition of one column, typed by the service as in ``landing``'s schemas."""
    path = layout.partition_file("logons", tenant, partition("daily", key))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = arrow_schema({"Time": "DateTime", name: wire_type})
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
    publish(layout, columns)
    with connect(layout) as lake:
        relation = lake.sql("""SELECT "n'1" FROM logons ORDER BY date""")
        assert (str(relation.types[0]), [cell for (cell,) in relation.fetchall()]) == shown


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
    """In the tenant that changed; the views of others stay, and a hunt without one gets one."""
    land_typed(layout, "2026-11-20", "Int32", [1])
    land_typed(layout, "2026-11-21", "Int64", [1])
    publish(layout)
    land(layout, "2026-11-20", {"n": [1]}, hunt="alerts", tenant="fabrikam")
    publish(layout)
    for hunt in ("alerts", "new"):
        land(layout, "2026-11-20", {"n": [1]}, hunt=hunt)
    read: list[str] = []
    shapes_of = LandedColumns.shapes_of

    def recorded(self: LandedColumns, files: Sequence[Path]) -> object:
        read.extend(f"{self.hunt}, {layout.partition_words(path)}" for path in files)
        return shapes_of(self, files)

    monkeypatch.setattr(LandedColumns, "shapes_of", recorded)
    assert publish(layout, LandedColumns(layout, "alerts"), "contoso.com") is True
    words = "partition 2026-11-20 of tenant contoso.com"
    assert read == [f"alerts, {words}", f"new, {words}"]
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


def test_each_tenant_has_a_schema_of_its_own(layout: LakeLayout) -> None:
    """Its views read its own files alone; those in ``main`` span all tenants."""
    land(layout, "2026-11-20", {"n": [1]})
    land(layout, "2026-11-20", {"n": [2]}, tenant="fabrikam")
    land(layout, "2026-11-20", {"n": [3]}, tenant="fabrikam", hunt="alerts")
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT n, tenant FROM logons ORDER BY n").fetchall() == [
            (1, "contoso.com"),
            (2, "fabrikam"),
        ]
        assert lake.sql('SELECT n, tenant FROM "contoso.com".logons').fetchall() == [
            (1, "contoso.com")
        ]
        assert lake.sql("SELECT n FROM fabrikam.alerts").fetchall() == [(3,)]
        with pytest.raises(duckdb.Error, match="alerts"):
            lake.sql('FROM "contoso.com".alerts')


def test_a_tenant_whose_name_is_taken_is_in_the_views_across_all_the_same(
    layout: LakeLayout,
) -> None:
    """A folder that came from elsewhere may be called anything, and hides nothing."""
    for number, tenant in enumerate(("huntlake", "main", "Fabrikam", "fabrikam")):
        land(layout, "2026-11-20", {"n": [number]}, tenant=tenant)
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT count(DISTINCT tenant) FROM logons").fetchall() == [(4,)]
        assert lake.sql("SELECT n FROM fabrikam.logons").fetchall() == [(2,)]
        assert lake.sql("FROM huntlake.exports").fetchall() == []


def test_tenants_whose_types_differ_can_be_read_together_as_far_as_types_allow(
    layout: LakeLayout,
) -> None:
    """One tenant's table is no reason to refuse another's, and each reads its own as it is."""
    land_typed(layout, "2026-11-20", "Int32", [1], name="wide")
    land_typed(layout, "2026-11-20", "Int64", [2**40], name="wide", tenant="fabrikam")
    land_typed(layout, "2026-11-21", "String", ["x"], name="torn")
    land_typed(layout, "2026-11-21", "Double", [0.5], name="torn", tenant="fabrikam")
    publish(layout)
    with connect(layout) as lake:
        assert lake.sql("SELECT wide FROM logons WHERE wide IS NOT NULL ORDER BY 1").fetchall() == [
            (1,),
            (2**40,),
        ]
        assert str(lake.sql('SELECT wide FROM "contoso.com".logons').types[0]) == "INTEGER"
        with pytest.raises(duckdb.Error, match="read it tenant by tenant"):
            lake.sql("SELECT torn FROM logons").fetchall()
        assert ("x",) in lake.sql('SELECT torn FROM "contoso.com".logons').fetchall()


def test_one_name_for_two_columns_of_two_tenants_merges_nothing(layout: LakeLayout) -> None:
    """Nor two names for one column: what a view can't tell apart, or together, it refuses."""
    path = land_typed(layout, "2026-11-20", "Int64", [1])
    both = arrow_schema({"LogonID": "Int64", "LogonId": "Int64"})
    pq.write_table(pa.table([[1], [2], [None]], schema=both), path)
    land_typed(layout, "2026-11-20", "Int64", [3], name="LogonId", tenant="fabrikam")
    publish(layout)
    with connect(layout) as lake:
        for column in ("LogonID", "LogonId_2"):
            with pytest.raises(duckdb.Error, match="several of the service's columns"):
                lake.sql(f"SELECT {column} FROM logons").fetchall()
        own = lake.sql('SELECT LogonID, LogonId_2 FROM "contoso.com".logons').fetchall()
        assert own == [(1, 2)]
        assert lake.sql("SELECT LogonId FROM fabrikam.logons").fetchall() == [(3,)]


def test_a_lake_that_was_copied_is_read_where_it_is(layout: LakeLayout, tmp_path: Path) -> None:
    """By whoever opens it as huntlake does, sets the variable, or publishes it there."""
    land(layout, "2026-11-20", {"n": [1]})
    publish(layout)
    copied = LakeLayout(tmp_path / "copied")
    layout.root.rename(copied.root)
    with connect(copied) as lake:
        assert lake.sql("SELECT n FROM logons").fetchall() == [(1,)]
    with duckdb.connect(str(copied.catalogue), read_only=True) as lake:
        with pytest.raises(duckdb.Error, match="No files found"):
            lake.sql("FROM logons")
        lake.execute(f"SET VARIABLE huntlake_data = '{copied.root}'")
        assert lake.sql("SELECT n FROM logons").fetchall() == [(1,)]
    assert publish(copied) is True
    with duckdb.connect(str(copied.catalogue), read_only=True) as lake:
        assert lake.sql("SELECT n FROM logons").fetchall() == [(1,)]


def test_a_query_opens_the_files_of_its_dates_alone(layout: LakeLayout) -> None:
    """Of a year of days, or of ten thousand hours; the others might as well not be there."""
    for day in range(1, 10):
        path = land(layout, f"2026-11-0{day}", {"n": [day]})
    publish(layout)
    path.write_bytes(b"no parquet")
    with connect(layout) as lake:
        where = "date = '2026-11-03' AND tenant = 'contoso.com'"
        assert lake.sql(f"SELECT n FROM logons WHERE {where}").fetchall() == [(3,)]
        assert lake.sql("SELECT sum(n) FROM logons WHERE date < '2026-11-09'").fetchall() == [(36,)]

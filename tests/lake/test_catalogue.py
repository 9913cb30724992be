"""The catalogue: one view a hunt, over whatever is committed."""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import HuntlakeError
from pipelines.hunts import Partitioning
from pipelines.lake import LakeLayout, connect, publish
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

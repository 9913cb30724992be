"""What the lake remembers of a hunt's columns."""

import errno
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from filelock import FileLock, Timeout

from pipelines.errors import LakeUnwritable
from pipelines.hunts import Partitioning
from pipelines.lake import LakeLayout, LandedColumns, columns
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path / "data")


def land(
    layout: LakeLayout,
    key: str,
    wire: dict[str, str],
    *,
    tenant: str = "contoso",
    kind: Partitioning = "daily",
) -> Path:
    """A partition without rows, written beside and renamed as a commit does."""
    path = layout.partition_file("logons", tenant, partition(kind, key))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name("beside")
    pq.write_table(arrow_schema(wire).empty_table(), beside)
    beside.replace(path)
    return path


def test_siblings_are_all_partitions_but_the_one_to_be_committed(layout: LakeLayout) -> None:
    """Of its own tenant, days and hours alike: another's can't stand in its way."""
    target = land(layout, "2026-11-20", {"n": "Int32"})
    land(layout, "2026-11-21", {"n": "Int64"})
    land(layout, "2026-11-19", {"m": "Guid"}, tenant="fabrikam")
    land(layout, "2026-11-18-07:00", {"o": "Guid"}, kind="hourly")
    found = LandedColumns(layout, "logons").siblings(target)
    assert sorted(found.shapes.values()) == [
        "partition 2026-11-18-07:00 of tenant contoso",
        "partition 2026-11-21 of tenant contoso",
    ]
    assert found.names == {"n", "o"}
    assert [column.wire_type for column in found.latest] == ["Guid"]


def test_a_view_across_tenants_sees_what_each_of_them_has(layout: LakeLayout) -> None:
    """Or one tenant's alone, for its own view."""
    land(layout, "2026-11-20", {"n": "Int32"})
    land(layout, "2026-11-20", {"n": "Guid"}, tenant="contoso-2")
    landed = LandedColumns(layout, "logons")
    assert len(landed.shapes()) == 2
    [[column]] = landed.shapes("contoso")
    assert column.wire_type == "Int32"


def test_an_empty_day_is_like_the_day_before_it_that_has_columns(layout: LakeLayout) -> None:
    """Or like the day after it, where there is none before."""
    land(layout, "2026-11-18", {"n": "Int32"})
    land(layout, "2026-11-19", {})
    land(layout, "2026-11-21", {"m": "Int64"})
    landed = LandedColumns(layout, "logons")
    for day, name in (("2026-11-20", "n"), ("2026-11-17", "n"), ("2026-11-30", "m")):
        target = layout.partition_file("logons", "contoso", partition("daily", day))
        assert [column.wire_name for column in landed.siblings(target).latest] == [name]


def test_a_footer_is_read_once(layout: LakeLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many partitions are committed; again only where it was written over."""
    paths = [land(layout, f"2026-11-{day}", {"n": "Int32"}) for day in (18, 19, 20)]
    read: list[Path] = []
    read_schema = pq.read_schema

    def recorded(path: Path) -> object:
        read.append(path)
        return read_schema(path)

    monkeypatch.setattr(columns.pq, "read_schema", recorded)
    landed = LandedColumns(layout, "logons")
    for path in paths:
        landed.siblings(path)
        landed.changes(path)
    assert sorted(read) == paths
    land(layout, "2026-11-19", {"n": "Int64"})
    assert len(landed.shapes()) == 2
    assert read[3:] == [paths[1]]


def test_changes_are_those_from_the_day_before(layout: LakeLayout) -> None:
    """The oldest is compared with the one after it; a single one with none."""
    first = land(layout, "2026-11-18", {"n": "Int32"})
    landed = LandedColumns(layout, "logons")
    assert landed.changes(first) is None
    second = land(layout, "2026-11-19", {"n": "Int64"})
    third = land(layout, "2026-11-20", {"n": "Int64"})
    for path, retyped, against in (
        (first, [("Int64", "Int32")], "2026-11-19"),
        (second, [("Int32", "Int64")], "2026-11-18"),
        (third, [], "2026-11-19"),
    ):
        found = landed.changes(path)
        assert found is not None
        assert [(each.before, each.now) for each in found.retyped] == retyped
        assert found.against == f"partition {against} of tenant contoso"


def test_a_file_that_is_none_of_ours_has_no_say(layout: LakeLayout) -> None:
    """A damaged footer, and one that goes while it is looked at."""
    target = land(layout, "2026-11-18", {"n": "Int32"})
    land(layout, "2026-11-19", {}).write_bytes(b"no parquet")
    gone = land(layout, "2026-11-20", {})
    gone.unlink()
    gone.symlink_to(gone.with_name("nowhere"))
    assert LandedColumns(layout, "logons").siblings(target).shapes == {}


def test_a_file_that_can_not_be_read_is_an_error(
    layout: LakeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not knowing what it holds is no reason to let another type in beside it."""
    target = land(layout, "2026-11-18", {"n": "Int32"})
    other = land(layout, "2026-11-19", {})

    def refused(path: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(columns.pq, "read_schema", refused)
    with pytest.raises(LakeUnwritable, match=rf"{other} can't be read: Permission denied"):
        LandedColumns(layout, "logons").siblings(target)


def test_a_tenant_s_hunts_are_committed_one_at_a_time(layout: LakeLayout) -> None:
    """What fitted when it was compared goes on to fit until it is there; others need not wait."""
    target = layout.partition_file("logons", "contoso", partition("daily", "2026-11-20"))
    same = FileLock(layout.hunt_lock("logons", "contoso"))
    with LandedColumns(layout, "logons").unchanging(target):
        with pytest.raises(Timeout):
            same.acquire(blocking=False)
        with FileLock(layout.hunt_lock("logons", "fabrikam")).acquire(blocking=False):
            pass
    with same.acquire(blocking=False):
        pass

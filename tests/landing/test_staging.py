"""Slices that are safe on disk: whole or not at all, and the same when they are read again."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import LakeUnwritable
from pipelines.landing import Answer, StagedSlice, Staging
from tests.landing.samples import a_record, an_answer, hours, on_a_full_disk


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "state" / "staged" / "key")


def stage(staging: Staging, first: int, last: int, names: list[str]) -> StagedSlice:
    answer = named(names, f"2026-11-20T{first:02d}:00:00Z")
    record = a_record(hours(first, last), len(names))
    return staging.write(answer, record, time_column="Timestamp")


def named(names: list[str], time: str = "2026-11-20T00:00:00Z") -> Answer:
    return an_answer([{"Timestamp": time, "Name": name, "Span": None} for name in names])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_slices_are_read_again_as_they_were_written(staging: Staging) -> None:
    """Another process sees the same windows, records, types and rows, in time order."""
    written = [stage(staging, 6, 12, ["c"]), stage(staging, 0, 6, ["a", "b"])]
    found = staging.slices()
    assert [each.record for each in found] == [written[1].record, written[0].record]
    assert [pq.read_table(each.path)["Name"].to_pylist() for each in found] == [["a", "b"], ["c"]]
    answer = named([])
    for each in found:
        assert each.schema.remove_metadata() == answer.table.schema.remove_metadata()
        assert [field.metadata for field in each.schema] == [
            field.metadata for field in answer.table.schema
        ]


def test_a_slice_that_is_pulled_again_takes_the_place_of_the_first(staging: Staging) -> None:
    """Replay adds nothing."""
    stage(staging, 0, 6, ["a"])
    stage(staging, 0, 6, ["b", "c"])
    [found] = staging.slices()
    assert found.record.rows == 2
    assert pq.read_table(found.path)["Name"].to_pylist() == ["b", "c"]


def test_a_folder_that_is_not_there_has_no_slices(staging: Staging) -> None:
    """The first export of a partition begins with none, and makes nothing by looking."""
    assert staging.slices() == []
    staging.discard()


def test_rows_are_sorted_by_time_and_ties_stay_as_they_came(staging: Staging) -> None:
    """The service gives no order: rows of one tick keep theirs, those without are last."""
    times = ["09:00:00.0000002", "08:00:00", "09:00:00.0000001", "08:00:00", None, "08:00:00"]
    rows = [
        {"Timestamp": time and f"2026-11-20T{time}Z", "Name": str(number), "Span": None}
        for number, time in enumerate(times)
    ]
    staged = staging.write(
        an_answer(rows), a_record(hours(0, 24), len(rows)), time_column="Timestamp"
    )
    assert pq.read_table(staged.path)["Name"].to_pylist() == ["1", "3", "5", "2", "0", "4"]


@pytest.mark.parametrize("time_column", [None, "Name", "NotThere"])
def test_rows_stay_as_they_came_without_a_time_to_sort_by(
    staging: Staging, time_column: str | None
) -> None:
    """A snapshot has no time, and a hunt may drop the column or make a text of it."""
    answer = named(["z", "a", "m"])
    staged = staging.write(answer, a_record(hours(0, 24), 3), time_column=time_column)
    assert pq.read_table(staged.path)["Name"].to_pylist() == ["z", "a", "m"]


def test_an_answer_without_columns_is_staged_too(staging: Staging) -> None:
    """That a window is empty must not be asked again."""
    staging.write(an_answer([], {}), a_record(hours(0, 24), 0), time_column="Timestamp")
    [found] = staging.slices()
    assert found.record.rows == 0


@pytest.mark.parametrize("keep", [0, 3, 100, -1, -20])
def test_half_a_file_is_no_slice_and_is_removed(staging: Staging, keep: int) -> None:
    """However much of it a crash left."""
    whole, broken = stage(staging, 0, 6, ["a"]), stage(staging, 6, 12, ["b"])
    broken.path.write_bytes(broken.path.read_bytes()[:keep])
    assert [each.path for each in staging.slices()] == [whole.path]
    assert files(whole.path.parent) == [whole.path.name]


def test_a_damaged_footer_is_no_slice(staging: Staging) -> None:
    """Its length and magic are right, and what is between isn't."""
    staged = stage(staging, 0, 6, ["a"])
    content = staged.path.read_bytes()
    staged.path.write_bytes(content[:-60] + b"\xff" * 52 + content[-8:])
    assert staging.slices() == []


def test_what_is_no_slice_of_ours_is_removed(staging: Staging) -> None:
    """A temporary file of a killed process, a Parquet file without a record, or with another
    number of rows than its record says.
    """
    staged = stage(staging, 0, 6, ["a"])
    folder = staged.path.parent
    (folder / f".{staged.path.name}.4711.partial").write_bytes(b"half")
    pq.write_table(pa.table({"a": [1]}), folder / "other.parquet")
    staging.write(named(["x"]), a_record(hours(6, 12), 2), time_column=None)
    assert [each.path for each in staging.slices()] == [staged.path]
    assert files(folder) == [staged.path.name]


def test_discarding_removes_the_folder_and_those_that_it_leaves_empty(tmp_path: Path) -> None:
    """Folders of other partitions stay."""
    hunt = tmp_path / "staged" / "logons"
    mine, other = (Staging(hunt / "t" / day / "k") for day in ("2026-11-20", "2026-11-21"))
    kept = stage(other, 0, 6, ["a"])
    stage(mine, 0, 6, ["a"])
    mine.discard()
    assert files(tmp_path) == [kept.path.name]
    other.discard()
    assert list(hunt.parent.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(staging: Staging) -> None:
    """The error says where room is wanted, and slices staged before are whole."""
    before = stage(staging, 0, 6, ["a"])
    many = named([os.urandom(8).hex() for _ in range(20_000)])
    raised = on_a_full_disk(
        65_536,
        lambda: staging.write(many, a_record(hours(6, 12), 20_000), time_column=None),
    )
    assert raised.startswith("LakeUnwritable: ")
    assert str(before.path.parent) in raised
    assert "make room" in raised
    assert files(before.path.parent) == [before.path.name]
    assert [each.record for each in staging.slices()] == [before.record]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """A file stands where a folder should be."""
    (tmp_path / "state").write_text("")
    with pytest.raises(LakeUnwritable, match="can't be written"):
        stage(Staging(tmp_path / "state" / "staged"), 0, 6, ["a"])
    assert files(tmp_path) == ["state"]


def test_a_leftover_that_can_not_be_removed_is_named(staging: Staging) -> None:
    """A folder is no slice, and is not ours to delete."""
    (stage(staging, 0, 6, ["a"]).path.parent / "folder").mkdir()
    with pytest.raises(LakeUnwritable, match="can't be removed"):
        staging.slices()

"""Files that are written anew while others read them: the newest counts, and none is replaced."""

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lake.generations import names, newest, newest_rows, remove, write_next
from pipelines.lake.sql import read_parquet, text

HOUR_NS = 3_600 * 10**9


def rows(*numbers: int) -> pa.Table:
    return pa.table({"n": pa.array(numbers, pa.int64())})


def read(folder: Path) -> list[int]:
    """As the catalogue does."""
    source = read_parquet([text(f"{folder}/*.parquet")], {"n": "BIGINT"}, path="_path")
    found = duckdb.sql(f"SELECT n FROM {newest_rows(source, '_path')}").fetchall()
    return sorted(number for (number,) in found)


def test_the_newest_counts_and_the_one_before_it_stays(tmp_path: Path) -> None:
    """Whoever is just opening it finds it."""
    path = tmp_path / "tenant=a.b.parquet"
    assert newest(path) is None
    write_next(path, rows(1))
    first = newest(path)
    write_next(path, rows(1, 2))
    assert first is not None
    assert first.exists()
    assert read(tmp_path) == [1, 2]
    assert names(tmp_path) == [path]


def test_what_has_been_outlived_for_a_while_goes(tmp_path: Path) -> None:
    """By the disk's own clock."""
    path = tmp_path / "2026-11.parquet"
    for number in range(3):
        write_next(path, rows(number))
        written = newest(path)
        assert written is not None
        at = written.stat().st_mtime_ns - HOUR_NS
        os.utime(written, ns=(at, at))
    write_next(path, rows(9))
    assert len(list(tmp_path.iterdir())) == 1
    assert read(tmp_path) == [9]


def test_what_an_older_huntlake_wrote_counts_until_there_is_a_newer_one(tmp_path: Path) -> None:
    """It went by the path itself."""
    path = tmp_path / "tenant=a.parquet"
    duckdb.sql(f"COPY (SELECT 7::BIGINT AS n) TO '{path}' (FORMAT parquet)")
    assert newest(path) == path
    assert read(tmp_path) == [7]
    write_next(path, rows(8))
    assert read(tmp_path) == [8]


def test_nothing_is_left_of_what_is_removed(tmp_path: Path) -> None:
    """Of others, everything."""
    for name in ("tenant=a.parquet", "tenant=ab.parquet"):
        for _ in range(2):
            write_next(tmp_path / name, rows(1))
    remove(tmp_path / "tenant=a.parquet")
    assert names(tmp_path) == [tmp_path / "tenant=ab.parquet"]


@given(st.lists(st.tuples(st.sampled_from(["a", "a~b", "a.b", "[a]", "ab"]), st.integers(0, 9))))
def test_each_name_has_its_own_rows(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, int]]
) -> None:
    """Whatever signs are in it."""
    folder = tmp_path_factory.mktemp("rows")
    for name, number in written:
        write_next(folder / f"tenant={name}.parquet", rows(number))
    if written:
        assert read(folder) == sorted(dict(written).values())

"""The commit: one file with all rows and its receipt, or what was there before."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import LakeUnwritable, LandingError, SchemaChanged, SchemaClash
from pipelines.landing import (
    KEPT_ASIDE,
    Receipt,
    Siblings,
    StagedSlice,
    Staging,
    commit,
    query_sha256,
    read_receipt,
)
from pipelines.landing.partition import _write_row_groups
from pipelines.landing.schema import arrow_schema, wire_columns
from pipelines.windows import Window
from tests.landing.samples import COLUMNS, a_receipt, a_record, an_answer, hours, on_a_full_disk


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "staged")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "lake" / "logons" / "tenant=t" / "date=2026-11-20" / "data.parquet"


def stage(
    staging: Staging,
    window: Window,
    rows: list[dict[str, object]],
    columns: dict[str, str] | None = None,
) -> StagedSlice:
    record = a_record(window, len(rows))
    return staging.write(an_answer(rows, columns), record, time_column="Timestamp")


def a_row(hour: int, name: str) -> dict[str, object]:
    return {"Timestamp": f"2026-11-20T{hour:02d}:00:00.0000001Z", "Name": name, "Span": "00:00:01"}


def test_all_rows_of_all_slices_are_in_one_file(staging: Staging, target: Path) -> None:
    """In time order, typed as each slice was, and nothing else is left beside it."""
    slices = [
        stage(staging, hours(0, 6), [a_row(5, "b"), a_row(1, "a")]),
        stage(staging, hours(6, 12), []),
        stage(staging, hours(12, 24), [a_row(13, "c")]),
    ]
    commit(target, slices, receipt=a_receipt(slices))
    table = pq.read_table(target, partitioning=None)
    assert table["Name"].to_pylist() == ["a", "b", "c"]
    assert table.schema.types == [
        pa.timestamp("ns", "UTC"),
        pa.string(),
        pa.duration("ns"),
        pa.string(),
    ]
    assert wire_columns(table.schema) == COLUMNS
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_receipt_travels_in_the_file(staging: Staging, target: Path) -> None:
    """It reads back equal, and any reader of Parquet can show it as JSON."""
    slices = [stage(staging, hours(0, 24), [a_row(5, "a")])]
    receipt = a_receipt(slices)
    commit(target, slices, receipt=receipt)
    assert read_receipt(target) == receipt
    shown = json.loads(pq.read_metadata(target).metadata[b"huntlake.receipt"])
    assert shown["window"] == ["2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"]
    assert shown["slices"][0]["rows"] == 1


texts = st.text(max_size=5)
counts = st.integers(0, 2**63)
windows = st.builds(
    lambda start, length: Window(start, start + length),
    st.integers(-(10**16), 10**17),
    st.integers(1, 10**12),
)
records = st.builds(
    a_record,
    windows,
    counts,
    running_seconds=st.floats(0, 1e6),
    request_id=st.none() | texts,
    pulled_ns=counts,
    calls=counts,
)


@given(st.lists(records, max_size=3), windows, texts, counts, st.floats(0, 1e6))
def test_a_receipt_survives_json(
    slices: list, window: Window, name: str, count: int, seconds: float
) -> None:
    """Every field to the last digit; another JSON is an error and no receipt."""
    receipt = replace(
        a_receipt([]),
        slices=tuple(slices),
        window=window,
        hunt=name,
        rows=count,
        running_seconds=seconds,
        committed_ns=count,
        kept_aside_by_column={name: count},
    )
    assert Receipt.from_json(receipt.to_json()) == receipt
    with pytest.raises(KeyError):
        Receipt.from_json("{}")


def test_a_receipt_of_an_older_huntlake_is_read() -> None:
    """It says nothing of columns; what it proves is not pulled again for that."""
    receipt = a_receipt([], kept_aside=3, kept_aside_by_column={"n": 3})
    values = json.loads(receipt.to_json())
    assert values.pop("kept_aside_by_column") == {"n": 3}
    assert Receipt.from_json(json.dumps(values)) == replace(receipt, kept_aside_by_column=None)


def test_a_query_is_named_by_its_hash() -> None:
    """A lone surrogate in a query is no reason to fail."""
    assert query_sha256("T") == "e632b7095b0bf32c260fa4c539e9fd7b852d0de454e9be26f24d0d6f91d069d3"
    assert query_sha256("\ud800") != query_sha256("\ud801")


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1" + b"\xff" * 50 + b"PAR1"])
def test_a_file_of_another_kind_has_no_receipt(target: Path, content: bytes) -> None:
    """It is as if nothing had been committed, and so is no file at all."""
    assert read_receipt(target) is None
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    assert read_receipt(target) is None


def test_a_damaged_footer_and_a_foreign_file_have_no_receipt(target: Path) -> None:
    """A file of Parquet that another program wrote is not a partition of ours."""
    target.parent.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1] * 1_000}), target)
    assert read_receipt(target) is None
    content = target.read_bytes()
    target.write_bytes(content[:-60] + b"\xff" * 52 + content[-8:])
    assert read_receipt(target) is None


def test_a_place_that_can_not_be_read_is_an_error(target: Path) -> None:
    """Not knowing what is committed is no reason to pull it again."""
    target.parent.mkdir(parents=True)
    target.symlink_to(target)
    with pytest.raises(LakeUnwritable, match="can't be read"):
        read_receipt(target)


def test_a_column_that_was_added_is_null_before(staging: Staging, target: Path) -> None:
    """Tables gain columns from one hour to the next, and list them in any order."""
    slices = [
        stage(
            staging,
            hours(0, 6),
            [{"Name": "a", "LogonId": 1}],
            {"Name": "String", "LogonId": "Int64"},
        ),
        stage(
            staging,
            hours(6, 24),
            [{"Name": "b", "LogonID": "x", "LogonId": 2, "IsOn": 1, "lost": 1}],
            {"LogonID": "String", "LogonId": "Int64", "Name": "String", "IsOn": "SByte"},
        ),
    ]
    commit(target, slices, receipt=a_receipt(slices))
    assert pq.read_table(target, partitioning=None).to_pydict() == {
        "Name": ["a", "b"],
        # The name by which it would have landed had both been there from the start.
        "LogonId_2": [1, 2],
        "LogonID": [None, "x"],
        "IsOn": [None, True],
        KEPT_ASIDE: [None, '{"lost":1}'],
    }


def test_a_column_of_the_services_called_like_our_own_is_not_mixed_up(
    staging: Staging, target: Path
) -> None:
    """Both stay, under two names."""
    columns = {KEPT_ASIDE: "String", "n": "Int32"}
    slices = [
        stage(staging, hours(0, 6), [{KEPT_ASIDE: "theirs", "n": "text"}], columns),
        stage(staging, hours(6, 24), [{"n": 1}], {"n": "Int32"}),
    ]
    commit(target, slices, receipt=a_receipt(slices))
    assert pq.read_table(target, partitioning=None).to_pydict() == {
        f"{KEPT_ASIDE}_2": ["theirs", None],
        "n": [None, 1],
        KEPT_ASIDE: ['{"n":"text"}', None],
    }


def test_a_changed_type_is_refused_and_the_old_file_stays(staging: Staging, target: Path) -> None:
    """The message names the column, both types and both windows."""
    first = stage(staging, hours(0, 12), [{"n": 1}], {"n": "Int32"})
    commit(target, [first], receipt=a_receipt([first]))
    before = target.read_bytes()
    slices = [first, stage(staging, hours(12, 24), [{"n": "x"}], {"n": "String"})]
    with pytest.raises(SchemaChanged) as raised:
        commit(target, slices, receipt=a_receipt(slices))
    for part in ("column n", "Int32", "String", str(hours(0, 12)), str(hours(12, 24))):
        assert part in str(raised.value)
    assert target.read_bytes() == before


def test_other_rows_than_were_pulled_are_refused(staging: Staging, target: Path) -> None:
    """The count of what was written is compared with what the slices say."""
    slices = [stage(staging, hours(0, 24), [a_row(1, "a")])]
    commit(target, slices, receipt=a_receipt(slices))
    before = target.read_bytes()
    with pytest.raises(LandingError, match="1 rows were written but 2 were pulled"):
        commit(target, slices, receipt=a_receipt(slices, rows=2))
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("limit", [0, 4_096, 200_000])
def test_a_full_disk_leaves_what_was_committed(staging: Staging, target: Path, limit: int) -> None:
    """At the first byte or in the midst of it: the old file's bytes, and nothing beside it."""
    slices = [stage(staging, hours(0, 24), [a_row(1, "old")])]
    commit(target, slices, receipt=a_receipt(slices))
    before = target.read_bytes()
    many = [stage(staging, hours(0, 24), [a_row(1, os.urandom(8).hex()) for _ in range(40_000)])]
    raised = on_a_full_disk(limit, lambda: commit(target, many, receipt=a_receipt(many)))
    assert raised.startswith("LakeUnwritable: ")
    assert str(target) in raised
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_file_is_on_disk_before_readers_see_it(
    staging: Staging, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut there is the whole file or none: first the file, then its new name, and
    before both the folders on the way.
    """
    slices = [stage(staging, hours(0, 24), [a_row(1, "a")])]
    synced: list[tuple[int, bool]] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    commit(target, slices, receipt=a_receipt(slices))
    folders = [parent.stat().st_ino for parent in target.parents]
    assert set(synced[:-2]) == {(folder, False) for folder in folders[1:5]}
    assert synced[-2:] == [(target.stat().st_ino, False), (folders[0], True)]


def test_a_commit_holds_no_more_than_it_must(staging: Staging) -> None:
    """A row group is written as soon as it is full, however many slices are still to come."""
    schema = stage(staging, hours(0, 24), [], {"n": "Int32"}).schema
    read = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal read
        for _ in range(50):
            read += 1
            arrays = [pa.nulls(50_000, field.type) for field in schema]
            yield pa.record_batch(arrays, schema=schema)

    written = 0

    class Writer:
        """Takes the place of pyarrow's, and looks at how much is held when it writes."""

        def write_table(self, table: pa.Table, row_group_size: int) -> None:
            nonlocal written
            assert table.num_rows <= row_group_size
            assert read * 50_000 - written < 122_880 + 50_000
            written += table.num_rows

    assert _write_row_groups(Writer(), batches(), schema) == 50 * 50_000
    assert written == 50 * 50_000


def test_what_a_killed_commit_left_is_written_over(staging: Staging, target: Path) -> None:
    """Half a file beside the target doesn't stay for ever."""
    slices = [stage(staging, hours(0, 24), [a_row(1, "a")])]
    commit(target, slices, receipt=a_receipt(slices))
    target.with_name(f".{target.name}.partial").write_bytes(b"half")
    commit(target, slices, receipt=a_receipt(slices))
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_replay_writes_the_same_rows(staging: Staging, target: Path) -> None:
    """Committing the staged slices again changes no row."""
    stage(staging, hours(0, 6), [a_row(1, "a")])
    stage(staging, hours(6, 24), [a_row(7, "b")])
    tables = []
    for _ in range(2):
        slices = staging.slices()
        commit(target, slices, receipt=a_receipt(slices))
        tables.append(pq.read_table(target, partitioning=None))
    assert tables[0].equals(tables[1])
    assert tables[0]["Name"].to_pylist() == ["a", "b"]


def test_slices_of_few_rows_become_full_row_groups(staging: Staging, target: Path) -> None:
    """DuckDB reads a row group of 122,880 rows at a time, and prunes by its statistics."""
    sizes = [60_000, 70_000, 10]
    slices = [
        stage(staging, hours(number, number + 1), [{"n": number}] * size, {"n": "Int32"})
        for number, size in enumerate(sizes)
    ]
    commit(target, slices, receipt=a_receipt(slices))
    metadata = pq.read_metadata(target)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [122_880, sum(sizes) - 122_880]
    column = groups[0].column(0)
    assert (column.compression, column.has_column_index, column.has_offset_index) == (
        "ZSTD",
        True,
        True,
    )
    assert (column.statistics.min, column.statistics.max) == (0, 1)
    assert pq.read_table(target, partitioning=None)["n"].to_pylist() == [
        number for number, size in enumerate(sizes) for _ in range(size)
    ]


def test_an_empty_partition_has_the_columns_that_were_last_seen(
    staging: Staging, target: Path, tmp_path: Path
) -> None:
    """An empty answer may come without a schema; its file has the types all the same."""
    earlier = [stage(staging, hours(0, 12), [a_row(1, "a")])]
    commit(tmp_path / "earlier.parquet", earlier, receipt=a_receipt(earlier))
    hint = pq.read_schema(tmp_path / "earlier.parquet")
    empty = [stage(staging, hours(12, 24), [], {})]
    commit(target, empty, receipt=a_receipt(empty), siblings=Siblings.of(hint, "another"))
    schema = pq.read_schema(target)
    assert schema.remove_metadata() == hint.remove_metadata()
    assert wire_columns(schema) == COLUMNS
    assert pq.read_metadata(target).num_rows == 0


def test_the_hint_counts_only_where_no_slice_has_columns(staging: Staging, target: Path) -> None:
    """A column that a hunt has dropped doesn't come back; without a hint there are none."""
    slices = [
        stage(staging, hours(0, 12), [], {}),
        stage(staging, hours(12, 24), [], {"n": "Int32"}),
    ]
    hint = an_answer([]).table.schema
    commit(target, slices, receipt=a_receipt(slices), siblings=Siblings.of(hint, "another"))
    assert pq.read_schema(target).names == ["n", KEPT_ASIDE]
    commit(target, slices[:1], receipt=a_receipt(slices[:1]))
    assert pq.read_schema(target).names == [KEPT_ASIDE]


def test_duckdb_reads_the_same_instants_to_the_tick(staging: Staging, target: Path) -> None:
    """What an analyst sees is exact to 100 ns, before 1970 too, and prunes by time."""
    times = [
        "1969-12-31T23:59:59.9999999Z",
        "2026-11-20T06:38:35.7664356Z",
        "2026-11-20T06:38:35.7664357Z",
        "2026-11-20T06:38:48Z",
    ]
    rows = [{"Timestamp": time, "Name": time, "Span": "-P1DT0.0000001S"} for time in times]
    slices = [stage(staging, hours(0, 24), rows)]
    commit(target, slices, receipt=a_receipt(slices))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.read_parquet(str(target))
        assert relation.types[0] == "TIMESTAMPTZ_NS"
        found = connection.sql(
            f"SELECT epoch_ns(Timestamp), Span FROM '{target}' ORDER BY 1"
        ).fetchall()
        [(after,)] = connection.sql(
            f"SELECT count(*) FROM '{target}' "
            "WHERE Timestamp > '2026-11-20 06:38:35.7664356+00'::TIMESTAMPTZ_NS"
        ).fetchall()
        landed = relation.to_arrow_table()["Timestamp"].cast(pa.int64()).to_pylist()
    instants = [-100, 1795156715766435600, 1795156715766435700, 1795156728000000000]
    assert found == [(instant, -86_400_000_000_100) for instant in instants]
    assert landed == instants
    assert after == 2


def test_a_name_means_one_column_in_all_partitions(staging: Staging, target: Path) -> None:
    """A table that gains ``LogonID`` beside ``LogonId`` must not mix the two in the hunt's view."""
    rows = [{"LogonId": 1, "LogonID": "a"}]
    slices = [stage(staging, hours(0, 24), rows, {"LogonId": "Int64", "LogonID": "String"})]
    earlier = arrow_schema({"LogonId": "Int64"})
    with pytest.raises(SchemaClash, match=r"column LogonID would land as LogonID.*project-rename"):
        commit(target, slices, receipt=a_receipt(slices), siblings=Siblings.of(earlier, "another"))
    assert not target.exists()
    both = arrow_schema({"LogonId": "Int64", "LogonID": "String", "Other": "String"})
    commit(target, slices, receipt=a_receipt(slices), siblings=Siblings.of(both, "another"))
    assert pq.read_schema(target).names[:2] == ["LogonId_2", "LogonID"]

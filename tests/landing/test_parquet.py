"""The layout of a committed file: what it promises to readers, and that it changes no value."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.landing import Staging, commit
from pipelines.landing.parquet import ROW_GROUP_ROWS, names_one_thing, writer_options
from pipelines.landing.schema import KEPT_ASIDE, arrow_schema
from tests.landing.samples import a_receipt, a_record, an_answer, hours

Row = dict[str, Any]
Committer = Callable[[Sequence[Row], Mapping[str, str]], Path]

# Each wire type with its extremes, as an answer has them and as they are read.
EACH_TYPE: Mapping[str, Sequence[tuple[Any, Any]]] = {
    "DateTime": [
        ("2026-11-20T06:38:35.7664357Z", 1795156715766435700),
        ("1969-12-31T23:59:59.9999999Z", -100),
    ],
    "String": [("", ""), ("naïve \U0001f600\x00\n", "naïve \U0001f600\x00\n")],
    "SByte": [(1, True), (0, False)],
    "Boolean": [(True, True), (False, False)],
    "Int32": [(2**31 - 1, 2**31 - 1), (-(2**31), -(2**31))],
    "Int64": [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63))],
    "Double": [(0.1, 0.1), (-1.5e300, -1.5e300)],
    "SqlDecimal": [("12345678901234567.12345678901234567", "12345678901234567.12345678901234567")],
    "Guid": [("5f0c0de0-0000-4000-8000-00000000000a", "5f0c0de0-0000-4000-8000-00000000000a")],
    "TimeSpan": [("-1.00:00:00.0000001", -86_400_000_000_100), ("00:00:00.0000001", 100)],
    "Object": [({"b": 1, "a": [True]}, '{"a":[true],"b":1}')],
    "Unheard": [("text", "text")],
}
# fmt: off
LOOKED_UP = [
    "SHA1", "InitiatingProcessSHA256", "MD5", "DeviceId", "TargetDeviceId", "AccountObjectId",
    "NetworkMessageId", "AlertId", "RemoteIP", "IPAddress", "IpAddress", "SourceIpAddress",
    "SenderIPv4", "SenderIPv6", "SHA2561", "LocalIP1", "x.SHA1",
]
SEARCHED = [
    "DeviceName", "LocalIPType", "IPTags", "IPCategory", "ReportId", "FileName", "AccountName",
    "IPAddresses", "IsVIP", "Zip", "Relationship",
]
# fmt: on
ODD_NAMES = ["a.b", "a", "list.element", 'q"uote', "two words", "x.SHA1", "Время", "select", "'"]


@pytest.fixture
def committed(tmp_path: Path) -> Committer:
    """Land and commit rows as an export does; returns the file."""

    def land(rows: Sequence[Row], columns: Mapping[str, str]) -> Path:
        staging = Staging(tmp_path / "staged")
        time_column = "Timestamp" if "Timestamp" in columns else None
        record = a_record(hours(0, 24), len(rows))
        slices = [staging.write(an_answer(rows, dict(columns)), record, time_column=time_column)]
        target = tmp_path / "lake" / "data.parquet"
        commit(target, slices, receipt=a_receipt(slices))
        return target

    return land


def chunks(path: Path, group: int = 0) -> dict[str, pq.ColumnChunkMetaData]:
    metadata = pq.read_metadata(path)
    columns = map(metadata.row_group(group).column, range(metadata.num_columns))
    return {chunk.path_in_schema: chunk for chunk in columns}


@pytest.mark.parametrize("name", LOOKED_UP)
@pytest.mark.parametrize("wire_type", ["String", "Guid"])
def test_what_is_looked_up_as_a_whole_has_a_bloom_filter(name: str, wire_type: str) -> None:
    """Hashes, devices, objects, messages, alerts and addresses; a join may have numbered them."""
    assert names_one_thing(arrow_schema({name: wire_type}).field(0))


@pytest.mark.parametrize(
    ("name", "wire_type"),
    [
        *((name, "String") for name in SEARCHED),
        *(("SHA1", kind) for kind in ("Int64", "SByte", "DateTime", "Double")),
    ],
)
def test_nothing_else_has_a_bloom_filter(name: str, wire_type: str) -> None:
    """Numbers, names and lists are searched by part or by range, or have too few values."""
    assert not names_one_thing(arrow_schema({name: wire_type}).field(0))


def test_a_name_told_apart_counts_by_its_own(committed: Committer) -> None:
    """What lands under another name, since two differ by case alone, is what it was."""
    row = {"IpAddress": "10.0.0.1", "IPAddress": "10.0.0.2"}
    found = chunks(committed([row], dict.fromkeys(row, "String")))
    filtered = [name for name, chunk in found.items() if chunk.bloom_filter_length]
    assert filtered == ["IpAddress_2", "IPAddress"]


def test_times_are_deltas_and_the_rest_has_dictionaries(committed: Committer) -> None:
    """A dictionary of times would hold each of them; a reader finds both in any Parquet."""
    columns = {"Timestamp": "DateTime", "Took": "TimeSpan", "DeviceId": "String", "n": "Int64"}
    row = {"Timestamp": "2026-11-20T01:00:00Z", "Took": "00:00:01", "DeviceId": "d", "n": 1}
    found = chunks(committed([row, row], columns))
    for name in ("Timestamp", "Took"):
        assert "DELTA_BINARY_PACKED" in found[name].encodings
        assert not found[name].has_dictionary_page
    for name in ("DeviceId", "n", KEPT_ASIDE):
        assert "RLE_DICTIONARY" in found[name].encodings
    assert {chunk.compression for chunk in found.values()} == {"ZSTD"}


def test_a_row_group_tells_what_is_in_it(committed: Committer) -> None:
    """Its times and its pages; a reader of an hour or of a hash skips the others."""
    day = [f"2026-11-20T{hour:02d}:{minute:02d}:00Z" for hour in range(24) for minute in range(60)]
    count = ROW_GROUP_ROWS + 1_000
    rows = [{"Timestamp": day[1_440 * n // count], "SHA1": f"{n % 50:040x}"} for n in range(count)]
    path = committed(rows, {"Timestamp": "DateTime", "SHA1": "String"})
    groups = [chunks(path, group) for group in range(pq.read_metadata(path).num_row_groups)]
    assert [group["Timestamp"].num_values for group in groups] == [ROW_GROUP_ROWS, 1_000]
    bounds = [group["Timestamp"].statistics for group in groups]
    assert all(bound.has_min_max for bound in bounds)
    assert bounds[0].min < bounds[0].max <= bounds[1].min < bounds[1].max
    for group in groups:
        assert all(chunk.has_column_index and chunk.has_offset_index for chunk in group.values())
        # Fifty hashes fill less than a hundredth of what a full row group's would.
        assert 0 < group["SHA1"].bloom_filter_length < 200
        assert group["Timestamp"].bloom_filter_length is None
    with duckdb.connect() as connection:
        excluded = [
            connection.execute(
                "SELECT bool_and(bloom_filter_excludes) FROM parquet_bloom_probe(?, 'SHA1', ?)",
                [str(path), f"{n:040x}"],
            ).fetchall()[0][0]
            for n in range(100)
        ]
    assert not any(excluded[:50])
    assert sum(excluded[50:]) > 40


def test_each_type_is_read_as_it_was_landed(committed: Committer) -> None:
    """With nulls, and to the tick, by pyarrow and by DuckDB."""
    most = max(map(len, EACH_TYPE.values()))
    rows: list[Row] = [
        {kind: values[n][0] if n < len(values) else None for kind, values in EACH_TYPE.items()}
        for n in range(most + 1)
    ]
    path = committed(rows, {kind: kind for kind in EACH_TYPE})
    wanted = {
        kind: [values[n][1] if n < len(values) else None for n in range(most + 1)]
        for kind, values in EACH_TYPE.items()
    }
    table = pq.read_table(path, partitioning=None)
    assert table[KEPT_ASIDE].null_count == len(rows)
    assert plain(table.drop_columns([KEPT_ASIDE])) == wanted
    with duckdb.connect() as connection:
        read = connection.read_parquet(str(path)).to_arrow_table()
    assert plain(read.drop_columns([KEPT_ASIDE])) == wanted


def test_polars_reads_the_same(committed: Committer) -> None:
    """It has a reader of its own; its decimals and durations are Arrow's."""
    polars = pytest.importorskip("polars")
    rows = [{kind: values[0][0] for kind, values in EACH_TYPE.items()}, {}]
    path = committed(rows, {kind: kind for kind in EACH_TYPE})
    read = polars.read_parquet(path).to_arrow().drop_columns([KEPT_ASIDE])
    assert plain(read) == {kind: [values[0][1], None] for kind, values in EACH_TYPE.items()}


def plain(table: pa.Table) -> dict[str, list[Any]]:
    """Times and spans as nanoseconds, which Python's own lack; decimals as their digits."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
            kind = pa.int64()
        elif pa.types.is_decimal(kind):
            kind = pa.string()
        columns[name] = column.cast(kind).to_pylist()
    return columns


def test_a_name_may_hold_whatever_paths_are_made_of(committed: Committer) -> None:
    """pyarrow takes options by dotted paths: they must reach the column and no other."""
    times = [f"{name} time" for name in ODD_NAMES]
    columns = dict.fromkeys(ODD_NAMES, "String") | dict.fromkeys(times, "DateTime")
    row = dict.fromkeys(ODD_NAMES, "x") | dict.fromkeys(times, "2026-11-20T00:00:00Z")
    path = committed([row], columns)
    found = chunks(path)
    assert list(found) == [*columns, KEPT_ASIDE]
    assert [name for name in found if found[name].bloom_filter_length] == ["x.SHA1"]
    deltas = [name for name in found if "DELTA_BINARY_PACKED" in found[name].encodings]
    assert deltas == times
    assert [name for name in found if not found[name].has_dictionary_page] == times
    with duckdb.connect() as connection:
        assert connection.read_parquet(str(path)).columns == list(found)
        assert connection.read_parquet(str(path)).fetchall()[0][: len(ODD_NAMES)] == ("x",) * len(
            ODD_NAMES
        )


@pytest.mark.parametrize("columns", [{}, {"Timestamp": "DateTime", "SHA1": "String"}])
def test_no_rows_and_no_columns_are_a_file_too(
    committed: Committer, columns: Mapping[str, str]
) -> None:
    """Which any reader opens."""
    path = committed([], columns)
    assert pq.read_table(path, partitioning=None).num_rows == 0
    with duckdb.connect() as connection:
        assert connection.read_parquet(str(path)).columns == [*columns, KEPT_ASIDE]
        assert connection.read_parquet(str(path)).fetchall() == []


def test_a_schema_without_any_field_has_options_too(tmp_path: Path) -> None:
    """Nothing in them rests on a column being there."""
    with pq.ParquetWriter(tmp_path / "x.parquet", pa.schema([]), **writer_options(pa.schema([]))):
        pass
    assert pq.read_schema(tmp_path / "x.parquet").names == []

"""The layouts to compare: how each is written from staged slices, and read by DuckDB.

What belongs here: ours and what one might have chosen instead. What does not: measuring them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.landing import StagedSlice, commit
from pipelines.landing.parquet import ROW_GROUP_ROWS, writer_options
from tests.benchmarks.layout_data import slices
from tests.landing.samples import a_receipt, a_record, hours

OURS: Final = "huntlake"
_PYARROW_GROUP_ROWS: Final = 1024 * 1024
_SMALL_GROUP_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to write slices into a folder, and what DuckDB then reads."""

    write: Callable[[Sequence[StagedSlice], Path], None]
    read: Callable[[Path], str] = lambda folder: f"SELECT * FROM read_parquet('{folder}/*.parquet')"
    sampled: bool = False
    """Whether it is so slow and large that a part of the slices has to do."""


def staged(rows: int, folder: Path) -> list[StagedSlice]:
    """Slices of the benchmark's events, as the export would have staged them."""
    found = []
    for number, table in enumerate(slices(rows)):
        path = folder / f"{number:04d}.parquet"
        pq.write_table(table, path, compression="lz4")
        found.append(StagedSlice(path, a_record(hours(0, 24), table.num_rows), table.schema))
    return found


def _committed(slices: Sequence[StagedSlice], folder: Path) -> None:
    commit(folder / "data.parquet", slices, receipt=a_receipt(slices))


def _grouped(rows: int, *, ours: bool) -> Callable[[Sequence[StagedSlice], Path], None]:
    def write(slices: Sequence[StagedSlice], folder: Path) -> None:
        schema = slices[0].schema
        options: dict[str, Any] = writer_options(schema) if ours else {}
        with pq.ParquetWriter(folder / "data.parquet", schema, **options) as writer:
            for group in _groups(slices, rows):
                writer.write_table(group, row_group_size=rows)

    return write


def _groups(slices: Sequence[StagedSlice], rows: int) -> Iterator[pa.Table]:
    waiting = slices[0].schema.empty_table()
    for each in slices:
        waiting = pa.concat_tables([waiting, pq.read_table(each.path)])
        while waiting.num_rows >= rows:
            yield waiting.slice(0, rows)
            waiting = waiting.slice(rows)
    if waiting.num_rows:
        yield waiting


def _file_a_response(slices: Sequence[StagedSlice], folder: Path) -> None:
    for each in slices:
        target = folder / each.path.name
        with pq.ParquetWriter(target, each.schema, **writer_options(each.schema)) as writer:
            writer.write_table(pq.read_table(each.path), row_group_size=ROW_GROUP_ROWS)


def _copied(file: str, options: str) -> Callable[[Sequence[StagedSlice], Path], None]:
    def write(slices: Sequence[StagedSlice], folder: Path) -> None:
        paths = [str(each.path) for each in slices]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"COPY (FROM read_parquet({paths})) TO '{folder / file}' ({options})"
            )

    return write


def _typed(reader: str, options: str) -> Callable[[Path], str]:
    """Reads text with the columns' own types. Times are cast: readers cut them to microseconds."""
    schema = next(slices(1)).schema
    names = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.bool_(): "BOOLEAN"}
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    columns = {field.name: names.get(field.type, "VARCHAR") for field in schema}
    casts = ", ".join(f"CAST({name} AS TIMESTAMPTZ_NS) AS {name}" for name in times)

    def read(folder: Path) -> str:
        return (
            f"SELECT * REPLACE ({casts}) FROM {reader}('{folder}/*', columns = {columns}{options})"
        )

    return read


def layouts() -> Mapping[str, Layout]:
    """All of them by name, ours first."""
    return {
        OURS: Layout(_committed),
        "pyarrow defaults": Layout(_grouped(_PYARROW_GROUP_ROWS, ours=False)),
        "million-row groups": Layout(_grouped(1_000_000, ours=True)),
        "small row groups": Layout(_grouped(_SMALL_GROUP_ROWS, ours=True)),
        "file a response": Layout(_file_a_response),
        "DuckDB COPY": Layout(_copied("data.parquet", "FORMAT parquet, COMPRESSION zstd")),
        "CSV": Layout(
            _copied("data.csv", "FORMAT csv, NULLSTR 'null'"),
            _typed("read_csv", ", header = true, nullstr = 'null'"),
            sampled=True,
        ),
        "JSON lines": Layout(
            _copied("data.json", "FORMAT json"),
            _typed("read_json", ", format = 'newline_delimited'"),
            sampled=True,
        ),
    }

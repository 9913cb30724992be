"""Whether a partition that was pulled again holds the same rows as the one that is committed.

What belongs here: comparing rows without their order, which the service leaves open. What does not:
what follows from it (``recount``). Memory is bounded: rows are added up as hashes of 64 bits.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.landing import KEPT_ASIDE, LandedSlice, columns_of

_BATCH_ROWS: Final = 16_384


def same_rows(path: Path, slices: Sequence[LandedSlice]) -> bool:
    """Whether the committed file has the rows of the slices, whatever the order.

    Columns that came or went make other rows of them, except where there is none at all.
    """
    with pq.ParquetFile(path) as file:
        rows = sum(each.record.rows for each in slices)
        if file.metadata.num_rows != rows:
            return False
        if not rows:
            return True
        with_rows = [each for each in slices if each.record.rows]
        landed = {column.wire_name: column.landed for column in columns_of(file.schema_arrow)}
        if any(_wire_names(each) != landed.keys() for each in with_rows):
            return False
        order = sorted(landed)
        present = _plain(
            file.iter_batches(_BATCH_ROWS), [*(landed[name] for name in order), KEPT_ASIDE]
        )
        pulled = (
            batch
            for each in with_rows
            for batch in _plain(each.batches(_BATCH_ROWS), [*_landed_as(each, order), KEPT_ASIDE])
        )
        return _digest(present) == _digest(pulled)


def _wire_names(each: LandedSlice) -> set[str]:
    return {column.wire_name for column in columns_of(each.schema)}


def _landed_as(each: LandedSlice, order: Sequence[str]) -> list[str]:
    landed = {column.wire_name: column.landed for column in columns_of(each.schema)}
    return [landed[name] for name in order]


def _plain(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns in one order, numbered, and times as numbers: DuckDB's own stop at a micro."""
    for batch in batches:
        columns = [_number(batch.column(name)) for name in names]
        yield pa.record_batch(columns, [f"c{number}" for number in range(len(columns))])


def _number(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type):
        return pc.cast(column, pa.int64())
    # The service adds doubles up in another order each time, and the last digits differ.
    return pc.cast(column, pa.float32(), safe=False) if column.type == pa.float64() else column


def _digest(batches: Iterator[pa.RecordBatch]) -> tuple[object, ...]:
    first = next(batches)

    def all_batches() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    with duckdb.connect() as connection:
        reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
        connection.register("rows", reader)
        [found] = connection.execute(
            "SELECT count(*), sum(hash(hash(rows))::HUGEINT), bit_xor(hash(hash(rows))) FROM rows"
        ).fetchall()
    return tuple(found)

"""The commit: staged slices become one Parquet file that readers see whole.

What belongs here: merging, writing and reading back the receipt. What does not: slices' own files
(``staging``), and how the file is laid out for readers (``parquet``). Memory is bounded by a row
group and a batch, however many slices there are.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import LakeUnwritable, LandingError, SchemaChanged
from pipelines.landing.evolution import ALONE, Siblings, beside_siblings
from pipelines.landing.files import write_atomically
from pipelines.landing.parquet import ROW_GROUP_ROWS, writer_options
from pipelines.landing.receipt import Receipt
from pipelines.landing.schema import KEPT_ASIDE, WIRE_NAME, wire_columns
from pipelines.landing.staging import LandedSlice

RECEIPT_KEY: Final = b"huntlake.receipt"

# Of a staged slice, so many rows are in memory beside those of the row group that they go into.
_BATCH_ROWS: Final = 16_384


def commit(
    target: Path,
    slices: Sequence[LandedSlice],
    *,
    receipt: Receipt,
    siblings: Siblings = ALONE,
) -> None:
    """Write the slices, which are in time order, as one file in one atomic step.

    ``siblings`` are the hunt's other partitions: the columns have to fit together. Raises
    ``SchemaChanged`` and ``SchemaClash`` as ``partition_schema`` does, ``LakeUnwritable`` where the
    disk says no, and ``LandingError`` where the rows written are not those that were pulled; what
    was committed at ``target`` before is then still there.
    """
    where = f"{receipt.hunt}, partition {receipt.partition}"
    schema = partition_schema(slices, siblings, where=where)

    def write(beside: Path) -> None:
        with pq.ParquetWriter(beside, schema, **writer_options(schema)) as writer:
            rows = _write_row_groups(writer, _batches(slices, schema), schema)
            writer.add_key_value_metadata({RECEIPT_KEY: receipt.to_json()})
        if rows != receipt.rows:
            raise LandingError(
                f"{receipt.hunt}, partition {receipt.partition}: {rows:,} rows were written but "
                f"{receipt.rows:,} were pulled; nothing was committed"
            )

    write_atomically(target, write)


def read_receipt(path: Path) -> Receipt | None:
    """The receipt of a committed partition; ``None`` where there is no file, or not one of ours.

    Raises ``LakeUnwritable`` for a file that this process may not even read.
    """
    try:
        return parse_receipt(pq.read_metadata(path))
    except OSError as error:
        # Without a number it is pyarrow's own, for a damaged footer.
        if error.errno in (None, errno.ENOENT):
            return None
        raise LakeUnwritable(
            f"{path} can't be read: {error.strerror or error}; see what stands there, and who may "
            f"read it"
        ) from error
    except pa.ArrowInvalid:
        return None


def parse_receipt(footer: pq.FileMetaData) -> Receipt | None:
    """The receipt in a file's footer; ``None`` where there is none of ours."""
    try:
        return Receipt.from_json(footer.metadata[RECEIPT_KEY].decode())
    except (KeyError, ValueError, TypeError):
        return None


def partition_schema(slices: Sequence[LandedSlice], siblings: Siblings, *, where: str) -> pa.Schema:
    """All columns of all slices, by the service's names, as they land beside other partitions.

    ``where`` is the hunt and the partition, for errors. Raises ``SchemaChanged`` where a column has
    two types, and ``SchemaClash`` where it would not be what it is in the other partitions.
    """
    columns: dict[str, str] = {}
    first_seen: dict[str, LandedSlice] = {}
    for each in slices:
        for name, wire_type in wire_columns(each.schema).items():
            before = columns.setdefault(name, wire_type)
            first_seen.setdefault(name, each)
            if before != wire_type:
                raise SchemaChanged(
                    f"{where}: column {name} is {before} in {first_seen[name].record.span} and "
                    f"{wire_type} in {each.record.span}: the table changed while it was pulled. "
                    f"Run the export again, which pulls the partition anew"
                )
    return beside_siblings(columns, siblings, where=where)


def _batches(slices: Iterable[LandedSlice], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for each in slices:
        for batch in each.batches(_BATCH_ROWS):
            yield batch if batch.schema.equals(schema) else _conformed(batch, schema)


def _conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly the schema's columns: those that it lacks are null."""
    by_wire_name = {_wire_name(field): batch.column(i) for i, field in enumerate(batch.schema)}
    arrays = [
        by_wire_name.get(_wire_name(field), pa.nulls(batch.num_rows, field.type))
        for field in schema
    ]
    return pa.record_batch(arrays, schema=schema)


def _wire_name(field: pa.Field) -> str:
    if field.name == KEPT_ASIDE:
        return KEPT_ASIDE
    name: bytes = field.metadata[WIRE_NAME]
    # The service's own column of that name would be landed under another.
    return f"column {name.decode()}"


def _write_row_groups(
    writer: pq.ParquetWriter, batches: Iterable[pa.RecordBatch], schema: pa.Schema
) -> int:
    """Write the rows in full row groups: slices of a few rows must not become groups of a few.

    Returns how many there were. No more than one group's rows are held at a time.
    """
    # Else the allocator keeps what a row group took, or an answer, beside what the next one takes.
    release = pa.default_memory_pool().release_unused
    release()
    waiting: list[pa.RecordBatch] = []
    waiting_rows = rows = 0
    for batch in batches:
        free = ROW_GROUP_ROWS - waiting_rows
        waiting.append(batch.slice(0, free))
        waiting_rows += batch.num_rows
        rows += batch.num_rows
        if waiting_rows >= ROW_GROUP_ROWS:
            writer.write_table(
                pa.Table.from_batches(waiting, schema), row_group_size=ROW_GROUP_ROWS
            )
            waiting = [batch.slice(free)]
            waiting_rows -= ROW_GROUP_ROWS
            release()
    if waiting_rows:
        writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=ROW_GROUP_ROWS)
    return rows

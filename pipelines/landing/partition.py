"""The commit: staged slices become one Parquet file that readers see whole.

What belongs here: merging, writing and reading back the receipt. What does not: slices' own files
(``staging``). Memory is bounded by a row group and a batch, however many slices there are.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import LakeUnwritable, LandingError, SchemaChanged
from pipelines.landing.files import write_atomically
from pipelines.landing.receipt import Receipt
from pipelines.landing.schema import KEPT_ASIDE, WIRE_NAME, arrow_schema, wire_columns
from pipelines.landing.staging import LandedSlice

RECEIPT_KEY: Final = b"huntlake.receipt"

# DuckDB reads a row group of this size at a time, and prunes by its statistics.
_ROW_GROUP_ROWS: Final = 122_880
_PARQUET: Final[Mapping[str, Any]] = {
    "compression": "zstd",
    "compression_level": 3,
    "write_page_index": True,
}


def commit(
    target: Path,
    slices: Sequence[LandedSlice],
    *,
    receipt: Receipt,
    schema_hint: pa.Schema | None = None,
) -> None:
    """Write the slices, which are in time order, as one file in one atomic step.

    ``schema_hint`` is the schema of another partition of the hunt. It gives the columns where no
    slice has any, since an empty answer may come without a schema. Raises ``SchemaChanged`` where a
    column has two types, ``LakeUnwritable`` where the disk says no, and ``LandingError`` where the
    rows written are not those that were pulled, or a name means another column in the other
    partition; what was committed at ``target`` before is then still there.
    """
    schema = _merged_schema(slices, schema_hint)
    if schema_hint is not None:
        _refuse_mixed_columns(schema, schema_hint, receipt)

    def write(beside: Path) -> None:
        rows = 0
        with pq.ParquetWriter(beside, schema, **_PARQUET) as writer:
            for group in _row_groups(_batches(slices, schema), schema):
                writer.write_table(group, row_group_size=_ROW_GROUP_ROWS)
                rows += group.num_rows
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
        metadata = pq.read_metadata(path).metadata
        return Receipt.from_json(metadata[RECEIPT_KEY].decode())
    except OSError as error:
        # Without a number it is pyarrow's own, for a damaged footer.
        if error.errno in (None, errno.ENOENT):
            return None
        raise LakeUnwritable(
            f"{path} can't be read: {error.strerror or error}; see what stands there, and who may "
            f"read it"
        ) from error
    except (pa.ArrowInvalid, KeyError, ValueError, TypeError):
        return None


def _merged_schema(slices: Sequence[LandedSlice], hint: pa.Schema | None) -> pa.Schema:
    """All columns of all slices, by the service's names, named as one answer would be."""
    columns: dict[str, str] = {}
    first_seen: dict[str, LandedSlice] = {}
    for each in slices:
        for name, wire_type in wire_columns(each.schema).items():
            before = columns.setdefault(name, wire_type)
            first_seen.setdefault(name, each)
            if before != wire_type:
                raise SchemaChanged(
                    f"column {name} is {before} in {first_seen[name].record.span} and "
                    f"{wire_type} in {each.record.span}: the table changed while it was pulled. "
                    f"Run the export again, which pulls the partition anew"
                )
    if not columns and hint is not None:
        columns = wire_columns(hint)
    return arrow_schema(columns)


def _refuse_mixed_columns(schema: pa.Schema, other: pa.Schema, receipt: Receipt) -> None:
    """Refuse what a view over both would mix: DuckDB takes names that differ by case for one.

    A table that has ``LogonId`` and gains ``LogonID`` is such a case: which of two names is told
    apart by a number can be known only when both are there.
    """
    before = {field.name.casefold(): _wire_name(field) for field in other}
    for field in schema:
        now = _wire_name(field)
        if before.get(field.name.casefold(), now) != now:
            raise LandingError(
                f"{receipt.hunt}, partition {receipt.partition}: {now} would land as {field.name}, "
                f"which is {before[field.name.casefold()]} in the hunt's other partitions. Rename "
                f"one of the two in the hunt, as in `| project-rename Upper{field.name} = ...`, or "
                f"move the other partitions out of the lake"
            )


def _batches(slices: Iterable[LandedSlice], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for each in slices:
        for batch in each.batches(_ROW_GROUP_ROWS):
            yield _conformed(batch, schema)


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


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in full row groups: slices of a few rows must not become groups of a few."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while rows >= _ROW_GROUP_ROWS:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, _ROW_GROUP_ROWS)
            rest = table.slice(_ROW_GROUP_ROWS)
            waiting, rows = rest.to_batches(), rest.num_rows
    if rows:
        yield pa.Table.from_batches(waiting, schema)

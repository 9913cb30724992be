"""Slices that are not committed yet: safe on disk, or about to be.

What belongs here: one folder of slices, for one hunt as it is and one partition. What does not:
where the folder lies (``lake.layout``), or which slices a partition needs (``slicing``).
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import LakeUnwritable
from pipelines.landing.cutting import in_time_order
from pipelines.landing.decode import Answer
from pipelines.landing.files import write_atomically
from pipelines.landing.receipt import SliceRecord
from pipelines.spans import Position

_RECORD_KEY: Final = b"huntlake.slice"
# Read once, at commit: the cheapest compression that still spares a disk.
_COMPRESSION: Final = "lz4"


class LandedSlice(Protocol):
    """One slice, sorted by time, and what is known of it."""

    @property
    def record(self) -> SliceRecord:
        """How it is known to be whole, and what it cost."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""

    @property
    def file_bytes(self) -> int:
        """What it takes on disk."""

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Its rows in order, so many at a time; of some columns, or all."""


@dataclass(frozen=True, slots=True)
class StagedSlice:
    """A slice that is safe on disk."""

    path: Path
    record: SliceRecord
    schema: pa.Schema

    @property
    def file_bytes(self) -> int:
        """The size of its file."""
        return self.path.stat().st_size

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read the file, a batch at a time."""
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(batch_size=rows, columns=columns)


@dataclass(frozen=True, slots=True)
class HeldSlice:
    """A slice in memory, about to be committed: to stage it first would be to write it twice."""

    table: pa.Table = field(repr=False)
    record: SliceRecord

    @property
    def schema(self) -> pa.Schema:
        """The table's."""
        return self.table.schema

    @property
    def file_bytes(self) -> int:
        """It has no file."""
        return 0

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The table's own batches, which may be smaller."""
        table = self.table if columns is None else self.table.select(columns)
        yield from table.to_batches(max_chunksize=rows)


class Staging:
    """The staged slices of one partition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def hold(answer: Answer, record: SliceRecord, *, time_column: str | None) -> HeldSlice:
        """A slice that is not on disk."""
        return HeldSlice(in_time_order(answer, time_column).table, record)

    def write(self, answer: Answer, record: SliceRecord, *, time_column: str | None) -> StagedSlice:
        """Put a slice on disk; it is safe when this returns. Raises ``LakeUnwritable``."""
        return self.put_down(self.hold(answer, record, time_column=time_column))

    def put_down(self, held: HeldSlice) -> StagedSlice:
        """Put a slice on disk after all. Raises ``LakeUnwritable``."""
        table, record = held.table, held.record
        metadata = {**(table.schema.metadata or {}), _RECORD_KEY: json.dumps(record.to_dict())}
        table = table.replace_schema_metadata(metadata)
        path = self._folder / f"{_name(record.span.start)}-{_name(record.span.end)}.parquet"
        write_atomically(
            path, lambda beside: pq.write_table(table, beside, compression=_COMPRESSION)
        )
        return StagedSlice(path, record, table.schema)

    def slices(self) -> list[StagedSlice]:
        """What was staged, in time order. Whatever is not a whole slice is removed."""
        return sorted(self._whole(), key=lambda each: each.record.span)

    def discard(self) -> None:
        """Remove the folder, once its slices are committed; and folders that it leaves empty."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for parent in list(self._folder.parents)[:3]:
            try:
                parent.rmdir()
            except OSError:
                return

    def _whole(self) -> Iterator[StagedSlice]:
        for path in list(self._folder.glob("*")):
            found = _read(path)
            if found is not None:
                yield found
                continue
            try:
                path.unlink()
            except OSError as error:
                raise LakeUnwritable(f"the leftover {path} can't be removed: {error}") from error


def _read(path: Path) -> StagedSlice | None:
    """The slice in a file; ``None`` where a crash left half of one, or it is something else."""
    if path.suffix != ".parquet":
        return None
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            record = SliceRecord.from_dict(json.loads((schema.metadata or {})[_RECORD_KEY]))
            whole = file.metadata.num_rows == record.rows
    # pyarrow tells of a damaged footer by an OSError too.
    except (OSError, pa.ArrowInvalid, KeyError, ValueError, TypeError):
        return None
    return StagedSlice(path, record, schema) if whole else None


def _name(position: Position) -> str:
    return f"{position.instant:020d}.{position.bucket:05d}"

"""A committed partition with some of its windows pulled again: which rows stay, and which come.

What belongs here: cutting the present file and the staged slices at the windows' edges, and the
receipt of what comes of them. What does not: writing the file (``committing``).

A receipt stays what it was: slices that make up the partition, each with its answer. Slices of the
present file are cut where a window begins and ends, and those in a window give way to what was
pulled again, unless that has fewer rows than they: then the service has forgotten some, and what
landed stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.batch import for_nothing
from pipelines.errors import LandingError
from pipelines.landing import LandedSlice, Receipt, SliceRecord, StagedSlice, kept_aside_by_column
from pipelines.late.landed import time_field
from pipelines.spans import Position, Span
from pipelines.windows import NANOSECONDS_PER_TICK, Window

_BATCH_ROWS: Final = 16_384


class RowsOfFile:
    """Rows of a Parquet file by their numbers; asked for in order, it reads the file once."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        self._columns: Sequence[str] | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._left: pa.RecordBatch | None = None
        self._at = 0
        self._begun = False

    @property
    def schema(self) -> pa.Schema:
        """The file's."""
        return self._file.schema_arrow

    def read(
        self, first: int, rows: int, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """So many rows from a number on."""
        if not rows:
            return
        if not self._begun or columns != self._columns or first < self._at:
            self._begin(first, columns, batch_rows)
        while rows:
            batch = self._left if self._left is not None else next(self._batches)
            skipped = min(first - self._at, batch.num_rows)
            taken = min(rows, batch.num_rows - skipped)
            rest = batch.slice(skipped + taken)
            self._left = rest if rest.num_rows else None
            self._at += skipped + taken
            if taken:
                first += taken
                rows -= taken
                yield batch.slice(skipped, taken)

    def _begin(self, first: int, columns: Sequence[str] | None, batch_rows: int) -> None:
        """Begin with the row group that has the row."""
        metadata, start, group = self._file.metadata, 0, 0
        while start + metadata.row_group(group).num_rows <= first:
            start += metadata.row_group(group).num_rows
            group += 1
        groups = list(range(group, metadata.num_row_groups))
        self._batches = self._file.iter_batches(batch_rows, groups, columns=columns)
        self._left, self._at, self._columns, self._begun = None, start, columns, True


@dataclass(frozen=True, slots=True)
class PieceOfFile:
    """A landed slice that is some rows of a file."""

    file: RowsOfFile
    first: int
    record: SliceRecord
    origin: int
    """The number of the slice that it is a piece of, those pulled again after those that landed."""

    @property
    def schema(self) -> pa.Schema:
        """The file's."""
        return self.file.schema

    @property
    def file_bytes(self) -> int:
        """It has no file of its own."""
        return 0

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Its rows in order, so many at a time at most."""
        yield from self.file.read(self.first, self.record.rows, columns, rows)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a partition is made of once its windows were pulled again.

    ``fewer`` are the windows of which fewer rows came than had landed, and which stay as they are.
    """

    slices: tuple[LandedSlice, ...]
    receipt: Receipt
    fewer: tuple[Window, ...]


class Merging:
    """Merges one partition; a context manager, since it holds the files open."""

    def __init__(self, receipt: Receipt, time_column: str) -> None:
        self._receipt = receipt
        self._time_column = time_column
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def merged(  # noqa: PLR0913 - what is merged, and what is known of it
        self,
        present: pq.ParquetFile,
        staged: Sequence[StagedSlice],
        windows: Sequence[Window],
        *,
        given_up: Sequence[Window] = (),
        now_ns: int,
        counted_rows: int | None,
    ) -> Merged:
        """The slices in order, and their receipt. Raises ``LandingError``.

        ``windows`` are disjoint and in order; ``staged`` was pulled for them and those that were
        given up. ``present`` is the committed file.
        """
        landed = list(self._of_present(self._open.enter_context(present), windows))
        pulled = [
            each
            for each in self._of_staged(staged, [*windows, *given_up])
            if _lies_in(each, windows)
        ]
        fewer: list[Window] = []
        replaced: list[Window] = []
        for window in windows:
            rows = [_rows(_within(pieces, window)) for pieces in (landed, pulled)]
            (replaced if rows[1] >= rows[0] else fewer).append(window)
        pieces = [
            *(each for each in landed if not _lies_in(each, replaced)),
            *(each for each in pulled if _lies_in(each, replaced)),
        ]
        pieces.sort(key=lambda each: each.record.span)
        records = [*self._receipt.slices, *(each.record for each in staged)]
        pieces = _with_costs(pieces, records)
        receipt = self._new_receipt(pieces, now_ns, counted_rows)
        return Merged(tuple(pieces), receipt, tuple(fewer))

    def _of_present(self, file: pq.ParquetFile, windows: Sequence[Window]) -> Iterator[PieceOfFile]:
        rows = RowsOfFile(file)
        if file.metadata.num_rows != self._receipt.rows:
            raise LandingError(
                f"{self._where}: its file has {file.metadata.num_rows:,} rows, and its receipt "
                f"says {self._receipt.rows:,}; export it again with --refresh"
            )
        first = 0
        for origin, record in enumerate(self._receipt.slices):
            yield from self._cut(PieceOfFile(rows, first, record, origin), windows)
            first += record.rows

    def _of_staged(
        self, staged: Sequence[StagedSlice], windows: Sequence[Window]
    ) -> Iterator[PieceOfFile]:
        """A staged slice may reach over several windows, and has no rows between them."""
        for origin, each in enumerate(staged, len(self._receipt.slices)):
            file = RowsOfFile(self._open.enter_context(pq.ParquetFile(each.path)))
            pieces = list(self._cut(PieceOfFile(file, 0, each.record, origin), windows))
            if any(piece.record.rows and not _lies_in(piece, windows) for piece in pieces):
                raise LandingError(
                    f"{self._where}: rows came of a time that was not asked for; nothing was "
                    f"committed"
                )
            yield from (piece for piece in pieces if _lies_in(piece, windows))

    def _cut(self, piece: PieceOfFile, windows: Iterable[Window]) -> Iterator[PieceOfFile]:
        """The piece in parts, none of which is on both sides of a window's edge."""
        span = piece.record.span
        edges = sorted(
            edge
            for edge in {edge for each in windows for edge in (each.start, each.end)}
            if span.start < Position(edge) < span.end
        )
        if not edges:
            yield piece
            return
        before = self._rows_before(piece, edges)
        bounds = pairwise((span.start, *map(Position, edges), span.end))
        firsts = pairwise((0, *before, piece.record.rows))
        for (start, end), (first, last) in zip(bounds, firsts, strict=True):
            record = replace(piece.record, span=Span(start, end), rows=last - first)
            part = replace(piece, first=piece.first + first, record=record)
            if record.kept_aside:
                kept = sum(kept_aside_by_column([part]).values())
                part = replace(part, record=replace(part.record, kept_aside=kept))
            yield part

    def _rows_before(self, piece: PieceOfFile, edges: Sequence[int]) -> list[int]:
        """How many rows of a slice, which is in order of time, lie before each edge."""
        if not piece.record.rows:
            return [0] * len(edges)
        name = time_field(piece.schema, self._time_column)
        found = np.zeros(len(edges), np.int64)
        latest = None
        for batch in piece.batches(_BATCH_ROWS, [name]):
            column = pc.cast(batch.column(0), pa.int64())
            times = column.to_numpy(zero_copy_only=not column.null_count)
            is_sorted = not column.null_count and bool(np.all(times[:-1] <= times[1:]))
            if not is_sorted or (latest is not None and times[0] < latest):
                raise LandingError(
                    f"{self._where}: its rows are not in order of time, so that none can be "
                    f"replaced alone; export it again with --refresh"
                )
            latest = times[-1]
            found += np.searchsorted(times, np.array(edges, np.int64) * NANOSECONDS_PER_TICK)
        return [int(each) for each in found]

    def _new_receipt(
        self, pieces: Sequence[PieceOfFile], now_ns: int, counted_rows: int | None
    ) -> Receipt:
        records = tuple(each.record for each in pieces)
        rows = sum(each.rows for each in records)
        counts = (counted_rows, self._receipt.counted_rows)
        return replace(
            self._receipt,
            slices=records,
            rows=rows,
            # More than there are is what the service has counted and not given yet.
            counted_rows=max(
                (each for each in counts if each is not None and each <= rows), default=None
            ),
            calls=sum(each.calls for each in records),
            running_seconds=sum(each.running_seconds for each in records),
            counting_calls=sum(each.counting_calls for each in records),
            wasted_calls=sum(each.wasted_calls for each in records),
            wasted_rows=sum(each.wasted_rows for each in records),
            kept_aside=sum(each.kept_aside for each in records),
            kept_aside_by_column=kept_aside_by_column(
                each for each in pieces if each.record.kept_aside
            ),
            committed_ns=now_ns,
        )

    @property
    def _where(self) -> str:
        return f"{self._receipt.hunt}, partition {self._receipt.partition}"


def _rows(pieces: Iterable[PieceOfFile]) -> int:
    return sum(each.record.rows for each in pieces)


def _within(pieces: Iterable[PieceOfFile], window: Window) -> Iterator[PieceOfFile]:
    return (each for each in pieces if each.record.span.start.instant in window)


def _lies_in(piece: PieceOfFile, windows: Iterable[Window]) -> bool:
    return any(piece.record.span.start.instant in each for each in windows)


def _with_costs(pieces: Sequence[PieceOfFile], records: Sequence[SliceRecord]) -> list[PieceOfFile]:
    """The pieces with what the records cost: each record's on the account of its first piece.

    Those of a record of which nothing is left are on the account of the first of all.
    """
    seen: set[int] = set()
    paid: list[PieceOfFile] = []
    for each in pieces:
        first = each.origin not in seen
        paid.append(each if first else replace(each, record=for_nothing(each.record)))
        seen.add(each.origin)
    gone = [record for origin, record in enumerate(records) if origin not in seen]
    costs = {
        name: getattr(paid[0].record, name) + sum(getattr(each, name) for each in gone)
        for name in ("running_seconds", "calls", "counting_calls", "wasted_calls", "wasted_rows")
    }
    return [replace(paid[0], record=replace(paid[0].record, **costs)), *paid[1:]]

"""The commit of one partition after another, each while the next answer is asked for.

What belongs here: the receipt, the file, the catalogue, and what is then known of the partition.
What does not: what is pulled, and when (``export``, ``slicer``); how a file is written
(``landing``).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.batch import StagedPartition
from pipelines.errors import SchemaChanged
from pipelines.hunt_card import hunt_card
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.lake import LandedColumns, publish
from pipelines.landing import (
    Changes,
    LandedSlice,
    Receipt,
    commit,
    kept_aside_by_column,
    query_sha256,
)
from pipelines.metrics import Attempt
from pipelines.slicer import Slicer
from pipelines.slicing import Partition


@dataclass(frozen=True, slots=True)
class PartitionExport:
    """A committed partition. ``reused``: an earlier export committed it, and no call was made.

    ``changes`` are those from the partition before it, where there is one; ``attempt`` is what this
    export of it took, where it made one.
    """

    partition: Partition
    path: Path
    file_bytes: int
    receipt: Receipt
    schema: pa.Schema
    changes: Changes | None
    reused: bool
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A partition that is being written."""

    each: StagedPartition
    receipt: Receipt
    slicer: Slicer
    written: Future[None]


class Committer:
    """Commits the partitions of one hunt in one tenant, one at a time, on a thread of its own.

    What a partition is made of must be safe on disk, or be the last of its export, before it is
    begun: a kill then loses no more than the answer that is asked for meanwhile.
    """

    def __init__(self, at: HuntInTenant) -> None:
        self._at = at
        self.columns = LandedColumns(at.layout, at.hunt.name)
        self._published = False
        self._under_way: _UnderWay | None = None
        self.settling: Partition | None = None
        """The partition whose commit is under way, or has failed."""

    @property
    def is_under_way(self) -> bool:
        """Whether a partition was begun that nobody was told of."""
        return self._under_way is not None

    def begin(self, each: StagedPartition, slicer: Slicer) -> None:
        """Have a partition written, once the one before it was settled.

        Raises ``RowsMissing`` where fewer rows came than the service had counted.
        """
        receipt = self.receipt_of(each, slicer.counted_rows(each))
        slicer.refuse_missing_rows(each, receipt.rows)
        thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        written = thread.submit(self._write, each.partition, each.in_order(), receipt)
        # It ends with its one piece of work.
        thread.shutdown(wait=False)
        self._under_way = _UnderWay(each, receipt, slicer, written)
        self.settling = each.partition

    def settle(self) -> Iterator[PartitionExport]:
        """Wait for what is under way, and yield it once readers see it.

        Raises what ``commit`` raises, and ``LakeUnwritable`` of the catalogue.
        """
        if self._under_way is None:
            return
        under_way = self._under_way
        wait([under_way.written])
        self._under_way = None
        try:
            under_way.written.result()
        except SchemaChanged:
            # Slices from before and after the change never fit together: start over next time.
            under_way.each.discard()
            raise
        under_way.each.discard()
        self._publish(under_way.each.partition)
        under_way.slicer.learn_partition(under_way.each, under_way.receipt.rows)
        self.settling = None
        yield self.exported(under_way.each.partition, under_way.receipt, reused=False)

    def wait(self) -> None:
        """Let what is being written end, though nobody is to be told of it any more."""
        if self._under_way is not None:
            wait([self._under_way.written])
            self._under_way = None

    def publish_once(self, partition: Partition) -> None:
        """Publish what an earlier run may have committed, and then was killed or had no room."""
        if not self._published:
            self._publish(partition)

    def exported(self, partition: Partition, receipt: Receipt, *, reused: bool) -> PartitionExport:
        """What is known of a committed partition."""
        path = self._at.target(partition)
        size = path.stat().st_size
        schema, changes = pq.read_schema(path), self.columns.changes(path)
        return PartitionExport(partition, path, size, receipt, schema, changes, reused)

    def replace(
        self, partition: Partition, slices: Sequence[LandedSlice], receipt: Receipt
    ) -> PartitionExport:
        """Put what the slices hold in the place of a committed partition, and let readers see it.

        Raises what ``commit`` raises; what was committed before is then still there.
        """
        self._write(partition, slices, receipt)
        self._publish(partition)
        return self.exported(partition, receipt, reused=False)

    def _write(self, partition: Partition, slices: Sequence[LandedSlice], receipt: Receipt) -> None:
        target = self._at.target(partition)
        with self.columns.unchanging(target):
            siblings = self.columns.siblings(target)
            commit(target, slices, receipt=receipt, siblings=siblings)

    def _publish(self, partition: Partition) -> None:
        shapes = self.columns.shapes_of([self._at.target(partition)])
        card = hunt_card(self._at.hunt, self._at.analysis, shapes)
        publish(self._at.layout, self.columns, self._at.tenant.name, cards=[card])
        self._published = True

    def receipt_of(self, each: StagedPartition, counted_rows: int | None) -> Receipt:
        """What a partition is made of that was pulled as a whole."""
        records = tuple(staged.record for staged in each.in_order())
        return Receipt(
            hunt=self._at.hunt.name,
            fingerprint=self._at.hunt.fingerprint,
            query_sha256=query_sha256(self._at.hunt.query),
            tenant=self._at.tenant.name,
            surface=self._at.tenant.surface.name,
            partition=each.partition.key,
            window=each.partition.window,
            verdict=str(self._at.analysis.verdict),
            slices=records,
            rows=sum(record.rows for record in records),
            counted_rows=counted_rows,
            calls=sum(record.calls for record in records),
            running_seconds=sum(record.running_seconds for record in records),
            counting_calls=sum(record.counting_calls for record in records),
            wasted_calls=sum(record.wasted_calls for record in records),
            wasted_rows=sum(record.wasted_rows for record in records),
            kept_aside=sum(record.kept_aside for record in records),
            kept_aside_by_column=kept_aside_by_column(
                landed for landed in each.slices if landed.record.kept_aside
            ),
            committed_ns=self._at.clock.now_ns(),
        )

"""The main loop: plan the next slice, pull it, land it, commit each partition that is whole.

What belongs here: the order of these steps. What does not: any of the steps (``slicing``,
``pull``, ``counting``, ``landing``, ``lake``), or building the parts (``engine``).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import BaseFileLock, FileLock, Timeout

from pipelines.batch import Batch, StagedPartition
from pipelines.errors import SchemaChanged, SchemaClash
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.lake import LandedColumns, publish
from pipelines.landing import (
    Changes,
    Receipt,
    SliceRecord,
    commit,
    kept_aside_by_column,
    partition_schema,
    query_sha256,
    writing,
)
from pipelines.progress import (
    PartitionCommitted,
    PartitionStarted,
    SliceStaged,
    Waiting,
)
from pipelines.slicer import Slicer
from pipelines.slicing import Partition

_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class PartitionExport:
    """A committed partition. ``reused``: an earlier export committed it, and no call was made.

    ``changes`` are those from the partition before it, where there is one.
    """

    partition: Partition
    path: Path
    file_bytes: int
    receipt: Receipt
    schema: pa.Schema
    changes: Changes | None
    reused: bool


class Exporter:
    """Exports partitions of one hunt from one tenant into the lake."""

    def __init__(self, at: HuntInTenant) -> None:
        self._at = at
        self._columns = LandedColumns(at.layout, at.hunt.name)
        self._published = False

    def export(
        self, partitions: Sequence[Partition], *, refresh: bool = False
    ) -> Iterator[PartitionExport]:
        """Export the partitions one after another, yielding each as readers begin to see it.

        A partition that an earlier export of the same query committed is not pulled again unless
        ``refresh`` says so. Raises an ``ExportError`` at the first partition that can't be
        completed: those yielded before it stay committed, and slices staged for it stay staged.
        """
        for adjacent in self._at.adjacent(partitions):
            with self._alone(adjacent) as release:
                for exported in self._export(adjacent, refresh=refresh):
                    release(exported.partition)
                    self._tell_committed(exported)
                    yield exported

    def _export(
        self, partitions: Sequence[Partition], *, refresh: bool
    ) -> Iterator[PartitionExport]:
        """Export adjacent partitions: what is committed stays, and the rest is pulled together."""
        pending: list[StagedPartition] = []
        for partition in partitions:
            committed = self._at.committed(partition)
            if committed:
                self._publish_once()
                self._discard_leftovers(partition, committed, refresh=refresh)
            if committed and not refresh:
                if pending:
                    yield from self._pull_and_commit(Batch(pending))
                    pending = []
                yield self._exported(partition, committed, reused=True)
            else:
                pending.append(self._staged(partition))
        if pending:
            yield from self._pull_and_commit(Batch(pending))

    def _discard_leftovers(
        self, partition: Partition, committed: Receipt, *, refresh: bool
    ) -> None:
        """Remove what a run has staged that was killed once it had committed it.

        A refresh must not take that for slices of its own; those that it has it goes on with.
        """
        staged = self._at.staged(partition)
        are_committed = any(each.record in committed.slices for each in staged.slices)
        if are_committed or not refresh:
            staged.staging.discard()

    def _staged(self, partition: Partition) -> StagedPartition:
        """The partition with what an earlier run has staged, if that still fits the others.

        Where it didn't fit, and still doesn't, it is pulled anew: should the service have erred, it
        may be right this time.
        """
        staged = self._at.staged(partition)
        if staged.slices:
            siblings = self._columns.siblings(self._at.target(partition))
            try:
                partition_schema(staged.in_order(), siblings, where="")
            except (SchemaChanged, SchemaClash):
                staged.discard()
                return self._at.staged(partition)
        return staged

    def _pull_and_commit(self, batch: Batch) -> Iterator[PartitionExport]:
        caller = self._at.caller(batch.partitions[0].partition)
        slicer = Slicer(caller, batch, self._at.layout)
        slicer.room().probe()
        for each in batch.partitions:
            self._tell_started(each)
        try:
            for each in batch.partitions:
                caller.partition = each.partition
                while each.rests:
                    for partition, landed in slicer.pull_next():
                        self._tell_staged(partition.partition, landed.record, slicer.calls_left)
                yield self._commit(each, slicer)
        finally:
            batch.put_down()
        slicer.finish()

    def _commit(self, each: StagedPartition, slicer: Slicer) -> PartitionExport:
        receipt = self._receipt(each, slicer.counted_rows(each))
        try:
            slicer.refuse_missing_rows(each, receipt.rows)
            target = self._at.target(each.partition)
            with self._columns.unchanging():
                siblings = self._columns.siblings(target)
                commit(target, each.in_order(), receipt=receipt, siblings=siblings)
        except SchemaChanged:
            # Slices from before and after the change never fit together: start over next time.
            each.discard()
            raise
        each.discard()
        self._publish()
        slicer.learn_partition(each, receipt.rows)
        return self._exported(each.partition, receipt, reused=False)

    def _publish_once(self) -> None:
        """Publish what an earlier run may have committed, and then was killed or had no room."""
        if not self._published:
            self._publish()

    def _publish(self) -> None:
        publish(self._at.layout, self._columns)
        self._published = True

    @contextmanager
    def _alone(self, partitions: Sequence[Partition]) -> Iterator[Callable[[Partition], None]]:
        """Keep other exports of the same partitions out; they find them committed.

        Yields what lets them in again, partition by partition. All take the locks oldest first, so
        that no two wait for each other.
        """
        locks: dict[str, BaseFileLock] = {}
        with ExitStack() as held:
            for partition in partitions:
                lock = self._lock(partition)
                held.callback(lock.release)
                locks[partition.key] = lock
            yield lambda partition: locks[partition.key].release()

    def _lock(self, partition: Partition) -> BaseFileLock:
        path = self._at.layout.partition_lock(self._at.hunt.name, self._at.tenant.id, partition)
        lock = FileLock(path, thread_local=False)
        told = False
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            while not _acquired(lock):
                if not told:
                    reason = "another export of this partition is under way"
                    self._at.observer(Waiting(self._at.hunt.name, partition.key, reason, None))
                    told = True
                self._at.clock.sleep(_POLL_SECONDS)
        return lock

    def _receipt(self, each: StagedPartition, counted_rows: int | None) -> Receipt:
        records = tuple(staged.record for staged in each.in_order())
        return Receipt(
            hunt=self._at.hunt.name,
            fingerprint=self._at.hunt.fingerprint,
            query_sha256=query_sha256(self._at.hunt.query),
            tenant=self._at.tenant.id,
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

    def _exported(self, partition: Partition, receipt: Receipt, *, reused: bool) -> PartitionExport:
        path = self._at.target(partition)
        size = path.stat().st_size
        schema, changes = pq.read_schema(path), self._columns.changes(path)
        return PartitionExport(partition, path, size, receipt, schema, changes, reused)

    def _tell_started(self, each: StagedPartition) -> None:
        partition = each.partition
        self._at.observer(
            PartitionStarted(self._at.hunt.name, partition.key, partition.window, each.spans)
        )

    def _tell_staged(self, partition: Partition, record: SliceRecord, left: int) -> None:
        self._at.observer(
            SliceStaged(
                self._at.hunt.name,
                partition.key,
                record.span,
                record.rows,
                record.body_bytes,
                record.running_seconds,
                left,
            )
        )

    def _tell_committed(self, exported: PartitionExport) -> None:
        partition, receipt = exported.partition, exported.receipt
        self._at.observer(
            PartitionCommitted(
                self._at.hunt.name,
                partition.key,
                partition.window,
                receipt.rows,
                receipt.calls,
                exported.reused,
            )
        )


def _acquired(lock: BaseFileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True

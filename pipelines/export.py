"""The main loop: plan the next slice, pull it, land it, commit each partition that is whole.

What belongs here: the order of these steps. What does not: any of the steps (``slicing``,
``pull``, ``counting``, ``landing``, ``lake``), or building the parts (``engine``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelines.alone import alone
from pipelines.batch import Batch, StagedPartition
from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.committing import Committer, PartitionExport
from pipelines.errors import HuntlakeError, PartitionRefused, SchemaChanged, SchemaClash
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.landing import (
    HeldSlice,
    LandedSlice,
    Receipt,
    partition_schema,
    read_receipt,
    use_system_allocator,
)
from pipelines.metrics import Meter
from pipelines.progress import (
    PartitionCommitted,
    PartitionNotCommitted,
    PartitionStarted,
    SliceStaged,
    TryingLater,
)
from pipelines.pull import HasToWait, Spent
from pipelines.slicer import Slicer
from pipelines.slicing import Partition


class Exporter:
    """Exports partitions of one hunt from one tenant into the lake."""

    def __init__(self, at: HuntInTenant, *, run: str | None = None) -> None:
        self._meter = Meter(at, run)
        self._at = at = replace(at, observer=self._meter)
        self._committer = Committer(at)

    def export(
        self, partitions: Sequence[Partition], *, refresh: bool = False
    ) -> Iterator[PartitionExport]:
        """Export the partitions one after another, yielding each as readers begin to see it.

        A partition that an earlier export of the same query committed is not pulled again unless
        ``refresh`` says so. Raises an ``ExportError`` at the first partition that can't be
        completed: those yielded before it stay committed, and slices staged for it stay staged.
        """
        use_system_allocator()
        for adjacent in self._due(partitions):
            with alone(self._at, adjacent) as release:
                for exported in self._export(adjacent, refresh=refresh):
                    release(exported.partition)
                    self._tell_committed(exported)
                    yield replace(exported, attempt=self._meter.taken(exported.partition))

    def _due(self, partitions: Sequence[Partition]) -> Iterator[Sequence[Partition]]:
        """Runs of partitions that may be exported now; see ``HuntInTenant.adjacent``."""
        given = 0
        try:
            for adjacent in self._at.adjacent(partitions):
                given += len(adjacent)
                yield adjacent
        except PartitionRefused as error:
            self._tell_not_committed(partitions[given], error, Spent())
            raise

    def landed(self, partition: Partition) -> PartitionExport | None:
        """What the lake has of a partition, of whichever query; ``None``: nothing."""
        receipt = read_receipt(self._at.target(partition))
        if receipt is None:
            return None
        return self._committer.exported(partition, receipt, reused=True)

    def pause(self, partition: Partition, seconds: float, why: HuntlakeError) -> None:
        """Wait before a partition is tried again that failed in a way that may pass."""
        until_ns = self._at.clock.now_ns() + round(seconds * NANOSECONDS_PER_SECOND)
        self._at.observer(TryingLater(self._at.hunt.name, partition.key, until_ns, str(why)))
        self._at.clock.sleep(seconds)

    def _export(
        self, partitions: Sequence[Partition], *, refresh: bool
    ) -> Iterator[PartitionExport]:
        """Export adjacent partitions: what is committed stays, and the rest is pulled together."""
        pending: list[StagedPartition] = []
        for partition in partitions:
            committed = self._at.committed(partition)
            if committed:
                self._committer.publish_once(partition)
                self._discard_leftovers(partition, committed, refresh=refresh)
            if committed and not refresh:
                if pending:
                    yield from self._pull_and_commit(Batch(pending))
                    pending = []
                yield self._committer.exported(partition, committed, reused=True)
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
            siblings = self._committer.columns.siblings(self._at.target(partition))
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
                    yield from self._pull_next(slicer)
                yield from self._committer.settle()
                self._committer.begin(each, slicer)
            yield from self._committer.settle()
        except BaseException as error:
            failed = self._committer.settling or caller.partition
            self._tell_not_committed(failed, error, caller.take_spent())
            raise
        finally:
            self._committer.wait()
            batch.put_down()
        slicer.finish()

    def _pull_next(self, slicer: Slicer) -> Iterator[PartitionExport]:
        """Pull the next slice while a commit goes on; yields what is then committed.

        Nobody is to hear of it an hour late because the next call has to wait for its quota.
        """
        slicer.caller.may_wait = not self._committer.is_under_way
        try:
            for partition, landed in slicer.pull_next():
                self._tell_staged(partition.partition, landed, slicer.calls_left)
        except HasToWait:
            pass
        except HuntlakeError:
            yield from self._committer.settle()
            raise
        yield from self._committer.settle()

    def _tell_started(self, each: StagedPartition) -> None:
        partition = each.partition
        self._at.observer(
            PartitionStarted(self._at.hunt.name, partition.key, partition.window, each.spans)
        )

    def _tell_staged(self, partition: Partition, landed: LandedSlice, left: int) -> None:
        record = landed.record
        self._at.observer(
            SliceStaged(
                self._at.hunt.name,
                partition.key,
                record.span,
                record.rows,
                record.body_bytes,
                record.running_seconds,
                left,
                held=isinstance(landed, HeldSlice),
                calls=record.calls,
                counting_calls=record.counting_calls,
                wasted_calls=record.wasted_calls,
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
                exported.file_bytes,
            )
        )

    def _tell_not_committed(self, partition: Partition, error: BaseException, spent: Spent) -> None:
        self._at.observer(
            PartitionNotCommitted(
                self._at.hunt.name,
                partition.key,
                partition.window,
                error,
                spent.calls,
                spent.counting_calls,
                spent.wasted_calls,
                spent.seconds,
            )
        )

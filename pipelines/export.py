"""The main loop: plan the slices of a partition, pull them, land them, commit, prove.

What belongs here: the order of these steps. What does not: any of the steps (``slicing``, ``pull``,
``landing``, ``lake``), or building the parts (``engine``).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from pipelines.admission import refuse_other_partitioning, refuse_unless_due
from pipelines.clock import Clock, now_ticks
from pipelines.errors import SchemaChanged
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, analyse
from pipelines.lake import LakeLayout, publish
from pipelines.landing import Receipt, StagedSlice, Staging, commit, query_sha256, read_receipt
from pipelines.progress import (
    Observer,
    PartitionCommitted,
    PartitionStarted,
    SliceStaged,
    Waiting,
)
from pipelines.pull import SlicePuller, Tenant, Waste
from pipelines.slicing import Partition, Plan

_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class PartitionExport:
    """A committed partition. ``reused``: an earlier export committed it, and no call was made."""

    partition: Partition
    path: Path
    file_bytes: int
    receipt: Receipt
    schema: pa.Schema
    reused: bool


class Exporter:
    """Exports partitions of one hunt from one tenant into the lake."""

    def __init__(
        self,
        hunt: Hunt,
        tenant: Tenant,
        *,
        layout: LakeLayout,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._hunt = hunt
        self._tenant = tenant
        self._layout = layout
        self._clock = clock
        self._observer = observer
        self._analysis: Analysis = analyse(hunt.query, time_column=hunt.export.time_column)

    def export(
        self, partitions: Sequence[Partition], *, refresh: bool = False
    ) -> Iterator[PartitionExport]:
        """Export the partitions one after another, yielding each as readers begin to see it.

        A partition that an earlier export of the same query committed is not pulled again unless
        ``refresh`` says so. Raises an ``ExportError`` at the first partition that can't be
        completed: those yielded before it stay committed, and slices staged for it stay staged.
        """
        for partition in partitions:
            exported = self._export_one(partition, refresh=refresh)
            receipt = exported.receipt
            calls = 0 if exported.reused else receipt.calls
            self._observer(
                PartitionCommitted(
                    self._hunt.name, partition.key, partition.window, receipt.rows, calls
                )
            )
            yield exported

    def _export_one(self, partition: Partition, *, refresh: bool) -> PartitionExport:
        refuse_unless_due(
            self._hunt,
            self._analysis,
            partition,
            now=now_ticks(self._clock),
            data_age_days=self._tenant.limits.data_age_days,
        )
        refuse_other_partitioning(self._hunt, partition, self._layout, self._tenant.id)
        target = self._layout.partition_file(self._hunt.name, self._tenant.id, partition)
        with self._alone(partition):
            staging = self._staging(partition)
            committed = read_receipt(target)
            if committed and committed.fingerprint == self._hunt.fingerprint and not refresh:
                staging.discard()
                return _exported(partition, target, committed, reused=True)
            receipt = self._pull_and_commit(partition, target, staging)
        return _exported(partition, target, receipt, reused=False)

    @contextmanager
    def _alone(self, partition: Partition) -> Iterator[None]:
        """Keep other exports of the same partition out; the second finds it committed."""
        path = self._layout.partition_lock(self._hunt.name, self._tenant.id, partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, thread_local=False)
        told = False
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                if not told:
                    reason = "another export of this partition is under way"
                    self._observer(Waiting(self._hunt.name, partition.key, reason, None))
                    told = True
                self._clock.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _pull_and_commit(self, partition: Partition, target: Path, staging: Staging) -> Receipt:
        puller = SlicePuller(
            self._hunt, self._analysis, self._tenant, partition, self._clock, self._observer
        )
        slices = self._pull(partition, staging, puller)
        receipt = self._receipt(partition, slices, puller.waste)
        try:
            commit(target, slices, receipt=receipt, schema_hint=self._schema_of_latest())
        except SchemaChanged:
            # Slices from before and after the change never fit together: start over next time.
            staging.discard()
            raise
        publish(self._layout)
        staging.discard()
        return receipt

    def _pull(
        self, partition: Partition, staging: Staging, puller: SlicePuller
    ) -> list[StagedSlice]:
        """Every slice of the partition, staged; those that an earlier run staged are kept."""
        slices = staging.slices()
        staged = tuple(each.record.window for each in slices)
        self._observer(PartitionStarted(self._hunt.name, partition.key, partition.window, staged))
        plan = Plan.remaining(partition.window, staged)
        while plan.first is not None:
            pulled = puller.pull(plan.first)
            if pulled is None:
                plan = plan.halved()
                continue
            slices.append(
                staging.write(pulled.answer, pulled.record, time_column=self._time_column)
            )
            plan = plan.without_first()
            self._tell_staged(partition, slices[-1], plan)
        return sorted(slices, key=lambda each: each.record.window)

    def _tell_staged(self, partition: Partition, staged: StagedSlice, plan: Plan) -> None:
        record = staged.record
        self._observer(
            SliceStaged(
                self._hunt.name,
                partition.key,
                record.window,
                record.rows,
                record.body_bytes,
                record.running_seconds,
                len(plan.slices),
            )
        )

    def _receipt(
        self, partition: Partition, slices: Sequence[StagedSlice], waste: Waste
    ) -> Receipt:
        records = tuple(each.record for each in slices)
        return Receipt(
            hunt=self._hunt.name,
            fingerprint=self._hunt.fingerprint,
            query_sha256=query_sha256(self._hunt.query),
            tenant=self._tenant.id,
            surface=self._tenant.surface.name,
            partition=partition.key,
            window=partition.window,
            verdict=str(self._analysis.verdict),
            slices=records,
            rows=sum(record.rows for record in records),
            calls=sum(record.calls for record in records) + waste.calls,
            running_seconds=sum(record.running_seconds for record in records)
            + waste.running_seconds,
            wasted_calls=waste.calls,
            wasted_rows=waste.rows,
            kept_aside=sum(record.kept_aside for record in records),
            committed_ns=self._clock.now_ns(),
        )

    def _staging(self, partition: Partition) -> Staging:
        surface = self._tenant.surface.name
        return Staging(self._layout.staging_folder(self._hunt, self._tenant.id, surface, partition))

    def _schema_of_latest(self) -> pa.Schema | None:
        """The schema of the hunt's newest partition: an empty answer may come without one."""
        folder = self._layout.hunt_folder(self._hunt.name, self._tenant.id)
        files = sorted(folder.rglob("*.parquet"))
        return pq.read_schema(files[-1]) if files else None

    @property
    def _time_column(self) -> str | None:
        tables = self._analysis.event_tables
        return tables[0].time_column if tables else None


def _exported(
    partition: Partition, path: Path, receipt: Receipt, *, reused: bool
) -> PartitionExport:
    size = path.stat().st_size
    return PartitionExport(partition, path, size, receipt, pq.read_schema(path), reused)

"""One hunt in one tenant: where its partitions lie, and which may be exported now, in which runs.

What belongs here: what exporting, planning and verifying a hunt share. What does not: any of the
three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.admission import refuse_other_partitioning, refuse_unless_due
from pipelines.batch import StagedPartition
from pipelines.clock import Clock, now_ticks
from pipelines.errors import PartitionRefused
from pipelines.hunt_analysis import analyse_hunt
from pipelines.hunts import Hunt
from pipelines.kql import Analysis
from pipelines.lake import LakeLayout
from pipelines.landing import Receipt, Staging, read_receipt
from pipelines.progress import Observer
from pipelines.pull import Caller, Tenant
from pipelines.slicing import Partition

# Each holds a lock file open until it is committed, and many systems allow a process 1,024 files.
MOST_TOGETHER: Final = 200


@dataclass(frozen=True, slots=True)
class HuntInTenant:
    """A hunt and the tenant that it asks."""

    hunt: Hunt
    tenant: Tenant
    layout: LakeLayout
    clock: Clock
    observer: Observer
    analysis: Analysis = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "analysis", analyse_hunt(self.hunt))

    def target(self, partition: Partition) -> Path:
        """The partition's file in the lake, there or not."""
        return self.layout.partition_file(self.hunt.name, self.tenant.name, partition)

    def committed(self, partition: Partition) -> Receipt | None:
        """The receipt of the partition, where it was exported of the hunt as it is."""
        receipt = read_receipt(self.target(partition))
        return receipt if receipt and receipt.fingerprint == self.hunt.fingerprint else None

    def staging(self, partition: Partition) -> Staging:
        """Where the partition's slices wait."""
        surface = self.tenant.surface.name
        return Staging(self.layout.staging_folder(self.hunt, self.tenant.name, surface, partition))

    def staged(self, partition: Partition) -> StagedPartition:
        """The partition with what an earlier run has staged of it."""
        return StagedPartition.found(partition, self.staging(partition))

    def caller(self, partition: Partition, *, interactive: bool = False) -> Caller:
        """What asks the service, beginning with a partition; ``interactive``: a person waits."""
        return Caller(
            self.hunt,
            self.analysis,
            self.tenant,
            partition,
            self.clock,
            self.observer,
            interactive=interactive,
        )

    def refuse(self, partition: Partition) -> None:
        """Raise ``PartitionRefused`` where the partition may not be exported now."""
        refuse_unless_due(
            self.hunt,
            self.analysis,
            partition,
            now=now_ticks(self.clock),
            data_age_days=self.tenant.limits.data_age_days,
        )
        refuse_other_partitioning(self.hunt, partition, self.layout, self.tenant.name)

    def adjacent(self, partitions: Sequence[Partition]) -> Iterator[list[Partition]]:
        """The partitions in runs of those that one call may span.

        Raises ``PartitionRefused`` at the first that may not be exported, after those before it.
        """
        run: list[Partition] = []
        for partition in partitions:
            try:
                self.refuse(partition)
            except PartitionRefused:
                if run:
                    yield run
                raise
            if run and (len(run) == MOST_TOGETHER or not self.may_span(run[-1], partition)):
                yield run
                run = []
            run.append(partition)
        if run:
            yield run

    def may_span(self, earlier: Partition, later: Partition) -> bool:
        """Whether one call may bring rows of both: they can be told apart in its answer.

        Not where ``now()`` ties the hunt to its partition's end, where the answer has lost its
        time, or where a bin lies in both.
        """
        border = later.window.start
        return (
            earlier.window.end == border
            and self.analysis.time_column is not None
            and self.analysis.grid is not None
            and self.analysis.grid.floor(border) == border
            and not self.analysis.uses_now
        )

"""The lake's retention: each night, partitions that are older than their hunt lets them stay.

What belongs here: the job, its schedule, and what Dagster is told of what was removed. What does
not: which they are (``pipelines.retention``). Like all schedules this one starts switched off, so
that nothing is removed before somebody has switched it on.
"""

from typing import Final

import dagster as dg

from assets.catalogue import TenantHunts
from assets.failures import failure_of
from assets.schedules import upkeep_schedule
from pipelines.clock import Clock, SystemClock
from pipelines.errors import HuntlakeError
from pipelines.retention import retain
from pipelines.tenants import load_tenants

# After the night's loads.
_HOUR: Final = 7


def retention_job(hunts: TenantHunts, clock: Clock | None = None) -> dg.JobDefinition:
    """Removes what has outlived the retention of its hunt, in this tenant alone."""

    @dg.op(name=f"{hunts.label}__remove_outlived")
    def remove_outlived(context: dg.OpExecutionContext) -> None:
        try:
            for each in retain(
                hunts.catalogue.hunts.values(),
                hunts.layout,
                clock or SystemClock(),
                data_age_days=load_tenants().tenant(hunts.tenant).limits().data_age_days,
                tenant=hunts.tenant,
                delete=True,
            ):
                for gone in each.outlived:
                    context.log_event(
                        dg.AssetObservation(
                            hunts.key(each.hunt),
                            partition=gone.partition.key,
                            description="removed, as it was older than its hunt lets it stay",
                            metadata={"rows": gone.receipt.rows, "bytes": gone.file_bytes},
                        )
                    )
        except HuntlakeError as error:
            # Without its cause: the message says it, and Dagster would show a page of frames.
            raise failure_of(error, tenant=hunts.tenant) from None

    @dg.job(
        name=f"{hunts.label}__retention",
        executor_def=dg.in_process_executor,
        description="Removes partitions that are older than their hunt's `retention:`.",
    )
    def retention() -> None:
        remove_outlived()

    return retention


def retention_schedule(hunts: TenantHunts, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Each night after the loads, at a minute of the tenant's own."""
    return upkeep_schedule(hunts, job, hour=_HOUR)

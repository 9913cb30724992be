"""The recount of each night: what reached the service late is found, and pulled again.

What belongs here: the job, its schedule, and what Dagster is told of each partition. What does
not: finding and pulling (``pipelines.late``), or the history of counts, a journal beside the lake.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.catalogue import TenantHunts
from assets.failures import failure_of
from assets.resources import EngineResource
from assets.schedules import upkeep_schedule
from assets.watching import RunLog
from pipelines.errors import HuntlakeError
from pipelines.late import Recount

# After the night's loads, which begin within two hours once a day has settled.
_HOUR = 6


def recount_job(hunts: TenantHunts) -> dg.JobDefinition:
    """Counts all provisional partitions of the tenant's hunts again, many in one call."""

    @dg.op(name=f"{hunts.label}__recount_hunts", pool=hunts.pool)
    def recount_hunts(context: dg.OpExecutionContext, engine: EngineResource) -> None:
        try:
            with engine.open(hunts.tenant) as opened:
                for each in opened.recount(
                    list(hunts.catalogue.hunts.values()),
                    observer=RunLog(context.log, opened.clock),
                ):
                    context.log_event(_told(hunts, each))
        except HuntlakeError as error:
            # Without its cause: the message says it, and Dagster would show a page of frames.
            raise failure_of(error, tenant=hunts.tenant) from None

    @dg.job(
        name=f"{hunts.label}__recount",
        executor_def=dg.in_process_executor,
        description=(
            "Counts committed partitions again, many in one call, and pulls again what grew since, "
            "until no more is to be expected."
        ),
    )
    def recount() -> None:
        recount_hunts()

    return recount


def recount_schedule(hunts: TenantHunts, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Each night after the loads, at a minute of the tenant's own."""
    return upkeep_schedule(hunts, job, hour=_HOUR)


def _told(hunts: TenantHunts, each: Recount) -> dg.AssetMaterialization | dg.AssetObservation:
    """A partition that was replaced is materialized anew; one that was counted is observed."""
    key = hunts.key(each.hunt)
    if each.late_rows:
        rows = {"dagster/partition_row_count": each.landed_rows + each.late_rows}
        return dg.AssetMaterialization(
            key,
            partition=each.partition,
            description=each.what,
            metadata={**rows, **_metadata(each)},
        )
    return dg.AssetObservation(
        key, partition=each.partition, description=each.what, metadata=_metadata(each)
    )


def _metadata(each: Recount) -> Mapping[str, Any]:
    return {
        "rows_counted": each.counted_rows,
        "late_rows": each.late_rows,
        "settled": each.settled,
        "bins_grown": each.bins_grown,
        "bins_shrunk": each.bins_shrunk,
        "calls": each.calls,
        "running_seconds": round(each.running_seconds, 3),
    }

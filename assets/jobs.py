"""Jobs: one for each hunt, which schedules and the catch-up sensor start.

What belongs here: what a run loads, and how it is asked for several partitions. What does not: when
(``schedules``, ``sensors``).
"""

from typing import Final

import dagster as dg

# What `define_asset_job` returns: Dagster gives the type no public name.
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition as AssetJob,
)

from assets.catalogue import TenantHunts
from pipelines.hunts import Hunt
from pipelines.slicing import Partition

__all__ = ["RANGE_END", "RANGE_START", "AssetJob", "load_job", "request"]

# The tags with which Dagster itself launches a backfill of a range in one run.
RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"


def load_job(hunts: TenantHunts, hunt: Hunt) -> AssetJob:
    """The job that loads one hunt: one for all would need all partitions to start on one day.

    It has a single step, for which a process of its own would be two seconds and 170 MB more.
    """
    return dg.define_asset_job(
        f"{hunts.label}__{hunt.name}__load",
        selection=dg.AssetSelection.assets(hunts.key(hunt.name)),
        executor_def=dg.in_process_executor,
        description=f"Loads partitions of {hunt.name}, as its schedule and the catch-up ask for.",
    )


def request(job: AssetJob, first: Partition, last: Partition, *, run_key: str) -> dg.RunRequest:
    """One run for all partitions from the first to the last."""
    if first == last:
        return dg.RunRequest(run_key=run_key, job_name=job.name, partition_key=first.key)
    tags = {RANGE_START: first.key, RANGE_END: last.key}
    return dg.RunRequest(run_key=run_key, job_name=job.name, tags=tags)

"""Runs: which job they are of, how they run, and how one is asked for several partitions.

What belongs here: what schedules and sensors ask for. What does not: when (``schedules``,
``sensors``).

All runs are of Dagster's own job of all assets, and say which of them they load. A job for each
hunt takes 10 ms to make among five hundred, since each looks at all assets: with a hundred tenants
that would be most of the time in which a code location loads.
"""

from typing import Any, Final

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME as ALL_ASSETS

from pipelines.slicing import Partition

__all__ = ["ALL_ASSETS", "RANGE_END", "RANGE_START", "request", "side_by_side"]

# The tags with which Dagster itself launches a backfill of a range in one run.
RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"

_ALONE: Final = "alone"


@dg.configured(
    dg.multi_or_in_process_executor,
    config_schema={_ALONE: dg.Field(bool, default_value=False)},
)
def side_by_side(config: dict[str, Any]) -> dict[str, Any]:
    """Hunts of one run side by side, or in the run's own process, where there is but one.

    Dagster puts a backfill of several hunts into one run. One after another, the last hunt's oldest
    days would be gone before its turn; side by side, they all wait at the gate, which lets go first
    what expires first. Forked off one process that has loaded everything, they share its memory.
    For a single hunt a process of its own would be two seconds and 170 MB more.
    """
    if config[_ALONE]:
        return {"in_process": {}}
    forked = {"forkserver": {"preload_modules": ["assets"]}}
    return {"multiprocess": {"max_concurrent": 6, "start_method": forked}}


def request(key: dg.AssetKey, first: Partition, last: Partition, *, run_key: str) -> dg.RunRequest:
    """One run of one hunt for all partitions from the first to the last."""
    one = first == last
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[key],
        partition_key=first.key if one else None,
        tags={} if one else {RANGE_START: first.key, RANGE_END: last.key},
        run_config={"execution": {"config": {_ALONE: True}}},
    )

"""Schedules: every night, each hunt's last whole UTC day.

What belongs here: when exports run by themselves. What does not: which partitions exist.
Schedules start stopped, as Dagster's do: switch them on in the page, under Automation.
"""

import zlib
from datetime import UTC, timedelta
from typing import Final

import dagster as dg

from assets.catalogue import TenantHunts
from pipelines.hunts import Hunt
from pipelines.slicing import DAILY_KEY_FORMAT

# Late enough after midnight UTC that most of the day's events have reached the service.
_HOUR: Final = 2

# The tags with which Dagster itself launches a backfill of a range in one run.
_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"


def nightly_schedule(hunts: TenantHunts, hunt: Hunt) -> dg.ScheduleDefinition:
    """The hunt's schedule, with a job of its own.

    One job for all would need all their partitions to start on one day. The minute is drawn from
    the name, so that the hunts of a night don't all start, and queue, at once.
    """
    key = hunts.key(hunt.name)
    name = f"{hunts.label}__{hunt.name}__nightly"
    job = dg.define_asset_job(f"{name}_job", selection=dg.AssetSelection.assets(key))
    minute = zlib.crc32(hunt.name.encode()) % 60

    @dg.schedule(
        name=name, job=job, cron_schedule=f"{minute} {_HOUR} * * *", execution_timezone="UTC"
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Exports the UTC day before the night; of a snapshot, the night's own."""
        night = context.scheduled_execution_time.astimezone(UTC).date()
        if hunt.export.partitions == "snapshot":
            return _one(f"{night:{DAILY_KEY_FORMAT}}")
        yesterday = f"{night - timedelta(days=1):{DAILY_KEY_FORMAT}}"
        return _hours(yesterday) if hunt.export.partitions == "hourly" else _one(yesterday)

    return nightly


def _one(day: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=day, partition_key=day)


def _hours(day: str) -> dg.RunRequest:
    """All hours of the day in one run."""
    hours = {_RANGE_START: f"{day}-00:00", _RANGE_END: f"{day}-23:00"}
    return dg.RunRequest(run_key=day, tags=hours)

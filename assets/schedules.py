"""Schedules: each hunt's partitions, as soon as they have settled.

What belongs here: when exports run by themselves. What does not: which partitions are due
(``pipelines.missing``), or what was missed (``sensors``). Schedules start stopped, as Dagster's do:
a fresh checkout spends nobody's quota. Switch them on in the page, under Automation, or all at once
with ``dagster schedule start --start-all``, for which ``DAGSTER_HOME`` must be set.
"""

import zlib
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.catalogue import TenantHunts
from assets.running import ALL_ASSETS, request
from pipelines.hunts import Hunt
from pipelines.missing import due_between
from pipelines.schedule import HOURLY, NIGHTLY
from pipelines.windows import instant_from_datetime

# Nights begin within this time after a day has settled. The minute is drawn from tenant and hunt,
# so that they don't all start, and queue, at once: each run that waits is a process of 200 MB.
SPREAD: Final = timedelta(hours=2)

_DAY_MINUTES: Final = 24 * 60
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


def load_schedule(hunts: TenantHunts, hunt: Hunt) -> dg.ScheduleDefinition | None:
    """The hunt's schedule; none where its file says so."""
    schedule = hunt.export.schedule
    if schedule is None:
        return None
    cron = cron_of(hunts, hunt, schedule)
    kind = schedule if schedule in {NIGHTLY, HOURLY} else "cron"
    # Its windows are what lies between two ticks.
    ticks = dg.TimeWindowPartitionsDefinition(
        start=_LONG_AGO, fmt="%Y-%m-%dT%H:%M", cron_schedule=cron, timezone="UTC"
    )

    @dg.schedule(
        name=f"{hunts.label}__{hunt.name}__{kind}",
        job_name=ALL_ASSETS,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=f"Loads partitions of {hunt.name} that have settled since the last time.",
    )
    def load(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        tick = context.scheduled_execution_time.astimezone(UTC)
        since = ticks.get_prev_partition_window(tick, respect_bounds=False)
        before = tick - _DAY if since is None else since.start
        due = due_between(hunt, instant_from_datetime(before), instant_from_datetime(tick))
        if not due:
            return dg.SkipReason("no partition has settled since the last time")
        return request(hunts.key(hunt.name), due[0], due[-1], run_key=due[-1].key)

    return load


def upkeep_schedule(
    hunts: TenantHunts, job: dg.JobDefinition | UnresolvedAssetJobDefinition, *, hour: int
) -> dg.ScheduleDefinition:
    """A job of a tenant's own each night, at a minute drawn from its name."""
    minute = zlib.crc32(hunts.tenant.encode()) % 60
    return dg.ScheduleDefinition(
        name=f"{job.name}__nightly",
        job=job,
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone="UTC",
    )


def cron_of(hunts: TenantHunts, hunt: Hunt, schedule: str) -> str:
    """The cron schedule of a hunt, in UTC."""
    drawn = zlib.crc32(f"{hunts.tenant}/{hunt.name}".encode()) % (SPREAD // _MINUTE)
    if schedule == HOURLY:
        return f"{drawn % 60} * * * *"
    if schedule != NIGHTLY:
        return schedule
    minute = hunt.export.settle // _MINUTE + drawn
    if hunt.export.partitions == "snapshot":
        # It can only be taken on its own day.
        return _daily(min(minute, _DAY_MINUTES - 1))
    return _daily(minute % _DAY_MINUTES)


def _daily(minute: int) -> str:
    return f"{minute % 60} {minute // 60} * * *"

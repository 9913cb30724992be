"""The catch-up sensor: what should have been loaded and never was, since the machine was off.

What belongs here: asking for it, oldest first. What does not: finding it (``pipelines.missing``).
It looks at the lake's files, and not at Dagster's records: what was exported by the command line is
there, and a new Dagster knows nothing of what an earlier one did. Like a schedule it starts
stopped; switch it on in the page, or with ``dagster sensor start --start-all``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import dagster as dg

from assets.catalogue import TenantHunts
from assets.running import ALL_ASSETS, RANGE_END, RANGE_START, request
from assets.schedules import SPREAD
from pipelines.clock import Clock, SystemClock, now_ticks
from pipelines.hunts import Hunt
from pipelines.missing import never_loaded, runs_of
from pipelines.slicing import Partition
from pipelines.tenants import load_tenants
from pipelines.windows import TICKS_PER_SECOND, format_instant, instant_from_datetime

_EVERY: Final = timedelta(minutes=15)
# So long after a partition is due it is taken for missed: its schedule has come round, and the run
# that it started is seen.
_GRACE: Final = SPREAD + timedelta(hours=1)
# In one tick of one tenant. What is left is asked for at the next.
_MOST_REQUESTS: Final = 10
# As many partitions that are there may lie in a run for those that are not.
_JOINED: Final = 24
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND

_UNDER_WAY: Final = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A stretch of one hunt's partitions that are missing."""

    hunt: Hunt
    first: Partition
    last: Partition
    expires: int

    @property
    def order(self) -> tuple[int, str]:
        """What expires first comes first."""
        return self.expires, self.hunt.name


def catch_up_sensor(hunts: TenantHunts, clock: Clock | None = None) -> dg.SensorDefinition:
    """The sensor of one tenant's hunts."""

    @dg.sensor(
        name=f"{hunts.label}__catch_up",
        job_name=ALL_ASSETS,
        minimum_interval_seconds=round(_EVERY.total_seconds()),
        description=(
            "Asks for partitions that are due, are not in the lake, can still be had and are in no "
            "run under way; those that expire first come first. The same stretch is asked for once "
            "a day, however it ends."
        ),
    )
    def catch_up(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = now_ticks(clock or SystemClock())
        wanted = _wanted(hunts, context.instance, now)
        if not wanted:
            return dg.SkipReason("nothing is missing that is due and can still be had")
        today = format_instant(now)[:10]
        return dg.SensorResult(
            run_requests=[
                request(
                    hunts.key(each.hunt.name),
                    each.first,
                    each.last,
                    run_key=f"{each.hunt.name} {each.first.key}..{each.last.key} on {today}",
                )
                for each in wanted[:_MOST_REQUESTS]
            ]
        )

    return catch_up


def _wanted(hunts: TenantHunts, instance: dg.DagsterInstance, now: int) -> list[_Wanted]:
    under_way = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
    limits = load_tenants().tenant(hunts.tenant).limits()
    age = limits.data_age_days * _DAY_TICKS
    wanted = []
    for name, hunt in hunts.catalogue.hunts.items():
        covered = _covered(hunts.key(name), under_way)
        missing = [
            each
            for each in never_loaded(
                hunt,
                hunts.layout,
                hunt.export.tenant or hunts.tenant,
                since=max(now - age, instant_from_datetime(hunts.partitions_def(hunt).start)),
                due_by=now - _ticks(_GRACE),
            )
            if not any(first <= each.key <= last for first, last in covered)
        ]
        for first, last in runs_of(missing, joined=_JOINED):
            # A snapshot can be taken on its own day alone.
            is_snapshot = hunt.export.partitions == "snapshot"
            expires = first.window.end if is_snapshot else first.window.start + age
            wanted.append(_Wanted(hunt, first, last, expires))
    return sorted(wanted, key=lambda each: each.order)


def _covered(key: dg.AssetKey, under_way: Sequence[dg.DagsterRun]) -> list[tuple[str, str]]:
    """First and last key of what each run under way loads of an asset; keys sort as times do."""
    found = []
    for run in under_way:
        if key in (run.asset_selection or ()):
            one = run.tags.get("dagster/partition")
            first, last = run.tags.get(RANGE_START, one), run.tags.get(RANGE_END, one)
            if first is not None and last is not None:
                found.append((first, last))
    return found


def _ticks(period: timedelta) -> int:
    return round(period.total_seconds()) * TICKS_PER_SECOND

"""An asset for each hunt: its partitions are exported, and committed one by one.

What belongs here: the asset and how it reports. What does not: what a materialization's metadata
looks like (``metadata``), or how an export works (``pipelines.export``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import dagster as dg

from assets.catalogue import TenantHunts, dagster_name
from assets.checks import HuntChecks, check_specs
from assets.failures import RunFailures, late_observation
from assets.findings import Findings
from assets.metadata import describe_hunt, describe_partition
from assets.quota import quota_numbers, quota_picture
from assets.resources import EngineResource
from assets.watching import HorizonWatch, RunLog
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import HuntlakeError
from pipelines.going_on import PartitionFailed
from pipelines.hunts import Hunt
from pipelines.overdue import TooLate, too_late_lines
from pipelines.progress import Event
from pipelines.schedule import HOURLY, NIGHTLY
from pipelines.slicing import partition

# By the schedule, with room for a night that waits long for its quota. Of a cron schedule nobody
# knows how often it comes round, and of none there is nothing to expect.
_FRESH_WITHIN: Final[Mapping[str | None, timedelta]] = {
    NIGHTLY: timedelta(hours=36),
    HOURLY: timedelta(hours=6),
}


class ExportConfig(dg.Config):
    """How one run exports."""

    refresh: bool = False
    """Pull partitions again that an earlier run committed. Costs their quota again."""


def export_asset(hunts: TenantHunts, hunt: Hunt) -> dg.AssetsDefinition:
    """The asset of one hunt.

    A run may have many partitions (a backfill is one run), so each is reported by an event of its
    own as it commits: a run that fails midway keeps green what it committed. Dagster's result at
    the end would say the same of all, and nothing after a failure; a run of a single partition has
    one all the same, since what depends on it in the same run waits for a result.

    A partition that fails is reported by an observation of its own, the others are exported all the
    same where they can be, and the run fails at its end and names all that are missing.
    """
    key = hunts.key(hunt.name)
    spec = dg.AssetSpec(
        key,
        description=describe_hunt(hunt, hunts.notes.get(hunt.name)),
        group_name=hunts.group(hunt.export.group or dagster_name(hunt.export.partitions)),
        owners=list(hunt.export.owners),
        tags={dagster_name(tag): "" for tag in (*hunt.tactics, *hunt.techniques, *hunt.tags)},
        kinds={"kql", "parquet"},
        code_version=hunt.fingerprint[:12],
        partitions_def=hunts.partitions_def(hunt),
        metadata={"dagster/table_name": hunt.name},
        skippable=True,
        freshness_policy=_freshness(hunt),
    )

    @dg.multi_asset(
        name=f"{hunts.label}__{hunt.name}",
        specs=[spec],
        check_specs=check_specs(key),
        # So that the checks can be run by themselves.
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=hunts.pool,
    )
    def export(
        context: dg.AssetExecutionContext, config: ExportConfig, engine: EngineResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        checks = HuntChecks(hunts, hunt, engine, context.selected_asset_check_keys)
        if not context.selected_asset_keys:
            yield from checks.results(context)
            return
        run = _Run(context, hunts, hunt, key)
        try:
            with engine.open(hunts.tenant) as opened:
                for outcome in map(checks.sound, run.outcomes(opened, refresh=config.refresh)):
                    if isinstance(outcome, PartitionFailed):
                        run.tell_failed(outcome, opened)
                    elif len(run.keys) == 1:
                        metadata = run.tell_committed(outcome, opened)
                        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
                    else:
                        run.tell_materialized(outcome, opened)
        except HuntlakeError as error:
            run.failures.of_run(error)
        # What is found in the lake is told of whatever became of the run.
        yield from checks.results(context)
        run.failures.raise_any(len(run.keys))

    return export


def _freshness(hunt: Hunt) -> dg.FreshnessPolicy | None:
    """How old the newest load may be; by default, so old that one was missed."""
    within = hunt.export.fresh_within or _FRESH_WITHIN.get(hunt.export.schedule)
    return None if within is None else dg.FreshnessPolicy.time_window(fail_window=within)


class _Run:
    """One run of one hunt, and what Dagster is told of it."""

    def __init__(
        self, context: dg.AssetExecutionContext, hunts: TenantHunts, hunt: Hunt, key: dg.AssetKey
    ) -> None:
        self._context = context
        self._hunts = hunts
        self._hunt = hunt
        self._key = key
        self.keys = sorted(context.partition_keys)
        self.failures = RunFailures(hunts, hunt, key)

    def outcomes(
        self, engine: Engine, *, refresh: bool
    ) -> Iterator[PartitionExport | PartitionFailed]:
        """Each partition as it commits or fails, while the run's log tells of it."""
        partitions = [partition(self._hunt.export.partitions, each) for each in self.keys]
        log = RunLog(self._context.log, engine.clock)
        watch = HorizonWatch(engine, self._hunt, partitions, self._tell_late)

        def observer(event: Event) -> None:
            log(event)
            watch(event)

        watch.look()
        yield from engine.export_in_spite(
            self._hunt,
            partitions,
            refresh=refresh,
            observer=observer,
            run=self._context.run.run_id,
        )

    def tell_committed(self, exported: PartitionExport, engine: Engine) -> Mapping[str, Any]:
        """The metadata of a partition that is committed."""
        found = Findings.of(exported)
        is_last = exported.partition.key == self.keys[-1]
        return {
            **describe_partition(exported, found, self._hunts.layout),
            **_quota(engine, self._hunt, with_picture=is_last),
        }

    def tell_materialized(self, exported: PartitionExport, engine: Engine) -> None:
        """Tell of a partition by an event of its own."""
        metadata = self.tell_committed(exported, engine)
        self._context.log_event(
            dg.AssetMaterialization(self._key, partition=exported.partition.key, metadata=metadata)
        )

    def tell_failed(self, failed: PartitionFailed, engine: Engine) -> None:
        """Tell of a partition that failed.

        What the lake has of one that expired stays green: it would else be shown as failed for
        ever, though readers have it and nobody can export it again.
        """
        self._context.log_event(self.failures.of_partition(failed))
        if failed.landed is not None:
            self.tell_materialized(failed.landed, engine)

    def _tell_late(self, found: Sequence[TooLate], left: int) -> None:
        if not found:
            self._context.log.info("all partitions should make it before the horizon again")
            return
        self._context.log.warning("\n".join(too_late_lines(found, left)))
        self._context.log_event(late_observation(self._key, found))


def _quota(engine: Engine, hunt: Hunt, *, with_picture: bool) -> Mapping[str, Any]:
    """Once a run is enough of the picture, which Dagster keeps for ever; the numbers are small."""
    tenant = engine.tenant_for(hunt)
    at = (engine.layout, tenant.id, tenant.limits, engine.clock)
    picture = {"quota_over_the_day": quota_picture(*at)} if with_picture else {}
    return {**quota_numbers(*at), **picture}


def broken_hunt_asset(hunts: TenantHunts, name: str, error: HuntlakeError) -> dg.AssetsDefinition:
    """Stands where the asset of a hunt would be whose file can't be read, and says why."""
    return _broken(hunts.key(dagster_name(name) or "nameless"), "broken_hunts", error)


def broken_asset(tenant: str, name: str, error: HuntlakeError) -> dg.AssetsDefinition:
    """Stands where the assets of a tenant would be that is none, and says why."""
    key = dg.AssetKey([dagster_name(tenant), dagster_name(name)])
    return _broken(key, "broken_tenants", error)


def _broken(key: dg.AssetKey, group: str, error: HuntlakeError) -> dg.AssetsDefinition:
    @dg.asset(key=key, description=f"This was left out:\n\n```\n{error}\n```", group_name=group)
    def broken() -> None:
        raise dg.Failure(description=str(error), allow_retries=False)

    return broken

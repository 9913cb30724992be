"""An asset for each hunt: its partitions are exported, and committed one by one.

What belongs here: the asset and how it reports. What does not: what a materialization's metadata
looks like (``metadata``), or how an export works (``pipelines.export``).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.catalogue import TenantHunts, dagster_name
from assets.checks import HuntChecks, check_specs
from assets.findings import Findings
from assets.metadata import describe_hunt, describe_partition
from assets.quota import quota_numbers, quota_picture
from assets.resources import EngineResource
from assets.watching import RunLog
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import HuntFileError, HuntlakeError
from pipelines.hunts import Hunt
from pipelines.slicing import partition


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
    """
    key = hunts.key(hunt.name)
    spec = dg.AssetSpec(
        key,
        description=describe_hunt(hunt),
        group_name=hunt.export.group or dagster_name(hunt.export.partitions),
        owners=list(hunt.export.owners),
        tags={dagster_name(tag): "" for tag in (*hunt.tactics, *hunt.techniques, *hunt.tags)},
        kinds={"kql", "parquet"},
        code_version=hunt.fingerprint[:12],
        partitions_def=hunts.partitions_def(hunt),
        metadata={"dagster/table_name": hunt.name},
        skippable=True,
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
        keys = sorted(context.partition_keys)
        unsound: list[str] = []
        try:
            for exported, quota in _exports(context, hunt, keys, config, engine):
                if problems := checks.problems(exported):
                    unsound.append(f"{exported.partition.key}: {'; '.join(problems)}")
                    continue
                found = Findings.of(exported)
                metadata = {**describe_partition(exported, found, hunts.layout), **quota}
                if len(keys) == 1:
                    yield dg.MaterializeResult(asset_key=key, metadata=metadata)
                else:
                    context.log_event(
                        dg.AssetMaterialization(
                            key, partition=exported.partition.key, metadata=metadata
                        )
                    )
        except dg.Failure:
            # What was found in what is there is told of all the same.
            yield from checks.results(context)
            raise
        yield from checks.results(context)
        if unsound:
            raise _unsound(hunt, unsound)

    return export


def _exports(
    context: dg.AssetExecutionContext,
    hunt: Hunt,
    keys: list[str],
    config: ExportConfig,
    engine: EngineResource,
) -> Iterator[tuple[PartitionExport, Mapping[str, Any]]]:
    """Each partition as it commits, with what the quota looks like then."""
    partitions = [partition(hunt.export.partitions, key) for key in keys]
    try:
        with engine.open() as opened:
            for exported in opened.export(
                hunt,
                partitions,
                refresh=config.refresh,
                observer=RunLog(context.log, opened.clock),
            ):
                is_last = exported.partition.key == keys[-1]
                yield exported, _quota(opened, hunt, with_picture=is_last)
    except HuntlakeError as error:
        # The message says what to do; Dagster would put a page of its own frames before it.
        raise dg.Failure(description=str(error), allow_retries=False) from error


def _quota(engine: Engine, hunt: Hunt, *, with_picture: bool) -> Mapping[str, Any]:
    """Once a run is enough of the picture, which Dagster keeps for ever; the numbers are small."""
    tenant = engine.tenant_for(hunt)
    at = (engine.layout, tenant.id, tenant.limits, engine.clock)
    picture = {"quota_over_the_day": quota_picture(*at)} if with_picture else {}
    return {**quota_numbers(*at), **picture}


def _unsound(hunt: Hunt, partitions: list[str]) -> dg.Failure:
    """Dagster would record a partition as materialized that a check then finds unsound."""
    listed = "\n".join(f"  - {each}" for each in partitions)
    return dg.Failure(
        description=(
            f"{hunt.name}: what an earlier export committed is not what its receipt proves. "
            f"Materialize these partitions again with `refresh: true`:\n{listed}"
        ),
        allow_retries=False,
    )


def broken_hunt_asset(hunts: TenantHunts, name: str, error: HuntFileError) -> dg.AssetsDefinition:
    """Stands where the asset of a hunt would be whose file can't be read, and says why."""

    @dg.asset(
        key=hunts.key(name or "nameless"),
        description=f"This hunt was left out:\n\n```\n{error}\n```",
        group_name="broken_hunts",
    )
    def broken() -> None:
        raise dg.Failure(description=str(error), allow_retries=False)

    return broken

"""Running the checks of a hunt: at the end of an export, or by themselves at any time.

What belongs here: when checks speak. What does not: what they say.

They read the lake alone, all that has landed of the hunt, so that the current result of a check,
which is all that an asset's page shows at first, is of the lake and not of the run that happened to
be the last. Of most runs Dagster expects a result for each partition too, and shows one that it
never gets as skipped; those are short. Checks of its own with partitions are a preview.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.catalogue import TenantHunts
from assets.checks.check import WARN, Check, Evidence, Outcome
from assets.checks.complete import COMPLETE
from assets.checks.gaps import GAPS
from assets.checks.schema_change import SCHEMA_CHANGE
from assets.checks.truncation import TRUNCATION
from assets.checks.values_kept_aside import VALUES_KEPT_ASIDE
from assets.checks.volume import VOLUME
from assets.resources import EngineResource
from assets.schedules import upkeep_schedule
from pipelines.committing import PartitionExport
from pipelines.errors import PartitionUnsound
from pipelines.going_on import PartitionFailed
from pipelines.hunts import Hunt
from pipelines.soundness import read_file

_CHECKS: Final[tuple[Check, ...]] = (
    COMPLETE,
    TRUNCATION,
    GAPS,
    VOLUME,
    SCHEMA_CHANGE,
    VALUES_KEPT_ASIDE,
)

# After the recounts, and after the retention.
_HOUR: Final = 8


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a hunt's asset."""
    return [check.spec(key) for check in _CHECKS]


def checks_job(hunts: TenantHunts) -> UnresolvedAssetJobDefinition:
    """Runs the checks of all hunts of a tenant, and nothing else."""
    return dg.define_asset_job(
        f"{hunts.label}__checks",
        selection=dg.AssetSelection.checks_for_assets(*map(hunts.key, hunts.catalogue.hunts)),
        description="Checks all that has landed, by the lake alone: it makes no call.",
    )


def checks_schedule(hunts: TenantHunts, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Each night once the lake is what it will be for the day, at a minute of the tenant's own."""
    return upkeep_schedule(hunts, job, hour=_HOUR)


class HuntChecks:
    """The checks of one hunt that a run has selected."""

    def __init__(
        self,
        hunts: TenantHunts,
        hunt: Hunt,
        engine: EngineResource,
        selected: AbstractSet[dg.AssetCheckKey],
    ) -> None:
        self._key = hunts.key(hunt.name)
        self._layout = hunts.layout
        self._hunt = hunt
        self._tenant = hunt.export.tenant or hunts.tenant
        self._of = hunts.tenant
        self._engine = engine
        self._names = {each.name for each in selected}

    def results(self, context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """What the selected checks say of all that has landed, and of each partition of the run."""
        evidence = Evidence.gather(
            self._layout,
            self._hunt,
            tenant=self._tenant,
            clock=self._engine.clock(),
            data_age_days=self._engine.limits(self._of).data_age_days,
        )
        landed = {each.name for each in evidence.landed}
        partitions = [each for each in _expected(context) if each in landed]
        for check in _CHECKS:
            if check.name in self._names:
                outcome = check.judge(evidence)
                if check.blocking and self._is_of_others(context, outcome):
                    context.log.warning(
                        "%s: %s; none is this run's", check.name, outcome.description
                    )
                    outcome = replace(outcome, severity=WARN)
                for each in partitions:
                    context.log_event(self._of_partition(check, outcome, each))
                yield dg.AssetCheckResult(
                    asset_key=self._key,
                    check_name=check.name,
                    passed=outcome.passed,
                    severity=outcome.severity,
                    description=outcome.description,
                    metadata=outcome.metadata,
                )

    def _is_of_others(self, context: dg.AssetExecutionContext, outcome: Outcome) -> bool:
        """Whether what a check found wanting is neither exported by the run nor used in it.

        A file that was damaged long ago must not fail the hunt's every night until somebody comes.
        """
        if outcome.passed or not context.selected_asset_keys:
            return False
        return not (
            self._feeds_others(context) or set(context.partition_keys) & {*outcome.partitions}
        )

    def _feeds_others(self, context: dg.AssetExecutionContext) -> bool:
        """Whether something downstream of the hunt is made in the same run."""
        graph = context.job_def.asset_layer.asset_graph
        chosen = context.run.asset_selection or graph.executable_asset_keys
        return bool(graph.get(self._key).child_keys & chosen)

    def _of_partition(
        self, check: Check, outcome: Outcome, partition: str
    ) -> dg.AssetCheckEvaluation:
        passed = partition not in outcome.partitions
        return dg.AssetCheckEvaluation(
            asset_key=self._key,
            check_name=check.name,
            passed=passed,
            severity=outcome.severity,
            description=None if passed else "the result of the run says what was found",
            blocking=False,
            partition=partition,
        )

    def sound(
        self, outcome: PartitionExport | PartitionFailed
    ) -> PartitionExport | PartitionFailed:
        """The outcome, or that the partition failed where its file is not what its receipt proves.

        Dagster records a materialization even where a blocking check fails after it.
        """
        exported = outcome.landed if isinstance(outcome, PartitionFailed) else outcome
        problems = () if exported is None else self._problems(exported)
        if exported is None or not problems:
            return outcome
        error = PartitionUnsound(
            f"{self._hunt.name}, partition {exported.partition.key}: its file is not what its "
            f"receipt proves: {'; '.join(problems)}. Materialize it again with `refresh: true`, or "
            f"move {exported.path} out of the lake"
        )
        if isinstance(outcome, PartitionFailed):
            # It can't be had again: the run tells why, and not that what it has is good.
            return replace(outcome, landed=None)
        return PartitionFailed(exported.partition, error)

    def _problems(self, exported: PartitionExport) -> tuple[str, ...]:
        folder = self._layout.hunt_folder(self._hunt.name, self._tenant)
        partitioning = self._hunt.export.partitions
        found = read_file(exported.path, folder, self._hunt.name, self._tenant, partitioning)
        return ("its file is gone",) if found is None else found.problems


def _expected(context: dg.AssetExecutionContext) -> Sequence[str]:
    """The partitions for which Dagster expects a result each.

    Where it expects a single one, of a run with assets of several kinds, another would come after
    that one and take its place as the current result.
    """
    subset = context.run.get_resolved_partitions_subset_for_events(None)
    return [] if subset is None else sorted(subset.get_partition_keys())

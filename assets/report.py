"""The report as an asset, and the schedule that keeps it fresh.

What belongs here: when it is written, and what Dagster is told of it. What does not: what it says
(``pipelines.report``).
"""

from typing import Final

import dagster as dg

from assets.catalogue import Deployment
from pipelines.clock import Clock
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout
from pipelines.reporting import write_report

_KEY: Final = dg.AssetKey(["report"])
_DAYS: Final = 60


def report_asset(layout: LakeLayout, clock: Clock | None = None) -> dg.AssetsDefinition:
    """One page of all tenants' data. It makes no call, and waits for no export."""
    path = layout.root / "report.html"

    @dg.asset(
        key=_KEY,
        group_name="lake",
        kinds={"html"},
        description=(
            "A page of what is in the lake, what is missing and what it took: open the file in a "
            "browser. The schedule `report__hourly` writes it anew, once it is switched on."
        ),
    )
    def report() -> dg.MaterializeResult[None]:
        try:
            facts = write_report(layout, path, days=_DAYS, clock=clock)
        except HuntlakeError as error:
            # Its message says it all, and Dagster would show a page of frames.
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            metadata={
                "dagster/uri": dg.MetadataValue.path(str(path)),
                "partitions": facts.partitions,
                "rows": facts.total_rows,
                "bytes": facts.total_bytes,
                "days_missing": facts.missing_days,
                "days_gone": facts.gone_days,
                "days_provisional": facts.provisional_days,
                "partitions_failed": len(facts.failures),
            }
        )

    return report


def report_schedule() -> dg.ScheduleDefinition:
    """Each hour, a while after exports tend to begin; switched off at first, as all are."""
    return dg.ScheduleDefinition(
        name="report__hourly",
        target=dg.AssetSelection.assets(_KEY),
        cron_schedule="50 * * * *",
        execution_timezone="UTC",
        description="Writes the report of the lake anew.",
    )


def layout_of(deployment: Deployment) -> LakeLayout | None:
    """The lake that the deployment's tenants share; ``None`` where there is no tenant."""
    return next((each.layout for each in deployment.tenants), None)

"""The tenant's quota as Dagster's page shows it: numbers, a picture, and an asset to ask for both.

What belongs here: turning them into Dagster's metadata. What does not: the values
(``pipelines.quota_report``, ``pipelines.quota_day``), or the drawing (``pipelines.quota_plot``).
"""

import base64
from collections.abc import Mapping

import click
import dagster as dg

from assets.catalogue import TenantHunts
from pipelines.clock import Clock, SystemClock
from pipelines.lake import LakeLayout
from pipelines.quota import CallQuota, Ledger, Limits
from pipelines.quota_day import quota_day
from pipelines.quota_report import HOUR_NS, last_day, quota_report
from pipelines.quota_text import quota_lines
from pipelines.tenants import load_tenants

_WINDOWS = {"min": "minute", "h": "hour", "day": "day"}


def quota_numbers(
    layout: LakeLayout, tenant: str, limits: Limits, clock: Clock
) -> Mapping[str, float]:
    """What is used of each quota, which becomes plots over partitions.

    Where the limits state no quota of running time, that of the last hour is told all the same.
    """
    ledger, now_ns = Ledger.at(layout.ledger), clock.now_ns()
    last_hour = ledger.calls(tenant, since_ns=now_ns - HOUR_NS)
    hour = sum(each.spent.seconds_by(now_ns) for each in last_hour)
    numbers: dict[str, float] = {"quota_used_hour_seconds": round(hour, 3)}
    for each in ledger.used(tenant, limits, now_ns=now_ns):
        unit = "calls" if isinstance(each.quota, CallQuota) else "seconds"
        numbers[f"quota_used_{_WINDOWS[each.quota.unit]}_{unit}"] = round(each.used, 3)
    return numbers


def quota_picture(
    layout: LakeLayout, tenant: str, limits: Limits, clock: Clock
) -> dg.MarkdownMetadataValue:
    """The last 24 hours, drawn: about 20 kB, however many calls there were."""
    # It takes a second to import, which a code location should not pay each time it loads.
    from pipelines.quota_plot import draw

    now_ns = clock.now_ns()
    day = quota_day(layout, tenant, limits, last_day(now_ns), now_ns=now_ns)
    # Not SVG, which grows with the calls: Dagster keeps every entry for ever.
    encoded = base64.b64encode(draw(day, "png")).decode()
    return dg.MetadataValue.md(f"![running time used](data:image/png;base64,{encoded})")


def quota_asset(hunts: TenantHunts, clock: Clock | None = None) -> dg.AssetsDefinition:
    """Materialized, it shows the quota now. It makes no call, and waits for no export."""

    @dg.asset(
        key=hunts.key("quota"),
        group_name=hunts.group("tenant"),
        kinds={"sqlite"},
        description=(
            "What is used and left of the tenant's quota, by the ledger. Materialize it to see "
            "that now: it makes no call."
        ),
    )
    def quota() -> dg.MaterializeResult[None]:
        tenant, time = load_tenants().tenant(hunts.tenant), clock or SystemClock()
        at = (hunts.layout, tenant.id, tenant.limits())
        now_ns = time.now_ns()
        report = quota_report(*at, last_day(now_ns), now_ns=now_ns)
        text = "\n".join(map(click.unstyle, quota_lines(report)))
        return dg.MaterializeResult(
            metadata={
                **quota_numbers(*at, time),
                "report": dg.MetadataValue.md(f"```\n{text}\n```"),
                "quota_over_the_day": quota_picture(*at, time),
            }
        )

    return quota

"""Joins assets, schedules and resources into the one ``Definitions``.

What belongs here: the joining. What does not: any definition itself.
"""

import dagster as dg

from assets.catalogue import TenantHunts, load_tenant_hunts
from assets.checks import all_checks
from assets.destinations import remote_destinations
from assets.exports import broken_hunt_asset, export_asset
from assets.quota import quota_asset
from assets.resources import EngineResource
from assets.schedules import nightly_schedule


def build_defs(
    hunts: TenantHunts | None = None, engine: EngineResource | None = None
) -> dg.Definitions:
    """The definitions of one tenant's hunts; tests pass hunts and an engine of their own."""
    hunts = hunts or load_tenant_hunts()
    exports = [export_asset(hunts, hunt) for hunt in hunts.catalogue.hunts.values()]
    broken = [
        broken_hunt_asset(hunts, name, error) for name, error in hunts.catalogue.failed.items()
    ]
    schedules = [
        nightly_schedule(hunts, hunt)
        for hunt in hunts.catalogue.hunts.values()
        if hunt.export.schedule
    ]
    return dg.Definitions(
        assets=[*exports, *broken, remote_destinations(hunts), quota_asset(hunts)],
        jobs=[
            dg.define_asset_job(
                f"{hunts.label}__checks",
                selection=all_checks(hunts),
                description="Checks all that has landed, by the lake alone: it makes no call.",
            )
        ],
        schedules=schedules,
        resources={"engine": engine or EngineResource()},
        # One pull at a time for each tenant leaves nothing to run in parallel, and a process for
        # each step costs two seconds and 170 MB more.
        executor=dg.in_process_executor,
    )

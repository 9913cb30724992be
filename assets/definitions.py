"""Joins assets, schedules and resources into the one ``Definitions``.

What belongs here: the joining. What does not: any definition itself.
"""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import Deployment, TenantHunts, load_deployment
from assets.destinations import remote_destinations
from assets.exports import broken_asset, broken_hunt_asset, export_asset
from assets.quota import quota_asset
from assets.resources import EngineResource
from assets.schedules import nightly_schedule


def build_defs(
    hunts: TenantHunts | Deployment | None = None, engine: EngineResource | None = None
) -> dg.Definitions:
    """The definitions of all tenants' hunts; tests pass hunts and an engine of their own."""
    hunts = hunts or load_deployment()
    deployment = Deployment((hunts,)) if isinstance(hunts, TenantHunts) else hunts
    return dg.Definitions(
        assets=[
            *(asset for each in deployment.tenants for asset in _assets(each)),
            *(broken_asset(*each) for each in deployment.broken),
        ],
        schedules=[
            nightly_schedule(each, hunt)
            for each in deployment.tenants
            for hunt in each.catalogue.hunts.values()
            if hunt.export.schedule
        ],
        resources={"engine": engine or EngineResource()},
        # One pull at a time for each tenant leaves nothing to run in parallel, and a process for
        # each step costs two seconds and 170 MB more.
        executor=dg.in_process_executor,
    )


def _assets(hunts: TenantHunts) -> Iterator[dg.AssetsDefinition]:
    for hunt in hunts.catalogue.hunts.values():
        yield export_asset(hunts, hunt)
    for name, error in hunts.catalogue.failed.items():
        yield broken_hunt_asset(hunts, name, error)
    yield from remote_destinations(hunts)
    yield quota_asset(hunts)

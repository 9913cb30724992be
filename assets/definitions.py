"""Joins assets, schedules, sensors and resources into the one ``Definitions``.

What belongs here: the joining. What does not: any definition itself.
"""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import Deployment, TenantHunts, load_deployment
from assets.checks import checks_job, checks_schedule
from assets.destinations import remote_destinations
from assets.exports import broken_asset, broken_hunt_asset, export_asset
from assets.quota import quota_asset
from assets.recounts import recount_job, recount_schedule
from assets.report import layout_of, report_asset, report_schedule
from assets.resources import EngineResource
from assets.retention import retention_job, retention_schedule
from assets.running import side_by_side
from assets.schedules import load_schedule
from assets.sensors import catch_up_sensor


def build_defs(
    hunts: TenantHunts | Deployment | None = None, engine: EngineResource | None = None
) -> dg.Definitions:
    """The definitions of all tenants' hunts; tests pass hunts and an engine of their own."""
    hunts = hunts or load_deployment()
    deployment = Deployment((hunts,)) if isinstance(hunts, TenantHunts) else hunts
    schedules = [
        load_schedule(each, hunt)
        for each in deployment.tenants
        for hunt in each.catalogue.hunts.values()
    ]
    checks = {each.tenant: checks_job(each) for each in deployment.tenants}
    recounts = {each.tenant: recount_job(each) for each in deployment.tenants}
    retention = {each.tenant: retention_job(each) for each in deployment.tenants}
    layout = layout_of(deployment)
    return dg.Definitions(
        assets=[
            *(asset for each in deployment.tenants for asset in _assets(each)),
            *(broken_asset(*each) for each in deployment.broken),
            *([report_asset(layout)] if layout is not None else []),
        ],
        jobs=[
            *checks.values(),
            *recounts.values(),
            *retention.values(),
        ],
        schedules=[
            *(each for each in schedules if each is not None),
            *(recount_schedule(each, recounts[each.tenant]) for each in deployment.tenants),
            *(retention_schedule(each, retention[each.tenant]) for each in deployment.tenants),
            *(checks_schedule(each, checks[each.tenant]) for each in deployment.tenants),
            *([report_schedule()] if layout is not None else []),
        ],
        sensors=[catch_up_sensor(each) for each in deployment.tenants],
        resources={"engine": engine or EngineResource()},
        executor=side_by_side,
    )


def _assets(hunts: TenantHunts) -> Iterator[dg.AssetsDefinition]:
    for hunt in hunts.catalogue.hunts.values():
        yield export_asset(hunts, hunt)
    for name, error in hunts.catalogue.failed.items():
        yield broken_hunt_asset(hunts, name, error)
    yield from remote_destinations(hunts)
    yield quota_asset(hunts)

"""Joins assets, schedules and resources into the one ``Definitions``.

What belongs here: the joining. What does not: any definition itself.
"""

import dagster as dg

from assets.catalogue import TenantHunts, load_tenant_hunts
from assets.destinations import remote_destinations
from assets.exports import broken_hunt_asset, export_asset
from assets.jobs import load_job
from assets.quota import quota_asset
from assets.resources import EngineResource
from assets.retention import retention_job, retention_schedule
from assets.schedules import load_schedule
from assets.sensors import catch_up_sensor

# Dagster puts a backfill of several hunts into one run. One after another, the last hunt's oldest
# days would be gone before its turn; side by side, they all wait at the gate, which lets go first
# what expires first. Forked off one process that has loaded everything, they share its memory.
_SIDE_BY_SIDE = dg.multiprocess_executor.configured(
    {"max_concurrent": 6, "start_method": {"forkserver": {"preload_modules": ["assets"]}}}
)


def build_defs(
    hunts: TenantHunts | None = None, engine: EngineResource | None = None
) -> dg.Definitions:
    """The definitions of one tenant's hunts; tests pass hunts and an engine of their own."""
    hunts = hunts or load_tenant_hunts()
    exports = [export_asset(hunts, hunt) for hunt in hunts.catalogue.hunts.values()]
    broken = [
        broken_hunt_asset(hunts, name, error) for name, error in hunts.catalogue.failed.items()
    ]
    catalogue = hunts.catalogue.hunts
    jobs = {name: load_job(hunts, hunt) for name, hunt in catalogue.items()}
    schedules = [load_schedule(hunts, hunt, jobs[name]) for name, hunt in catalogue.items()]
    retention = retention_job(hunts)
    return dg.Definitions(
        assets=[*exports, *broken, remote_destinations(hunts), quota_asset(hunts)],
        jobs=[*jobs.values(), retention],
        schedules=[
            *(each for each in schedules if each is not None),
            retention_schedule(hunts, retention),
        ],
        sensors=[catch_up_sensor(hunts, jobs)],
        resources={"engine": engine or EngineResource()},
        executor=_SIDE_BY_SIDE,
    )

"""The hunts that become assets, and the names that they have in Dagster.

What belongs here: from a tenant and a folder of hunt files to names, keys and partitions. What does
not: reading those files (``pipelines.hunt_files``), or the assets themselves (``exports``).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.errors import HuntlakeError
from pipelines.hunt_files import Catalogue, load_hunts
from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.retirement import retiring
from pipelines.settings import load_paths
from pipelines.slicing import DAILY_KEY_FORMAT, HOURLY_KEY_FORMAT
from pipelines.tenants import ConfiguredTenant, load_tenants, plain_name

# The thirtieth day back has begun to fall off the horizon by the time that anybody asks for it.
_OLDEST_WHOLE_DAY = timedelta(days=29)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TenantHunts:
    """One tenant by its name, its hunts, and the lake that they are exported to.

    ``of_many``: it is one of several, so that its assets stand under its own name in Dagster's
    page. ``notes`` are what the page says of hunts before anything else.
    """

    tenant: str
    catalogue: Catalogue
    layout: LakeLayout
    of_many: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    first_day: date = field(init=False)
    """The oldest day that any of the hunts has, or could still have.

    It is all hunts', since Dagster backfills several together only where they begin on one day.
    """

    def __post_init__(self) -> None:
        oldest = datetime.now(UTC).date() - _OLDEST_WHOLE_DAY
        landed = (
            date.fromisoformat(day.name[5:])
            for hunt in self.catalogue.hunts.values()
            if hunt.export.start is None
            for day in self.layout.hunt_folder(hunt.name, hunt.export.tenant or self.tenant).glob(
                "date=*"
            )
        )
        object.__setattr__(self, "first_day", min([oldest, *landed]))

    @property
    def label(self) -> str:
        """The tenant in Dagster's names, which allow letters, digits and underscores only."""
        return dagster_name(self.tenant)

    @property
    def pool(self) -> str:
        """The pool that bounds how many of the tenant's exports wait for its quota at once."""
        return f"tenant_{self.label}"

    def key(self, name: str) -> dg.AssetKey:
        """The key of one of the tenant's assets."""
        return dg.AssetKey([self.label, name])

    def group(self, name: str) -> str:
        """The group of an asset: the tenant's, where there are several, or one of this name."""
        return self.label if self.of_many else name

    def partitions_def(self, hunt: Hunt) -> dg.TimeWindowPartitionsDefinition:
        """The hunt's partitions, in UTC; a snapshot has today's too, since it is taken at once."""
        start = hunt.export.start or self.first_day
        if hunt.export.partitions == "hourly":
            return dg.HourlyPartitionsDefinition(
                start_date=f"{start:{DAILY_KEY_FORMAT}}-00:00", fmt=HOURLY_KEY_FORMAT
            )
        return dg.DailyPartitionsDefinition(
            start_date=f"{start:{DAILY_KEY_FORMAT}}",
            fmt=DAILY_KEY_FORMAT,
            end_offset=1 if hunt.export.partitions == "snapshot" else 0,
        )


def dagster_name(text: str) -> str:
    """The text with everything that Dagster's names don't allow as underscores."""
    return plain_name(text)


@dataclass(frozen=True, slots=True)
class Deployment:
    """All tenants, and what stands in the place of what is wrong: by tenant, by name, and why."""

    tenants: tuple[TenantHunts, ...]
    broken: tuple[tuple[str, str, HuntlakeError], ...] = ()


def load_deployment() -> Deployment:
    """The configured tenants with their hunts; what can't be read is logged, and kept."""
    paths, tenants = load_paths(), load_tenants()
    catalogue, layout = load_hunts(paths.hunts), LakeLayout(paths.data)
    broken = [
        *(("broken_tenants", name, error) for name, error in tenants.failed.items()),
        *((each.tenant, each.hunt, each.error) for each in tenants.misdirected(catalogue)),
    ]
    for error in (*catalogue.errors, *(error for _, _, error in broken)):
        _log.error("left out: %s", error)
    return Deployment(
        tuple(
            _with_hunts(tenant, catalogue, layout, of_many=tenants.file is not None)
            for tenant in tenants.tenants.values()
        ),
        tuple(broken),
    )


def _with_hunts(
    tenant: ConfiguredTenant, catalogue: Catalogue, layout: LakeLayout, *, of_many: bool
) -> TenantHunts:
    theirs = tenant.hunts(catalogue)
    ending = {
        name: retiring(hunt, tenant.surface, tenant.surface_setting)
        for name, hunt in theirs.hunts.items()
    }
    notes = {name: ends.warning for name, ends in ending.items() if ends is not None}
    return TenantHunts(tenant.name, theirs, layout, of_many=of_many, notes=notes)

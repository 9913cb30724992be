"""The hunts that become assets, and the names that they have in Dagster.

What belongs here: from a tenant and a folder of hunt files to names, keys and partitions. What does
not: reading those files (``pipelines.hunt_files``), or the assets themselves (``exports``).
"""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.hunt_files import Catalogue, load_hunts
from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.settings import load_paths
from pipelines.slicing import DAILY_KEY_FORMAT, HOURLY_KEY_FORMAT

# The thirtieth day back has begun to fall off the horizon by the time that anybody asks for it.
_OLDEST_WHOLE_DAY = timedelta(days=29)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TenantHunts:
    """One tenant, its hunts, and the lake that they are exported to."""

    tenant_id: str
    catalogue: Catalogue
    layout: LakeLayout

    @property
    def label(self) -> str:
        """The tenant in Dagster's names, which allow letters, digits and underscores only."""
        return dagster_name(self.tenant_id)

    @property
    def pool(self) -> str:
        """The pool that bounds how many of the tenant's exports wait for its quota at once."""
        return f"tenant_{self.label}"

    def key(self, name: str) -> dg.AssetKey:
        """The key of one of the tenant's assets."""
        return dg.AssetKey([self.label, name])

    def partitions_def(self, hunt: Hunt) -> dg.TimeWindowPartitionsDefinition:
        """The hunt's partitions, in UTC; a snapshot has today's too, since it is taken at once."""
        start = self._first_day(hunt)
        if hunt.export.partitions == "hourly":
            return dg.HourlyPartitionsDefinition(
                start_date=f"{start:{DAILY_KEY_FORMAT}}-00:00", fmt=HOURLY_KEY_FORMAT
            )
        return dg.DailyPartitionsDefinition(
            start_date=f"{start:{DAILY_KEY_FORMAT}}",
            fmt=DAILY_KEY_FORMAT,
            end_offset=1 if hunt.export.partitions == "snapshot" else 0,
        )

    def _first_day(self, hunt: Hunt) -> date:
        """The hunt's own start, or the oldest day that is in the lake or can still be had."""
        if hunt.export.start is not None:
            return hunt.export.start
        oldest = datetime.now(UTC).date() - _OLDEST_WHOLE_DAY
        folder = self.layout.hunt_folder(hunt.name, hunt.export.tenant or self.tenant_id)
        landed = (date.fromisoformat(day.name[5:]) for day in folder.glob("date=*"))
        return min([oldest, *landed])


def dagster_name(text: str) -> str:
    """The text with everything that Dagster's names don't allow as underscores."""
    return re.sub(r"\W", "_", text, flags=re.ASCII).lower()


def load_tenant_hunts() -> TenantHunts:
    """The configured tenant and catalogue; a hunt file that can't be read is logged, and kept."""
    paths = load_paths()
    catalogue = load_hunts(paths.hunts)
    for error in catalogue.errors:
        _log.error("a hunt was left out: %s", error)
    return TenantHunts(paths.tenant_id, catalogue, LakeLayout(paths.data))

"""What a hunt is: a named KQL query and how to export it.

What belongs here: the values. What does not: reading them from files (``hunt_files``).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from pipelines.periods import Period, format_period
from pipelines.schedule import NIGHTLY, Schedule

Partitioning = Literal["hourly", "daily", "snapshot"]
SurfaceName = Literal["xdr", "graph", "mde"]

# The schema of the lake's own tables, of which neither a hunt nor a tenant may have the name.
RESERVED_NAME: Final = "huntlake"

# What was removed while the service still has it would be loaded again, night after night.
_SHORTEST_RETENTION: Final = timedelta(days=31)
_SHORTEST_SETTLING: Final = timedelta(hours=1)
_LONGEST_SETTLING: Final = timedelta(days=30)


def _long_enough(retention: timedelta) -> timedelta:
    if retention < _SHORTEST_RETENTION:
        raise ValueError(
            f"{format_period(retention)} is shorter than {format_period(_SHORTEST_RETENTION)}, "
            f"within which the service has the same data and it would be loaded again"
        )
    return retention


def _sensible(settling: timedelta) -> timedelta:
    if not _SHORTEST_SETTLING <= settling <= _LONGEST_SETTLING:
        raise ValueError(
            f"{format_period(settling)} is not from {format_period(_SHORTEST_SETTLING)} to "
            f"{format_period(_LONGEST_SETTLING)}, for which the service has what it could wait for"
        )
    return settling


Retention = Annotated[Period, AfterValidator(_long_enough)]
Settling = Annotated[Period, AfterValidator(_sensible)]


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How a hunt is exported: the ``export:`` key of its file.

    ``start`` is the first date of its partitions (default: 30 days before the catalogue loads, as
    the service keeps no more). ``surface`` overrides the tenant's. ``tenants`` are those that the
    hunt is for, where it isn't for all; ``tenant`` is one of them or, where no file says which
    there are, one in the place of the environment's.
    ``time_column`` names the event tables' time column where it is not ``Timestamp``.
    ``reference_tables`` are read whole, whatever the partition's window: lists of what is, such as
    ``IdentityInfo``, which a hunt looks things up in. ``verdict`` overrides what the analysis says
    of how the hunt may be cut, for the ``verdict_reason`` that must be given; ``key`` names the
    answer's columns by whose hash a keyed one may be split.

    ``retention`` is how long after its end a partition stays in the lake (default: for good).

    ``settle`` is how long after its end a partition is first loaded, since events come late; of a
    snapshot, how long after its day began. ``schedule`` says when: nightly, hourly, by a
    cron text in UTC, or never by itself (``None``). ``retries`` is how often a run tries again
    what may pass by itself. ``fresh_within`` is how old the newest load may be before Dagster
    calls the asset stale (default: by the schedule). ``settling`` is for how long counts of a
    partition must not have grown until no more late events are expected (``late``).
    """

    partitions: Partitioning = "daily"
    start: date | None = None
    surface: SurfaceName | None = None
    tenant: str | None = None
    tenants: tuple[str, ...] = ()
    time_column: str | None = None
    reference_tables: tuple[str, ...] = ()
    verdict: Literal["row-wise", "keyed", "whole"] | None = None
    verdict_reason: str | None = None
    key: tuple[str, ...] = ()
    retention: Retention | None = None
    settling: Settling = timedelta(days=3)
    group: str | None = None
    owners: tuple[str, ...] = ()
    schedule: Schedule = NIGHTLY
    settle: Period = timedelta(hours=2)
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    fresh_within: Period | None = None


@dataclass(frozen=True, slots=True)
class Hunt:
    """A named KQL query. ``name`` is its file's stem in snake case."""

    name: str
    query: str
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    export: ExportSettings = field(default_factory=ExportSettings)
    path: Path | None = None

    @property
    def fingerprint(self) -> str:
        """Changes when what the hunt returns may change: its query, or what restricts its tables.

        Not with ``verdict``: that says how to ask for the same rows.
        """
        export = self.export
        tables = sorted(export.reference_tables)
        text = "\0".join((export.time_column or "", export.partitions, *tables, self.query))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

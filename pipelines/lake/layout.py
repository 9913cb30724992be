"""Where everything lies under the data folder.

    lake.duckdb                                          the catalogue: one view a hunt
    lake/<hunt>/tenant=<t>/date=<d>/data.parquet         a day, or a snapshot taken that day
    lake/<hunt>/tenant=<t>/date=<d>/hour=<h>/data.parquet
    journal/<kind>/tenant=<t>/<month>.parquet            what was done to the lake, and when
    state/ledger.sqlite                                  every call to every tenant
    state/staged/<hunt>/<tenant>/<partition>/<key>/      slices not yet committed
    state/history/<hunt>/<tenant>/                       what its answers weigh, and counts
    state/locks/                                         one call, one export at a time

What belongs here: paths. What does not: what the files hold.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.hunts import Hunt, SurfaceName
from pipelines.slicing import Partition
from pipelines.windows import datetime_from_instant

DATA_FILE: Final = "data.parquet"
# The folders' names are columns of every view, so no landed column may bear one of them.
PARTITION_COLUMNS: Final = ("tenant", "date", "hour")


@dataclass(frozen=True, slots=True)
class LakeLayout:
    """Paths under one data folder. Makes no folder by itself."""

    root: Path

    @property
    def catalogue(self) -> Path:
        """The DuckDB file that analysts open."""
        return self.root / "lake.duckdb"

    @property
    def lake(self) -> Path:
        """The folder of committed partitions."""
        return self.root / "lake"

    def journal_folder(self, kind: str) -> Path:
        """The files of one journal, tenant by tenant."""
        return self.root / "journal" / kind

    @property
    def state(self) -> Path:
        """The folder of what huntlake itself needs between runs."""
        return self.root / "state"

    @property
    def ledger(self) -> Path:
        """The quota ledger."""
        return self.state / "ledger.sqlite"

    @property
    def locks(self) -> Path:
        """The folder of lock files."""
        return self.state / "locks"

    def hunt_folder(self, hunt: str, tenant: str) -> Path:
        """All partitions of one hunt in one tenant."""
        return self.lake / hunt / f"tenant={tenant}"

    def partition_file(self, hunt: str, tenant: str, partition: Partition) -> Path:
        """The one file of a partition, there or not."""
        start = datetime_from_instant(partition.window.start)
        folder = self.hunt_folder(hunt, tenant) / f"date={start:%Y-%m-%d}"
        if partition.partitioning == "hourly":
            folder /= f"hour={start:%H}"
        return folder / DATA_FILE

    def hunt_files(self, hunt: str) -> list[Path]:
        """The files of all committed partitions of a hunt, tenant by tenant, oldest first."""
        folder = self.lake / hunt
        files = [*folder.glob(f"*/*/{DATA_FILE}"), *folder.glob(f"*/*/hour=*/{DATA_FILE}")]
        return sorted(files, key=str)

    def tenant_files(self, hunt: str, tenant: str) -> list[Path]:
        """The files of a hunt's committed partitions in one tenant, oldest first."""
        folder = self.hunt_folder(hunt, tenant)
        files = [*folder.glob(f"*/{DATA_FILE}"), *folder.glob(f"*/hour=*/{DATA_FILE}")]
        return sorted(files, key=str)

    def tenant_folder(self, partition_file: Path) -> Path:
        """The folder of the tenant that a partition's file is of."""
        within = partition_file.relative_to(self.lake)
        return self.lake / Path(*within.parts[:2])

    def partition_words(self, partition_file: Path) -> str:
        """Which partition a file is, for a sentence."""
        _, tenant, *when = (
            part.partition("=")[2] for part in partition_file.parent.relative_to(self.lake).parts
        )
        hour = f"-{when[1]}:00" if len(when) > 1 else ""
        return f"partition {when[0]}{hour} of tenant {tenant}"

    def staging_folder(
        self, hunt: Hunt, tenant: str, surface: SurfaceName, partition: Partition
    ) -> Path:
        """Where a partition's slices wait; another one when the hunt changes what it returns."""
        identity = f"{hunt.fingerprint}\0{surface}\0{partition.window}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        safe_key = partition.key.replace(":", "")
        return self.state / "staged" / hunt.name / tenant / safe_key / digest

    def history_folder(self, hunt: str, tenant: str) -> Path:
        """What earlier answers to a hunt taught."""
        return self.state / "history" / hunt / tenant

    def hunt_lock(self, hunt: str) -> Path:
        """The lock file under which a hunt's partitions are committed one at a time."""
        return self.locks / f"commit-{hunt}.lock"

    def partition_lock(self, hunt: str, tenant: str, partition: Partition) -> Path:
        """The lock file that keeps two exports of one partition apart."""
        safe_key = partition.key.replace(":", "")
        return self.locks / f"partition-{hunt}-{tenant}-{safe_key}.lock"

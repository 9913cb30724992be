"""Where everything lies under the data folder.

    lake.duckdb                                          the catalogue: views over all of this
    lake/<hunt>/tenant=<t>/date=<d>/data.parquet         a day, or a snapshot taken that day
    lake/<hunt>/tenant=<t>/date=<d>/hour=<h>/data.parquet
    lake/<hunt>/_hunt.json                               what the hunt is: its card
    index/<hunt>/tenant=<t>.parquet                      the receipts of its partitions, in one file
    journal/<kind>/tenant=<t>/<month>.parquet            what was done to the lake, and when
    state/ledger.sqlite                                  every call to every tenant
    state/staged/<hunt>/<tenant>/<partition>/<key>/      slices not yet committed
    state/staged/<hunt>/<tenant>/<partition>/<key>-late/ what came late of a committed partition
    state/history/<hunt>/<tenant>/                       what its answers weigh, and counts
    state/catalogue.json                                 what the catalogue was made of
    state/locks/                                         one call, one export at a time

What belongs here: paths. What does not: what the files hold.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.hunts import Hunt, SurfaceName
from pipelines.slicing import Partition
from pipelines.windows import datetime_from_instant

DATA_FILE: Final = "data.parquet"
# Readers of Parquet that take a whole folder pass over names that start so.
CARD_FILE: Final = "_hunt.json"
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

    @property
    def index(self) -> Path:
        """The folder of what ``huntlake.partitions`` is read from: the receipts, in few files."""
        return self.root / "index"

    def index_file(self, hunt: str, tenant: str) -> Path:
        """The receipts of one hunt's partitions in one tenant."""
        return self.index / hunt / f"tenant={tenant}.parquet"

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
    def catalogue_contents(self) -> Path:
        """What the catalogue was made of; without it the catalogue is made anew."""
        return self.state / "catalogue.json"

    @property
    def locks(self) -> Path:
        """The folder of lock files."""
        return self.state / "locks"

    def hunt_folder(self, hunt: str, tenant: str) -> Path:
        """All partitions of one hunt in one tenant."""
        return self.lake / hunt / f"tenant={tenant}"

    def hunt_card(self, hunt: str) -> Path:
        """What the hunt is."""
        return self.lake / hunt / CARD_FILE

    def partition_file(self, hunt: str, tenant: str, partition: Partition) -> Path:
        """The one file of a partition, there or not."""
        start = datetime_from_instant(partition.window.start)
        folder = self.hunt_folder(hunt, tenant) / f"date={start:%Y-%m-%d}"
        if partition.partitioning == "hourly":
            folder /= f"hour={start:%H}"
        return folder / DATA_FILE

    def hunt_files(self, hunt: str, tenant: str | None = None) -> list[Path]:
        """The files of a hunt's committed partitions, tenant by tenant, oldest first.

        Of all tenants, or of one.
        """
        folder = self.lake / hunt
        tenants = _names(folder, "tenant=") if tenant is None else [f"tenant={tenant}"]
        files = [each for name in tenants for each in _data_files(f"{folder}{os.sep}{name}")]
        return [Path(each) for each in sorted(files)]

    def partition_keys(self, hunt: str, tenant: str) -> set[str]:
        """The keys of a hunt's committed partitions in one tenant, told by their files' places."""
        return set(map(_key, _data_files(str(self.hunt_folder(hunt, tenant)))))

    def landed(self) -> list[tuple[str, str]]:
        """Every hunt and tenant that has a folder in the lake."""
        hunts = _names(self.lake, "")
        return [
            (hunt, name.partition("=")[2])
            for hunt in sorted(hunts)
            for name in sorted(_names(self.lake / hunt, "tenant="))
        ]

    def tenant_of(self, partition_file: Path) -> str:
        """The tenant that a partition's file is of."""
        return partition_file.relative_to(self.lake).parts[1].partition("=")[2]

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

    def mending_folder(
        self, hunt: Hunt, tenant: str, surface: SurfaceName, partition: Partition
    ) -> Path:
        """Where what is pulled again of a committed partition waits, apart from an export's."""
        folder = self.staging_folder(hunt, tenant, surface, partition)
        return folder.with_name(f"{folder.name}-late")

    def mending_folders(self, hunt: str, tenant: str) -> list[Path]:
        """All such folders of a hunt that are there."""
        return sorted((self.state / "staged" / hunt / tenant).glob("*/*-late"))

    def history_folder(self, hunt: str, tenant: str) -> Path:
        """What earlier answers to a hunt taught."""
        return self.state / "history" / hunt / tenant

    def hunt_lock(self, hunt: str, tenant: str) -> Path:
        """The lock file under which a tenant's partitions of a hunt are committed one at a time."""
        return self.locks / f"commit-{hunt}-{tenant}.lock"

    def partition_lock(self, hunt: str, tenant: str, partition: Partition) -> Path:
        """The lock file that keeps two exports of one partition apart."""
        safe_key = partition.key.replace(":", "")
        return self.locks / f"partition-{hunt}-{tenant}-{safe_key}.lock"


def _data_files(tenant: str) -> Iterator[str]:
    # Not by pathlib's glob, which takes several times as long over a thousand partitions.
    for date in _names(tenant, ""):
        day = f"{tenant}{os.sep}{date}"
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(day):  # noqa: PTH208
                if name == DATA_FILE:
                    yield f"{day}{os.sep}{name}"
                path = f"{day}{os.sep}{name}{os.sep}{DATA_FILE}"
                if name.startswith("hour=") and os.path.exists(path):  # noqa: PTH110
                    yield path


def _key(data_file: str) -> str:
    """The key of a partition, from the place of its file."""
    # A path object of each would take ten times as long.
    *_, before, last, _ = data_file.split(os.sep)  # noqa: PTH206
    date, hour = (before, last) if last.startswith("hour=") else (last, "")
    return date.removeprefix("date=") + (f"-{hour.removeprefix('hour=')}:00" if hour else "")


def _names(folder: str | Path, prefix: str) -> list[str]:
    """The folders in a folder, of which it may have none, or be none."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return [each.name for each in entries if each.name.startswith(prefix) and each.is_dir()]
    return []

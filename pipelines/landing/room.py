"""Whether what is to be written has a place, seen before quota is spent on it.

What belongs here: looking at folders and the room on their disks. What does not: writing, which
finds out for itself where this could not (``files``).
"""

import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.errors import LakeUnwritable
from pipelines.landing.files import writing

# The ledger, locks and the catalogue grow too, by far less than this.
_LEAST_BYTES: Final = 16 * 2**20
_PROBE_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Need:
    """A folder, there or not yet, and how many bytes are to be written into it."""

    folder: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Room:
    """What an answer needs on disk: where it is staged, and where it is committed."""

    needs: tuple[Need, ...]

    def refuse_if_lacking(self, hunt: str, partition: str) -> None:
        """Raise ``LakeUnwritable`` where a folder can't be written or its disk is too full.

        Costs a few microseconds, so it is asked before each call.
        """
        where = f"{hunt}, partition {partition}"
        wanted: Counter[int] = Counter()
        for need in self.needs:
            there = _there(need.folder)
            if not os.access(there, os.W_OK | os.X_OK, effective_ids=_EFFECTIVE):
                raise LakeUnwritable(
                    f"{where}: {there} can't be written by this user, or "
                    f"lies on a disk that is read-only. No call was made; see who may write there"
                )
            device = there.stat().st_dev
            wanted[device] += need.bytes
            self._refuse_full(
                there, wanted[device] + _LEAST_BYTES, f"{hunt}, partition {partition}"
            )

    def probe(self) -> None:
        """Write into each folder, or the one that it will be made in, and leave nothing there.

        A quota of the disk, or a share that only looks writable, shows in nothing less. Raises
        ``LakeUnwritable``.
        """
        for need in self.needs:
            there = _there(need.folder)
            with writing(there), tempfile.TemporaryFile(dir=there) as file:
                file.write(b"\0" * _PROBE_BYTES)

    def _refuse_full(self, there: Path, wanted: int, where: str) -> None:
        disk = os.statvfs(there)
        free = disk.f_bavail * disk.f_frsize
        if free < wanted:
            raise LakeUnwritable(
                f"{where}: the disk of {there} has {_mib(free)} left, and the next answer may need "
                f"{_mib(wanted)}. No call was made; make room, and run the export again"
            )
        if disk.f_files and not disk.f_favail:
            raise LakeUnwritable(
                f"{where}: the disk of {there} can hold no more files (it has no inodes left). No "
                f"call was made; remove some, and run the export again"
            )


_EFFECTIVE: Final = os.access in os.supports_effective_ids


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"

"""Writing a file so that it is there whole, or not at all.

What belongs here: the atomic step that staging and committing share, and the error where a disk
says no. What does not: contents.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import LakeUnwritable


def write_atomically(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a file beside ``target``, and rename it into place once it is on disk.

    After a power cut either the old file is there or the new one. Raises ``LakeUnwritable`` where
    the disk says no; what was at ``target`` is then untouched, and nothing is left beside it.
    Only one process at a time may write a target: what a killed one left is written over.
    """
    beside = target.with_name(f".{target.name}.partial")
    with writing(target):
        _make_folder(target.parent)
        try:
            write(beside)
            _sync(beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        _sync(target.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the operating system says against writing a path into ``LakeUnwritable``."""
    try:
        yield
    except OSError as error:
        raise LakeUnwritable(
            f"{path} can't be written: {error.strerror or error}. What was there before is "
            f"unharmed; make room, or see who may write there, and run the export again"
        ) from error


def _make_folder(folder: Path) -> None:
    """Make it, and let its way down from the folders that were there before be on disk too."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in new:
        _sync(each.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The hunt catalogue: a folder of files, a file a hunt.

What belongs here: finding the files, and what their hunts are called. What does not: reading one
file (``hunt_formats``), or what a query means (``kql``).

One bad file hides no other hunt, and is not silent: its error is kept beside the hunts that load.
"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipelines.errors import HuntFileError, HuntNotFound
from pipelines.hunt_formats import READERS, read_hunt
from pipelines.hunts import RESERVED_NAME, Hunt

_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN_WORDS: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The hunts of a folder by name, and what is wrong with the files that hold none."""

    hunts: Mapping[str, Hunt]
    failed: Mapping[str, HuntFileError] = field(default_factory=dict)
    """By the name that the hunt would have."""

    @property
    def errors(self) -> tuple[HuntFileError, ...]:
        """What is wrong, a file each."""
        return tuple(self.failed.values())

    def hunt(self, name: str) -> Hunt:
        """The hunt of that name; ``HuntNotFound`` lists near names, or says why it didn't load."""
        if name in self.hunts:
            return self.hunts[name]
        if name in self.failed:
            raise HuntNotFound(f"the hunt {name} could not be loaded: {self.failed[name]}")
        near = difflib.get_close_matches(name, self.hunts, n=3, cutoff=0.5)
        if near:
            raise HuntNotFound(f"there is no hunt {name}; did you mean {' or '.join(near)}?")
        listed = ", ".join(sorted(self.hunts)) or "none at all"
        raise HuntNotFound(f"there is no hunt {name}; the catalogue has {listed}")


def load_hunts(folder: Path) -> Catalogue:
    """Every hunt in the folder and the folders below it, hidden ones aside.

    Raises ``HuntFileError`` only where the folder itself can't be read.
    """
    if not folder.is_dir():
        raise HuntFileError(
            f"{folder}: there is no such folder of hunts; create it, or set HUNTLAKE_HUNTS to "
            f"the one that you mean"
        )
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in _hunt_files(folder):
        by_name[hunt_name(path)].append(path)
    hunts: dict[str, Hunt] = {}
    failed: dict[str, HuntFileError] = {}
    for name, paths in sorted(by_name.items()):
        try:
            hunts[name] = _read_only(name, paths)
        except HuntFileError as error:
            failed[name] = error
    return Catalogue(MappingProxyType(hunts), MappingProxyType(failed))


def hunt_name(path: Path) -> str:
    """The stem of the file in snake case: ``Encoded PowerShell.yaml`` is encoded_power_shell."""
    ascii_stem = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    words = _WORD_STARTS.sub("_", ascii_stem).lower()
    return _BETWEEN_WORDS.sub("_", words).strip("_")


def _hunt_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in READERS and not hidden and path.is_file():
            yield path


def _read_only(name: str, paths: list[Path]) -> Hunt:
    """The hunt of the one file that has the name."""
    if not name:
        raise HuntFileError(
            f"{paths[0]}:1: a hunt is called what its file is called, and this name has no letter "
            f"or digit; rename the file"
        )
    if name == RESERVED_NAME:
        raise HuntFileError(
            f"{paths[0]}:1: {name} is what the lake's own tables are called; rename the file"
        )
    if len(paths) > 1:
        listed = " and ".join(str(path) for path in paths)
        raise HuntFileError(f"{listed}: these files name one hunt, {name}; rename all but one")
    return read_hunt(paths[0], name)

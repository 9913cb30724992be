"""The columns of a hunt's committed partitions, in all tenants: what its view spans.

What belongs here: reading them from the files' footers, each once. What does not: which columns fit
together (``landing``'s evolution), or the view (``catalogue``).
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from pipelines.errors import LakeUnwritable
from pipelines.lake.layout import LakeLayout
from pipelines.landing import Changes, Columns, Siblings, changes, columns_of, writing

# A file that is written over has another inode, since a commit is a rename.
_Version = tuple[int, int, int]


class LandedColumns:
    """One hunt's columns by partition. A footer is read when it is first asked for, or changed.

    Half a millisecond a footer and 20 microseconds to see that one is what it was, so a thousand
    partitions cost half a second once, and 20 ms for each commit that follows.
    """

    def __init__(self, layout: LakeLayout, hunt: str) -> None:
        self.hunt = hunt
        self._layout = layout
        self._read: dict[Path, tuple[_Version, Columns]] = {}

    @contextmanager
    def unchanging(self) -> Iterator[None]:
        """Keep other exports of the hunt from committing, so that what fits goes on to fit."""
        path = self._layout.hunt_lock(self.hunt)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def shapes(self) -> Mapping[Columns, str]:
        """Every set of columns that occurs, and the newest partition that has it."""
        return self._shapes(except_for=None)

    def siblings(self, target: Path) -> Siblings:
        """All partitions but the one at ``target``, which is to be committed."""
        nearest = self._nearest(target)
        return Siblings(
            self._shapes(except_for=target), () if nearest is None else self._columns(nearest)
        )

    def changes(self, target: Path) -> Changes | None:
        """How the partition at ``target`` differs from the one before it in its tenant.

        Of the oldest, from the one after it; ``None`` where there is no other that has columns.
        Not from all others: a column that is gone for good would be news for ever.
        """
        nearest = self._nearest(target)
        if nearest is None:
            return None
        against = self._layout.partition_words(nearest)
        return changes(self._columns(target), self._columns(nearest), against)

    def _shapes(self, *, except_for: Path | None) -> Mapping[Columns, str]:
        newest: dict[Columns, Path] = {}
        for path in self._layout.hunt_files(self.hunt):
            if path != except_for and (columns := self._columns(path)):
                newest[columns] = path
        return {columns: self._layout.partition_words(path) for columns, path in newest.items()}

    def _nearest(self, target: Path) -> Path | None:
        tenant = self._layout.tenant_folder(target)
        files = [path for path in self._layout.hunt_files(self.hunt) if path.is_relative_to(tenant)]
        before = [path for path in files if path < target]
        after = [path for path in files if path > target]
        return next((path for path in (*reversed(before), *after) if self._columns(path)), None)

    def _columns(self, path: Path) -> Columns:
        """A partition's columns; none of a file that is gone or no partition of ours."""
        try:
            found = path.stat()
            version = (found.st_ino, found.st_mtime_ns, found.st_size)
            known = self._read.get(path)
            if known is None or known[0] != version:
                known = self._read[path] = (version, columns_of(pq.read_schema(path)))
        except OSError as error:
            # Without a number it is pyarrow's own, for a damaged footer.
            if error.errno in (None, errno.ENOENT):
                return ()
            raise LakeUnwritable(
                f"{path} can't be read: {error.strerror or error}; see what stands there, and who "
                f"may read it"
            ) from error
        except pa.ArrowInvalid:
            return ()
        return known[1]

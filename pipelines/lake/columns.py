"""The columns of a hunt's committed partitions: what its views span.

What belongs here: reading them from the files' footers, each once. What does not: which columns fit
together (``landing``'s evolution), or the views (``catalogue``).

Within a tenant all partitions have to fit together, so that its view is whole. What one tenant's
service answers is no reason to refuse another's partition: the view across tenants shows what fits.
"""

import errno
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    About a millisecond a footer and 40 microseconds to see that one is what it was: a thousand
    partitions cost a second once, and 40 ms for each commit that follows.
    """

    def __init__(self, layout: LakeLayout, hunt: str) -> None:
        self.hunt = hunt
        self._layout = layout
        self._read: dict[Path, tuple[_Version, Columns]] = {}
        self._same: dict[Columns, Columns] = {}

    @contextmanager
    def unchanging(self, target: Path) -> Iterator[None]:
        """Keep other exports of the hunt in the target's tenant from committing.

        So what fits beside its other partitions goes on to fit.
        """
        path = self._layout.hunt_lock(self.hunt, self._layout.tenant_of(target))
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def shapes(self, tenant: str | None = None) -> Mapping[Columns, str]:
        """Every set of columns that occurs, in all tenants or one, and the newest partition of it.

        Of all, the newest one of the last tenant that has it.
        """
        return self.shapes_of(self._layout.hunt_files(self.hunt, tenant))

    def siblings(self, target: Path) -> Siblings:
        """The tenant's partitions but the one at ``target``, which is to be committed."""
        files = self._files_beside(target)
        nearest = self._nearest(target, files)
        latest = () if nearest is None else self._columns(nearest)
        return Siblings(self.shapes_of(path for path in files if path != target), latest)

    def changes(self, target: Path) -> Changes | None:
        """How the partition at ``target`` differs from the one before it in its tenant.

        Of the oldest, from the one after it; ``None`` where there is no other that has columns.
        Not from all others: a column that is gone for good would be news for ever.
        """
        nearest = self._nearest(target, self._files_beside(target))
        if nearest is None:
            return None
        against = self._layout.partition_words(nearest)
        return changes(self._columns(target), self._columns(nearest), against)

    def shapes_of(self, files: Iterable[Path]) -> Mapping[Columns, str]:
        """Every set of columns that occurs in some partitions, and the newest that has it."""
        # By identity, since to hash the columns of a thousand partitions takes a while.
        newest: dict[int, tuple[Columns, Path]] = {}
        for path in files:
            if columns := self._columns(path):
                newest[id(columns)] = (columns, path)
        return {columns: self._layout.partition_words(path) for columns, path in newest.values()}

    def _files_beside(self, target: Path) -> list[Path]:
        return self._layout.hunt_files(self.hunt, self._layout.tenant_of(target))

    def _nearest(self, target: Path, files: Sequence[Path]) -> Path | None:
        at = bisect_left(files, str(target), key=str)
        others = (*reversed(files[:at]), *(path for path in files[at:] if path != target))
        return next((path for path in others if self._columns(path)), None)

    def _columns(self, path: Path) -> Columns:
        """A partition's columns; none of a file that is gone or no partition of ours."""
        try:
            found = path.stat()
            version = (found.st_ino, found.st_mtime_ns, found.st_size)
            known = self._read.get(path)
            if known is None or known[0] != version:
                columns = columns_of(pq.read_schema(path))
                known = self._read[path] = (version, self._same.setdefault(columns, columns))
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

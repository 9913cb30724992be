"""The receipts of committed partitions in few files, from which ``huntlake.partitions`` is read.

What belongs here: keeping them as the lake is. What does not: what is told of a partition
(``tables``). The receipts in the partitions' own files are what counts; this can be made again from
them. DuckDB could read those itself, but takes four seconds for 10,000 partitions; so they stand in
a file for each hunt and tenant, which takes a tenth of one.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from pipelines.lake.generations import names, newest, remove, write_next
from pipelines.lake.layout import LakeLayout
from pipelines.lake.tables import EMPTY_FILE, INDEX, JOURNALS, MODIFIED, SHAPE
from pipelines.landing import columns_of, read_receipt, write_atomically, writing
from pipelines.windows import NANOSECONDS_PER_TICK, datetime_from_instant

# A partition's file by its path, its size, and when it was written.
_Version = tuple[str, int, int]


def index_partitions(layout: LakeLayout, hunt: str, tenant: str) -> None:
    """Bring the index of one hunt in one tenant up to date. Raises ``LakeUnwritable``.

    Only files that were written since are opened.
    """
    target = layout.index_file(hunt, tenant)
    lock = layout.locks / f"index-{hunt}-{tenant}.lock"
    with writing(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        before = _read(newest(target))
        known = {version: at for at, version in enumerate(_versions(before))}
        there = dict(_there(layout, hunt, tenant))
        new = [
            each
            for version, path in there.items()
            if version not in known and (each := _row(hunt, tenant, version, path))
        ]
        kept = [at for version, at in known.items() if version in there]
        if not new and len(kept) == before.num_rows:
            return
        table = pa.concat_tables(
            [before.take(pa.array(kept, pa.int64())), pa.Table.from_pylist(new, INDEX.schema)]
        )
        if table.num_rows:
            write_next(target, table.sort_by("path"))
        else:
            remove(target)


def index_all(layout: LakeLayout) -> None:
    """Bring the index of all hunts and tenants up to date, also of those that are gone."""
    indexed = {
        (folder.name, path.stem.partition("=")[2])
        for folder in layout.index.glob("*/")
        for path in names(folder)
        if path.stem.startswith("tenant=")
    }
    for hunt, tenant in sorted(indexed.union(layout.landed())):
        index_partitions(layout, hunt, tenant)


def make_readable(layout: LakeLayout) -> None:
    """See that every table of the catalogue can be read before it has a row."""
    for kept in (INDEX, *JOURNALS):
        folder = layout.index if kept is INDEX else layout.journal_folder(kept.kind)
        if not (folder / EMPTY_FILE).exists():
            path, empty = folder / EMPTY_FILE, kept.schema.empty_table()
            write_atomically(path, partial(pq.write_table, empty))


def _there(layout: LakeLayout, hunt: str, tenant: str) -> Iterator[tuple[_Version, Path]]:
    """The partitions' files, by what tells each from what it was before."""
    for path in layout.hunt_files(hunt, tenant):
        with suppress(FileNotFoundError):
            found = path.stat()
            name = str(path)[len(str(layout.root)) + 1 :]
            yield (name, found.st_size, found.st_mtime_ns), path


def _versions(table: pa.Table) -> Iterator[_Version]:
    columns = (table.column(name).to_pylist() for name in ("path", "bytes", MODIFIED))
    return zip(*columns, strict=True)


def _row(hunt: str, tenant: str, version: _Version, path: Path) -> dict[str, Any] | None:
    """What the index says of a file; nothing of one that is none of ours."""
    receipt = read_receipt(path)
    if receipt is None:
        return None
    told = {name: getattr(receipt, name) for name in INDEX.schema.names if hasattr(receipt, name)}
    name, size, modified_ns = version
    return {
        **told,
        # Of a partition that was moved, the place says whose it is.
        "tenant": tenant,
        "hunt": hunt,
        "window_start": datetime_from_instant(receipt.window.start),
        "window_end": datetime_from_instant(receipt.window.end),
        "committed_at": datetime_from_instant(receipt.committed_ns // NANOSECONDS_PER_TICK),
        "path": name,
        "bytes": size,
        SHAPE: _shape(path),
        MODIFIED: modified_ns,
    }


def _shape(path: Path) -> str:
    """The columns of a file, as the same text for the same columns."""
    columns = columns_of(pq.read_schema(path))
    return json.dumps([[each.landed, each.wire_name, each.wire_type] for each in columns])


def _read(path: Path | None) -> pa.Table:
    """The index as it was; empty where it is none of ours."""
    if path is None:
        return INDEX.schema.empty_table()
    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowInvalid):
        # No reader of the tables could pass it by.
        with writing(path):
            path.unlink(missing_ok=True)
    else:
        if table.schema.equals(INDEX.schema):
            return table
    return INDEX.schema.empty_table()

"""What the footers of a hunt's files say: a millisecond or two for each, and no row is read.

What belongs here: from a file to what is known of its partition. What does not: judging it. A year
of hours is kept in memory at once, so of a receipt only what is found in it stays.
"""

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.hunts import Partitioning
from pipelines.lake import LakeLayout
from pipelines.landing import Columns, Receipt, columns_of, parse_receipt
from pipelines.slicing import Partition, partition
from pipelines.soundness.proof import contradictions, misplaced, unproven

# Where pyarrow writes a schema beside Parquet's own.
_SCHEMA_KEY: Final = b"ARROW:schema"

# Several partitions share a file's name and differ in the folders above it.
_FOLDERS: Final[Mapping[Partitioning, int]] = {"daily": 1, "snapshot": 1, "hourly": 2}


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """The part of an answer below the cap that a partition has; ``answer`` tells answers apart."""

    answer: tuple[str | None, str, int]
    rows: int


@dataclass(frozen=True, slots=True)
class Landed:
    """One file of a hunt. ``partition`` is None where none of the hunt's can lie there.

    ``rows`` is what its footer says. ``problems`` are in words; a file that can't be read, or has
    no receipt, has them too. ``may_be_cut`` are the slices, in words, that nothing proves whole.
    ``kept_aside`` is by the service's names of columns (None: an older huntlake did not say).
    """

    path: Path
    partition: Partition | None
    rows: int = 0
    problems: tuple[str, ...] = ()
    fingerprint: str = ""
    may_be_cut: tuple[str, ...] = ()
    whole_answers: tuple[WholeAnswer, ...] = ()
    values_kept_aside: int = 0
    kept_aside: Mapping[str, int] | None = field(default_factory=dict)
    columns: Columns = ()

    @property
    def name(self) -> str:
        """What to call it."""
        return self.partition.key if self.partition else str(self.path)


def read_landed(
    layout: LakeLayout, hunt: str, tenant: str, partitioning: Partitioning
) -> list[Landed]:
    """All files of a hunt in a tenant, oldest first."""
    folder = layout.hunt_folder(hunt, tenant)
    shared: dict[bytes, Columns] = {}
    return [
        landed
        for path in layout.hunt_files(hunt, tenant)
        if (landed := read_file(path, folder, hunt, tenant, partitioning, shared)) is not None
    ]


def read_file(  # noqa: PLR0913, PLR0917 - where it lies, what should lie there, and what is shared
    path: Path,
    folder: Path,
    hunt: str,
    tenant: str,
    partitioning: Partitioning,
    shared: dict[bytes, Columns] | None = None,
) -> Landed | None:
    """What is known of a file under the tenant's ``folder``; ``None`` where it is gone.

    ``shared`` are the columns of files read before, by their schema as it is written.
    """
    there = _partition_of(path, folder, partitioning)
    try:
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOENT:
            return None
        return Landed(path, there, problems=(f"its file can't be read: {error}",))
    receipt = parse_receipt(footer)
    if there is None:
        unit = "hour" if partitioning == "hourly" else "day"
        problem = f"no {unit} of the hunt lies here, and yet its view shows these rows"
        return Landed(path, None, footer.num_rows, (problem,))
    if receipt is None:
        problem = "its file has no receipt of huntlake's, so that nothing proves it whole"
        return Landed(path, there, footer.num_rows, (problem,))
    return Landed(
        path,
        there,
        rows=footer.num_rows,
        problems=(
            *misplaced(receipt, hunt=hunt, tenant=tenant, partition=there),
            *contradictions(receipt, rows_in_file=footer.num_rows),
        ),
        fingerprint=receipt.fingerprint,
        may_be_cut=tuple(
            f"{each.span}: {each.rows:,} rows, limit {each.limit:,}" for each in unproven(receipt)
        ),
        whole_answers=tuple(_whole_answers(receipt)),
        values_kept_aside=receipt.kept_aside,
        kept_aside=receipt.kept_aside_by_column if receipt.kept_aside else {},
        columns=_columns(footer, {} if shared is None else shared),
    )


def _columns(footer: pq.FileMetaData, shared: dict[bytes, Columns]) -> Columns:
    # To parse it takes as long as all else of the footer, and most partitions have the same.
    written = footer.metadata.get(_SCHEMA_KEY, b"")
    if not written:
        return columns_of(footer.schema.to_arrow_schema())
    if written not in shared:
        shared[written] = columns_of(footer.schema.to_arrow_schema())
    return shared[written]


def _partition_of(path: Path, folder: Path, partitioning: Partitioning) -> Partition | None:
    """The partition of the hunt whose file it is, by its folders."""
    folders = path.parent.relative_to(folder).parts
    if len(folders) != _FOLDERS[partitioning]:
        return None
    day, *hour = (name.partition("=")[2] for name in folders)
    try:
        return partition(partitioning, f"{day}-{hour[0]}:00" if hour else day)
    except ValueError:
        return None


def _whole_answers(receipt: Receipt) -> Iterator[WholeAnswer]:
    for each in receipt.slices:
        if each.proof == "whole answer" and each.rows:
            yield WholeAnswer((each.request_id, each.body_sha256, each.pulled_ns), each.rows)

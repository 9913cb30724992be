"""The lake's own retention: partitions that are older than their hunt lets them stay.

What belongs here: which they are, and removing them. What does not: when that is done (``assets``,
``commands``), or the rows that tell of it (``lake.tables``).

A partition is there whole or it is gone: its file is unlinked, oldest first, while no export holds
it. A query that has the file open reads on to its end; one that has listed it and not opened it yet
fails and names it, and has what is there when it is asked again. What is removed can't be had
again, so nothing is that the service still has, or that is no partition of ours.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from pipelines.clock import Clock, now_ticks
from pipelines.errors import RetentionTooShort
from pipelines.hunts import Hunt
from pipelines.lake import REMOVALS, Journal, LakeLayout, LandedColumns, publish
from pipelines.landing import Receipt, read_receipt, writing
from pipelines.periods import format_period
from pipelines.slicing import Partition, partition
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_MICROSECOND, datetime_from_instant

# A partition may have been loaded up to the horizon, and its recounts end there.
_MARGIN: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Outlived:
    """A partition that has been in the lake for longer than it may."""

    partition: Partition
    path: Path
    file_bytes: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Retained:
    """What retention found of one hunt in one tenant, and removed if it was asked to.

    ``busy`` are those that another process held, and that stay for the next time.
    """

    hunt: str
    tenant: str
    retention: timedelta
    outlived: tuple[Outlived, ...]
    busy: int = 0

    @property
    def rows(self) -> int:
        """Their rows."""
        return sum(each.receipt.rows for each in self.outlived)

    @property
    def file_bytes(self) -> int:
        """The bytes of their files."""
        return sum(each.file_bytes for each in self.outlived)


def retain(  # noqa: PLR0913 - what, where, when, and whether to do it
    hunts: Iterable[Hunt],
    layout: LakeLayout,
    clock: Clock,
    *,
    data_age_days: int,
    tenant: str | None = None,
    delete: bool = False,
) -> Iterator[Retained]:
    """Find what has outlived the retention of its hunt, in all tenants or one; remove it if told.

    Yields what was found of each hunt and tenant that has a retention, once it is removed. Raises
    ``RetentionTooShort`` before anything is, and ``LakeUnwritable``.
    """
    periods = {each.name: each.export.retention for each in hunts}
    for name, period in periods.items():
        if period is not None:
            refuse_too_short(name, period, data_age_days)
    for hunt, its_tenant in layout.landed():
        period = periods.get(hunt)
        if period is not None and tenant in (None, its_tenant):
            found = Retained(
                hunt, its_tenant, period, tuple(outlived(layout, hunt, its_tenant, period, clock))
            )
            yield _removed(found, layout, clock) if delete else found


def refuse_too_short(hunt: str, retention: timedelta, data_age_days: int) -> None:
    """Raise ``RetentionTooShort`` where the service would still have what is removed."""
    least = timedelta(days=data_age_days) + _MARGIN
    if retention < least:
        raise RetentionTooShort(
            f"{hunt}: `retention: {format_period(retention)}` is shorter than {least.days}d. The "
            f"service has {data_age_days} days, so that what was removed would be loaded again; "
            f"make it longer. Nothing was removed"
        )


def outlived(
    layout: LakeLayout, hunt: str, tenant: str, retention: timedelta, clock: Clock
) -> Iterator[Outlived]:
    """A hunt's partitions that ended longer ago than the retention, oldest first."""
    before = now_ticks(clock) - retention // _TICK * TICKS_PER_MICROSECOND
    for path in layout.hunt_files(hunt, tenant):
        found = _partition(path)
        if found is None or found.window.end > before:
            continue
        receipt = read_receipt(path)
        if receipt is not None:
            yield Outlived(found, path, path.stat().st_size, receipt)


def _removed(found: Retained, layout: LakeLayout, clock: Clock) -> Retained:
    """Remove what was found, tell the journal of it, and let readers see it."""
    removed: list[Outlived] = []
    rows: list[Mapping[str, Any]] = []
    try:
        for each in found.outlived:
            if _remove(each, found, layout):
                removed.append(each)
                rows.append(_row(each, found, clock))
    finally:
        # What is gone is told of though the next can't be removed. After it, not before: removing
        # makes the room that the journal may need.
        if removed:
            publish(layout, LandedColumns(layout, found.hunt), found.tenant)
            journal = Journal(layout, REMOVALS.kind, REMOVALS.schema)
            journal.append(found.tenant, rows, at_ns=clock.now_ns())
    busy = len(found.outlived) - len(removed)
    return Retained(found.hunt, found.tenant, found.retention, tuple(removed), busy)


def _remove(each: Outlived, found: Retained, layout: LakeLayout) -> bool:
    """Unlink one partition, unless another process has it or has just replaced it."""
    path = layout.partition_lock(found.hunt, found.tenant, each.partition)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        with suppress(Timeout), lock.acquire(blocking=False):
            if read_receipt(each.path) != each.receipt:
                return False
            each.path.unlink()
            _remove_empty(each.path.parent, layout.lake)
            return True
    return False


def _remove_empty(folder: Path, lake: Path) -> None:
    """Remove the folders that are empty now, up to the lake itself."""
    with suppress(OSError):
        while folder != lake:
            folder.rmdir()
            folder = folder.parent


def _partition(path: Path) -> Partition | None:
    """The partition whose file this is, by its folders; a snapshot's is its day."""
    folder = path.parent
    try:
        if folder.name.startswith("hour="):
            return partition("hourly", f"{folder.parent.name[5:]}-{folder.name[5:]}:00")
        return partition("daily", folder.name.removeprefix("date="))
    except ValueError:
        return None


def _row(each: Outlived, found: Retained, clock: Clock) -> Mapping[str, Any]:
    window, receipt = each.partition.window, each.receipt
    return {
        "tenant": found.tenant,
        "hunt": found.hunt,
        "partition": each.partition.key,
        "window_start": datetime_from_instant(window.start),
        "window_end": datetime_from_instant(window.end),
        "rows": receipt.rows,
        "bytes": each.file_bytes,
        "committed_at": datetime_from_instant(receipt.committed_ns // NANOSECONDS_PER_TICK),
        "removed_at": datetime_from_instant(clock.now_ns() // NANOSECONDS_PER_TICK),
        "retention": format_period(found.retention),
    }


def retention_lines(
    retained: Sequence[Retained], *, delete: bool, style: Callable[[str], str] = str
) -> Iterator[str]:
    """What was found, or removed, for a person to read."""
    for each in retained:
        if each.outlived:
            keys = [one.partition.key for one in each.outlived]
            yield (
                f"{style(each.hunt)} of {each.tenant}, kept for {format_period(each.retention)}: "
                f"{_partitions(len(keys))} from {keys[0]} to {keys[-1]}, {each.rows:,} rows, "
                f"{each.file_bytes:,} bytes"
            )
        if each.busy:
            yield f"{style(each.hunt)} of {each.tenant}: {_partitions(each.busy)} in use stay"
    count = sum(len(each.outlived) for each in retained)
    size = sum(each.file_bytes for each in retained)
    if not retained:
        yield "no hunt in the lake has a `retention:`"
    elif not count:
        yield "nothing is older than it may be"
    elif delete:
        yield f"{_partitions(count)} removed, {size:,} bytes freed"
    else:
        yield f"{_partitions(count)}, {size:,} bytes; nothing was removed: --delete does it"


def _partitions(count: int) -> str:
    return f"{count:,} partition{'' if count == 1 else 's'}"

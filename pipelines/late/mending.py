"""What is to be pulled again of a committed partition, and what is staged of that.

What belongs here: the plan, its file, and the staged slices beside it, which a killed run's
successor goes on with. What does not: choosing the windows (``bins``), pulling (``slicer``), and
merging with what landed (``merging``).
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from pipelines.batch import Batch, StagedPartition
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.landing import Receipt, Staging, write_atomically
from pipelines.late.bins import MOST_WINDOWS, Wanted
from pipelines.slicing import Density, Partition, Piece, partition
from pipelines.spans import Grid, Span
from pipelines.windows import Window

_PLAN: Final = "plan.json"
_SLICES: Final = "slices"
# What a folder is called while it is removed; `LakeLayout.mending_folders` finds it too.
_GONE: Final = "-gone-late"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be pulled again of one partition, and the count that says so.

    ``committed_ns`` is that of the receipt of what is to be mended: another one needs another plan.
    ``whole``: all of the partition, to be compared with what landed, since its rows can't be told
    bin by bin. ``rows`` of each window are those to expect; of a whole partition nobody knows.
    """

    partition: Partition
    committed_ns: int
    counted_ns: int
    landed_rows: int
    counted_rows: int | None
    windows: tuple[Wanted, ...]
    whole: bool = False
    bins_grown: int = 0
    bins_shrunk: int = 0
    calls: int = 0
    running_seconds: float = 0.0

    def to_json(self) -> str:
        """As a file holds it."""
        values = {
            **asdict(self),
            "partition": [self.partition.partitioning, self.partition.key],
            "windows": [[each.window.start, each.window.end, each.rows] for each in self.windows],
        }
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What ``to_json`` gave. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        values: Mapping[str, Any] = json.loads(text)
        windows = tuple(Wanted(Window(start, end), rows) for start, end, rows in values["windows"])
        return cls(**{**values, "partition": partition(*values["partition"]), "windows": windows})


@dataclass(slots=True)
class Mending(StagedPartition):
    """A committed partition of which some windows are pulled again."""

    plan: Plan = field(kw_only=True)
    folder: Path = field(kw_only=True)
    present_bytes: int = field(kw_only=True)
    given_up: tuple[Window, ...] = ()

    @classmethod
    def begun(cls, at: HuntInTenant, plan: Plan) -> Self:
        """With the plan written down, and nothing staged yet. Raises ``LakeUnwritable``."""
        folder = _folder(at, plan.partition)
        _remove(folder)
        write_atomically(folder / _PLAN, lambda beside: _write(beside, plan.to_json()))
        return cls._of(at, plan, folder)

    @classmethod
    def left_over(cls, at: HuntInTenant, each: Partition) -> Self | None:
        """What an earlier run has begun and not ended, where it is of the hunt as it is."""
        folder = _folder(at, each)
        plan = _read(folder / _PLAN)
        return None if plan is None else cls._of(at, plan, folder)

    @classmethod
    def _of(cls, at: HuntInTenant, plan: Plan, folder: Path) -> Self:
        staging = Staging(folder / _SLICES)
        present = at.target(plan.partition)
        return cls(
            plan.partition,
            staging,
            list(staging.slices()),
            plan=plan,
            folder=folder,
            present_bytes=present.stat().st_size if present.exists() else 0,
        )

    @property
    def kept_bytes(self) -> int:
        """What of the present file goes into the new one, at most."""
        return self.present_bytes

    @property
    def rests(self) -> list[Span]:
        """What of the windows is still to be pulled, in order.

        A staged slice may reach over several windows: of what lies between them it has nothing.
        """
        rests = [Span.of(each) for each in self.windows]
        for done in self.spans:
            rests = [left for rest in rests for left in _outside(rest, done)]
        return rests

    def give_up_rests(self) -> None:
        """Be content with the windows that are whole, since the others can't be had any more."""
        lacking = [Window(each.start.instant, each.end.instant) for each in self.rests]
        self.given_up = tuple(
            each.window
            for each in self.plan.windows
            if any(_overlap(each.window, rest) for rest in lacking)
        )

    @property
    def windows(self) -> list[Window]:
        """The windows that were not given up."""
        return [each.window for each in self.plan.windows if each.window not in self.given_up]

    def discard(self) -> None:
        """Remove the plan and what is staged, once it is committed or worth nothing."""
        self.is_discarded = True
        _remove(self.folder)


class MendingBatch(Batch):
    """Partitions of which one call may bring several windows, near or far."""

    __slots__ = ()
    # Many partitions are written one after another once the last answer is there.
    holds_last: ClassVar[bool] = False

    @property
    def rests(self) -> list[Span]:
        """What is still to be pulled, as many windows together as one query may name.

        A window that was begun within a cell comes first: a query can leave out only what lies
        before its own start.
        """
        groups: list[list[Span]] = []
        for each in self.lacking:
            if not groups or len(groups[-1]) == MOST_WINDOWS or each.start.bucket:
                groups.append([])
            groups[-1].append(each)
        return [Span(group[0].start, group[-1].end) for group in groups]

    def windows_in(self, window: Window) -> Sequence[Window]:
        """The windows that are wanted, as far as they lie in this one."""
        wanted = (Window(each.start.instant, each.end.instant) for each in self.lacking)
        return [
            Window(max(each.start, window.start), min(each.end, window.end))
            for each in wanted
            if _overlap(each, window)
        ]

    def density(self, grid: Grid | None) -> Density | None:
        """What was counted in the windows; ``None`` where nobody counted."""
        plans = [each.plan for each in self.partitions if isinstance(each, Mending)]
        if any(plan.whole for plan in plans):
            return None
        pieces = tuple(Piece(each.window, each.rows) for plan in plans for each in plan.windows)
        return Density(self.window, pieces, grid)


def left_overs(at: HuntInTenant) -> Iterator[Mending]:
    """All that earlier runs have begun and not ended, oldest first.

    What a run was killed over while it removed it is removed.
    """
    for folder in at.layout.mending_folders(at.hunt.name, at.tenant.name):
        if folder.name.endswith(_GONE):
            _remove_with_parents(folder)
            continue
        plan = _read(folder / _PLAN)
        if plan is not None and _folder(at, plan.partition) == folder:
            found = Mending.left_over(at, plan.partition)
            if found is not None:
                yield found


def is_committed(mending: Mending, receipt: Receipt) -> bool:
    """Whether the run that staged it was killed just after it had committed it."""
    pulled = {(each.body_sha256, each.pulled_ns) for each in receipt.slices}
    staged = {(each.record.body_sha256, each.record.pulled_ns) for each in mending.slices}
    return bool(staged & pulled)


def _folder(at: HuntInTenant, each: Partition) -> Path:
    return at.layout.mending_folder(at.hunt, at.tenant.name, at.tenant.surface.name, each)


def _outside(rest: Span, done: Span) -> Iterator[Span]:
    if done.end <= rest.start or rest.end <= done.start:
        yield rest
        return
    if rest.start < done.start:
        yield Span(rest.start, done.start)
    if done.end < rest.end:
        yield Span(done.end, rest.end)


def _overlap(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end


def _read(path: Path) -> Plan | None:
    try:
        return Plan.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _remove(folder: Path) -> None:
    """Remove a folder; a kill amid that leaves what the next run knows to be nobody's."""
    gone = folder.with_name(f"{folder.name}{_GONE}")
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(OSError):
        folder.rename(gone)
    _remove_with_parents(gone)


def _remove_with_parents(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for parent in list(folder.parents)[:2]:
        with suppress(OSError):
            parent.rmdir()

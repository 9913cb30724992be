"""Recounts in real processes that are killed, and what became of the rows that came late.

What belongs here: exported days of which events arrive late, recounts of them that are killed, and
comparing what is on disk, in the journal and in the tenant's log. What does not: the tenant, and
how a process is killed (``killing``).

A second folder with the same days is recounted by a run that nobody kills. What the killed ones
leave must be the same, row for row, and what they ask for beyond that is what the kills cost.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import ClassVar, Final

import pyarrow.parquet as pq

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.lake import LakeLayout
from pipelines.lake.layout import DATA_FILE
from pipelines.landing import read_receipt
from pipelines.late import Recount, Recounts
from pipelines.slicing import remaining
from pipelines.spans import Span
from pipelines.standin import Call
from tests import processes
from tests.benchmarks.killing import Export, Kill, Pull, Tenant, outlive, under_kills
from tests.benchmarks.left_on_disk import (
    NO_WRITE,
    Rows,
    amid_what,
    committed_slices,
    refuse_leftovers,
    seen_rows,
    staged_slices,
)

# Every day is provisional by then, and a count can settle it.
LATER_NS: Final = 5 * 86_400 * NANOSECONDS_PER_SECOND
# Two answers of late rows or more, in more windows than one query names.
SHARE: Final = 0.1

Days = Mapping[str, Mapping[str, Rows]]


@dataclass(slots=True)
class Figures:
    """What a recount asked for, and what it wrote down.

    ``pulls`` are the ``calls`` that were answered with a slice.
    """

    calls: int = 0
    pulls: int = 0
    late_rows: int = 0


@dataclass(slots=True)
class Recounting:
    """One recount of days that lack events, by as many processes as it takes.

    ``undisturbed`` is what the same takes where nobody kills it.
    """

    kind: ClassVar[str] = "recount"

    tenant: Tenant
    folder: Path
    share: float = SHARE
    lost: int = 0
    doubled: int = 0
    kills: list[Kill] = field(default_factory=list)
    spent: Figures = field(default_factory=Figures)
    undisturbed: Figures = field(default_factory=Figures)
    process: "Future[ForkServerProcess]" = field(default_factory=Future)
    """The process of the life that is lived."""
    _before: Days = field(init=False)
    _lives: int = 0
    _logged: int = 0

    def __post_init__(self) -> None:
        Export(self.tenant, self.folder).live()
        self._before = self.tenant.truth
        self.tenant.add_late(share=self.share, seed=len(self.tenant.calls))
        other = self.folder.with_name(f"{self.folder.name}-undisturbed")
        shutil.copytree(self.folder, other)
        self._logged = len(self.tenant.calls)
        self._run(LakeLayout(other / "data"), other / "said.txt", None)
        self._take_calls(self.undisturbed)
        self.undisturbed.late_rows = _late_rows(LakeLayout(other / "data"))

    @property
    def layout(self) -> LakeLayout:
        """Where its files lie."""
        return LakeLayout(self.folder / "data")

    @property
    def counted(self) -> int:
        """How many counts were asked for, and answers that were too much for one call."""
        return self.spent.calls - self.spent.pulls

    def live(
        self,
        seconds: float | None = None,
        run: Callable[..., None] = processes.huntlake_later,
        *how: object,
    ) -> bool:
        """Run to the end, or to a kill; whether it came to its end.

        It is killed after so many seconds, or ``run`` does it (see ``tests.late.dying``). Raises
        ``AssertionError`` where the journal doesn't tell of each row once, or more was pulled than
        undisturbed and an answer for each kill.
        """
        self._lives += 1
        said = self.folder / f"recount-{self._lives}.txt"
        began_ns = time.time_ns()
        safe = self._safe
        ended, in_flight = self._run(self.layout, said, seconds, run, *how)
        pulls = self._take_calls(self.spent)
        gone = len(pulls) - len(self._safe - safe)
        self._compare(whole=ended)
        if ended:
            refuse_leftovers(self.layout)
            self.spent.late_rows = _late_rows(self.layout)
            self._compare_figures()
        else:
            amid = "a call" if in_flight else amid_what(self.layout, said, began_ns)
            if gone > 0 and amid in NO_WRITE:
                amid = "landing an answer"
            self.kills.append(Kill(amid, self._mended_share, max(gone, 0)))
        return ended

    def _run(
        self,
        layout: LakeLayout,
        said: Path,
        seconds: float | None,
        run: Callable[..., None] = processes.huntlake_later,
        *how: object,
    ) -> tuple[bool, bool]:
        environment = {**self.tenant.environment, "HUNTLAKE_DATA": str(layout.root)}
        self.process = Future()
        process = processes.start(
            run, LATER_NS, *how, "recount", environment=environment, said=said
        )
        self.process.set_result(process)
        return outlive(process, self.tenant, said, seconds)

    def _take_calls(self, into: Figures) -> Sequence[Call]:
        """The calls since the last look, added up; those whose answers are slices."""
        calls = self.tenant.calls[self._logged :]
        self._logged = len(self.tenant.calls)
        pulls = [call for call in calls if Pull.of(call, self.tenant.instants) is not None]
        into.calls += len(calls)
        into.pulls += len(pulls)
        return pulls

    @property
    def _safe(self) -> set[str | None]:
        """The answers that are safe on disk."""
        found = (*staged_slices(self.layout), *committed_slices(self.layout))
        return {record.request_id for _, record in found}

    @property
    def _mended_share(self) -> float:
        late = sum(found.total() for days in self.tenant.truth.values() for found in days.values())
        before = sum(found.total() for days in self._before.values() for found in days.values())
        seen = seen_rows(self.layout)
        now = sum(found.total() for days in seen.values() for found in days.values())
        return (now - before) / (late - before)

    def _compare(self, *, whole: bool) -> None:
        """Each day that readers see is the one before, or the one with what came late."""
        seen = seen_rows(self.layout)
        for hunt, days in self.tenant.truth.items():
            for day, after in days.items():
                found = seen[hunt][day]
                if whole or found != self._before[hunt][day]:
                    self.lost += (after - found).total()
                    self.doubled += (found - after).total()
        _check_receipts(self.layout)

    def _compare_figures(self) -> None:
        assert self.spent.late_rows == self.undisturbed.late_rows, (self.spent, self.undisturbed)
        assert self.spent.pulls <= self.undisturbed.pulls + len(self.kills), (
            self.spent,
            self.undisturbed,
        )


def seconds_of_a_recount(tenant: Tenant, folder: Path) -> float:
    """What a recount takes that nobody kills."""
    each = Recounting(tenant, folder / "recount-0")
    began = time.monotonic()
    each.live()
    return time.monotonic() - began


def recounts_under_kills(
    tenant: Tenant, folder: Path, *, kills: int, seed: int, within_seconds: float
) -> Iterator[Recounting]:
    """Recounts one after another; see ``under_kills``."""
    return under_kills(
        lambda number: Recounting(tenant, folder / f"recount-{number}"),
        kills,
        seed,
        within_seconds,
    )


def _late_rows(layout: LakeLayout) -> int:
    """What the journal says in all. Raises ``AssertionError`` where it says anything twice."""
    kept: Sequence[Recount] = [
        each
        for recounts in Recounts(layout)
        .by_partition("demo", now_ns=time.time_ns() + LATER_NS)
        .values()
        for each in recounts
    ]
    mended = Counter((each.hunt, each.partition) for each in kept if each.bins_grown)
    assert not mended or set(mended.values()) == {1}, mended
    return sum(each.late_rows for each in kept)


def _check_receipts(layout: LakeLayout) -> None:
    """Each receipt's slices make up its partition, and their rows are those of the file."""
    for path in layout.lake.rglob(DATA_FILE):
        receipt = read_receipt(path)
        assert receipt is not None, f"{path} has no receipt"
        assert remaining(Span.of(receipt.window), [each.span for each in receipt.slices]) == []
        rows = sum(each.rows for each in receipt.slices)
        assert rows == receipt.rows == pq.read_metadata(path).num_rows, path
        assert receipt.calls == sum(each.calls for each in receipt.slices), path

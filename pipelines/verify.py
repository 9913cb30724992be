"""Counting committed partitions again, and comparing with what landed, bin by bin.

What belongs here: what a person asks for. What does not: mending what grew (``late``, which also
compares), or printing (``cli``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.admission import refuse_past_horizon
from pipelines.clock import now_ticks
from pipelines.counting import Counted, count, count_rows
from pipelines.errors import PartitionRefused, SliceFailed
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.late.landed import BinDifference, differences, landed_bins
from pipelines.pull import Caller, TooMuch
from pipelines.slicing import CountCells, Partition
from pipelines.spans import Grid
from pipelines.windows import TICKS_PER_SECOND, Window

# So few bins that a count of any partition fits an answer, and so many that a bin is quickly read.
_BINS: Final = 24
# And so many in all that one answer has room for a month of minutes.
_MOST_BINS: Final = 45_000


@dataclass(frozen=True, slots=True)
class Verification:
    """One partition, counted again. ``counted`` is None where it can't be: ``why`` says why.

    ``by_bin`` are the bins that differ, where the answer's rows can be told apart in time.
    """

    partition: Partition
    landed: int | None
    counted: int | None
    by_bin: tuple[BinDifference, ...] = ()
    why: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the service counts what landed."""
        return self.counted is not None and self.counted == self.landed and not self.by_bin


def verify(at: HuntInTenant, partitions: Sequence[Partition]) -> Iterator[Verification]:
    """Count committed partitions again and compare: one call for those that one can tell apart."""
    run: list[Partition] = []
    for partition in partitions:
        why = _why_not(at, partition)
        if run and (why is not None or not _one_call(at, run[0], run[-1], partition)):
            yield from _verified(at, run)
            run = []
        if why is None:
            run.append(partition)
        else:
            receipt = at.committed(partition)
            yield Verification(partition, receipt.rows if receipt else None, None, why=why)
    if run:
        yield from _verified(at, run)


def _why_not(at: HuntInTenant, partition: Partition) -> str | None:
    """Why the partition can't be counted; ``None`` where it can."""
    if at.committed(partition) is None:
        return "it is not committed, or of an earlier form of the hunt; export it"
    try:
        refuse_past_horizon(
            at.hunt,
            at.analysis,
            partition,
            partition.window,
            now=now_ticks(at.clock),
            data_age_days=at.tenant.limits.data_age_days,
        )
    except PartitionRefused as error:
        return str(error)
    return None


def _one_call(at: HuntInTenant, first: Partition, last: Partition, another: Partition) -> bool:
    """Whether one count has all these partitions, and fits an answer."""
    grid = at.analysis.grid
    if grid is None or at.analysis.counting is None or not at.may_span(last, another):
        return False
    whole = Window(first.window.start, another.window.end)
    width = _width(grid, first.window) or grid.width
    return whole.ticks // width < min(_MOST_BINS, at.tenant.limits.rows - 1)


def _verified(at: HuntInTenant, run: Sequence[Partition]) -> Iterator[Verification]:
    """The partitions of one call, each by itself."""
    caller, analysis = at.caller(run[0], interactive=True), at.analysis
    whole = Window(run[0].window.start, run[-1].window.end)
    if analysis.counting is None or analysis.grid is None:
        found = _answer(caller, count_rows(caller, whole, now=whole.end), whole)
        yield _compared(at, run[0], found.cells, None)
        return
    width = _width(analysis.grid, run[0].window)
    found = _answer(caller, count(caller, CountCells(whole, width), now=whole.end), whole)
    cells = sorted(found.cells.items())
    for partition in run:
        window = partition.window
        # A bin that began before the first partition holds only what is in it.
        inside = {cell: rows for cell, rows in cells if max(cell, whole.start) in window}
        yield _compared(at, partition, inside, width)


def _compared(
    at: HuntInTenant, partition: Partition, counted: Mapping[int, int], width: int | None
) -> Verification:
    analysis, total = at.analysis, sum(counted.values())
    receipt = at.committed(partition)
    rows = receipt.rows if receipt else None
    if analysis.grid is None or analysis.time_column is None:
        return Verification(partition, rows, total)
    differing = differences(
        landed_bins(at.target(partition), analysis.time_column, width),
        counted,
        within=partition.window,
        width=width,
        grid=analysis.grid,
    )
    return Verification(partition, rows, total, differing)


def _answer(caller: Caller, found: Counted | TooMuch, window: Window) -> Counted:
    if isinstance(found, TooMuch):
        raise SliceFailed(
            f"{caller.hunt.name}, partition {caller.partition.key}: {window} can't be counted in "
            f"one call: {found.reason}"
        ) from found.cause
    return found


def _width(grid: Grid, window: Window) -> int | None:
    """Bins of an hour for a day; the hunt's own, where it aggregates by some."""
    if grid.calendar is not None or grid.width > 1:
        return None
    return max(TICKS_PER_SECOND, window.ticks // _BINS // TICKS_PER_SECOND * TICKS_PER_SECOND)

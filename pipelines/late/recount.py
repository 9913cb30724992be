"""Counting committed partitions again, pulling again what grew, and saying how fresh each is.

What belongs here: which partitions are counted, and what follows from each count. What does not:
the counts' calls (``census``), the pulls and commits (``mender``), and whether a partition is
settled (``freshness``).

Where each row of an answer is an event and has its time, bins are compared, and those that grew
are pulled again. Where it has lost its time, a partition that grew is pulled again whole. An answer
that aggregates may change without having more rows: it can only be pulled again and compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.errors import HuntlakeError
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.landing import Receipt
from pipelines.late.bins import MOST_WINDOWS, Wanted, adjoining, joined
from pipelines.late.census import Asked, Told, census, finest_width, merged, recounted
from pipelines.late.landed import BinDifference, differences, landed_bins
from pipelines.late.mender import Mender
from pipelines.late.mending import Plan
from pipelines.late.record import Recount
from pipelines.late.recording import Recorder, is_told_by_pulling, recountable
from pipelines.pull import TooMuch
from pipelines.slicing import Partition
from pipelines.spans import TICKS
from pipelines.windows import Window

# So many answers are pulled again without asking first in which part of their bins rows came.
_ANSWERS_WITHOUT_COUNT: Final = 2.0


def recount(
    hunts: Sequence[HuntInTenant], partitions: Sequence[Partition] | None, *, mend: bool
) -> Iterator[Recount]:
    """Recount partitions of hunts, and ``mend`` those that grew. Hunts of one tenant share calls.

    Without ``partitions``: all that are provisional and worth a count now; else those, of each hunt
    that has them. What is not committed, or past the horizon, is left out. Yields each as it is
    written down. A hunt that fails keeps no other from its recount; the first failure is raised
    once all are done.
    """
    failures: list[HuntlakeError] = []
    by_tenant: dict[tuple[str, str], list[HuntInTenant]] = {}
    for at in hunts:
        by_tenant.setdefault((at.tenant.name, at.tenant.surface.name), []).append(at)
    for together in by_tenant.values():
        found = _in_tenant(together, partitions, failures, mend=mend)
        yield from _kept_apart(found, failures)
    if failures:
        raise failures[0]


def _in_tenant(
    hunts: Sequence[HuntInTenant],
    partitions: Sequence[Partition] | None,
    failures: list[HuntlakeError],
    *,
    mend: bool,
) -> Iterator[Recount]:
    recorder = Recorder(hunts[0])
    if mend:
        for at in hunts:
            yield from _kept_apart(Mender(at, recorder).go_on(partitions), failures)
    wanted = [Asked(at, tuple(_chosen(at, recorder, partitions))) for at in hunts]
    wanted = [each for each in wanted if each.partitions]
    plans: dict[str, list[Plan]] = {}
    counted = [each for each in wanted if not is_told_by_pulling(each.at)]
    for told in census(counted, failures):
        found, grown = _compared(told, mend=mend)
        plans.setdefault(told.asked.at.hunt.name, []).extend(grown)
        yield from recorder.keep(told.asked.at, found)
    for each in wanted if mend else []:
        if is_told_by_pulling(each.at):
            plans[each.at.hunt.name] = [_whole(each.at, partition) for partition in each.partitions]
        mender = Mender(each.at, recorder)
        yield from _kept_apart(mender.mend(plans.get(each.at.hunt.name, [])), failures)


def _kept_apart(recounts: Iterator[Recount], failures: list[HuntlakeError]) -> Iterator[Recount]:
    """The recounts of a hunt or a tenant; what fails of it is kept for later."""
    try:
        yield from recounts
    except HuntlakeError as error:
        failures.append(error)


def _chosen(
    at: HuntInTenant, recorder: Recorder, partitions: Sequence[Partition] | None
) -> list[Partition]:
    if partitions is None:
        return recorder.due(at)
    there = recountable(at)
    return sorted(
        (each for each in partitions if each in there and at.committed(each) is not None),
        key=lambda each: each.window,
    )


def _compared(told: Told, *, mend: bool) -> tuple[list[tuple[Recount, Receipt]], list[Plan]]:
    """What is to be said of partitions that did not grow, and what is to be done about the others.

    Those that are not to be mended are said of too. The count is on the account of the first.
    """
    said: list[tuple[Recount, Receipt]] = []
    comparisons: list[_Comparison] = []
    calls, seconds = told.calls, told.running_seconds
    for partition in told.asked.partitions:
        receipt = told.asked.at.committed(partition)
        if receipt is None:
            continue
        each = _Comparison.of(told, partition, receipt)
        if each.has_grown and mend:
            comparisons.append(each)
            continue
        said.append((each.recount(calls=calls, running_seconds=seconds), receipt))
        calls, seconds = 0, 0.0
    plans = _plans(told, comparisons)
    if plans and calls:
        first = plans[0]
        plans[0] = replace(
            first, calls=first.calls + calls, running_seconds=first.running_seconds + seconds
        )
    return said, plans


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One partition beside its count. ``bins`` are those that differ, if bins are to be had."""

    at: HuntInTenant
    partition: Partition
    receipt: Receipt
    counted_ns: int
    counted_rows: int
    bins: tuple[BinDifference, ...] | None

    @classmethod
    def of(cls, told: Told, partition: Partition, receipt: Receipt) -> "_Comparison":
        at, window = told.asked.at, partition.window
        counted = {start: rows for start, rows in told.rows.items() if start in window}
        column, bins = _binned_by(at), None
        if column is not None and told.width is not None:
            landed = landed_bins(at.target(partition), column, told.width)
            bins = differences(landed, counted, within=window, width=told.width, grid=TICKS)
        return cls(at, partition, receipt, told.counted_ns, sum(counted.values()), bins)

    @property
    def grown(self) -> list[BinDifference]:
        return [each for each in self.bins or () if each.counted > each.landed]

    @property
    def shrunk(self) -> list[BinDifference]:
        return [each for each in self.bins or () if each.counted < each.landed]

    @property
    def has_grown(self) -> bool:
        if self.bins is None:
            return self.counted_rows > self.receipt.rows
        return bool(self.grown)

    @property
    def bins_shrunk(self) -> int:
        if self.bins is None:
            return int(self.counted_rows < self.receipt.rows)
        return len(self.shrunk)

    def recount(self, *, calls: int, running_seconds: float) -> Recount:
        """What is to be said of it where nothing is done about it."""
        what = "no bin has grown"
        if self.has_grown:
            what = "more rows are there, and were not asked for"
        elif self.bins_shrunk:
            what = "the service counts fewer rows than landed, which stay"
        return Recount(
            tenant=self.at.tenant.name,
            hunt=self.at.hunt.name,
            partition=self.partition.key,
            window=self.partition.window,
            counted_ns=self.counted_ns,
            landed_rows=self.receipt.rows,
            counted_rows=self.counted_rows,
            bins_grown=len(self.grown) if self.bins is not None else int(self.has_grown),
            bins_shrunk=self.bins_shrunk,
            calls=calls,
            running_seconds=running_seconds,
            what=what,
        )

    def plan(self, windows: Sequence[Wanted]) -> Plan:
        """What is to be pulled again of it."""
        whole = self.bins is None
        return Plan(
            partition=self.partition,
            committed_ns=self.receipt.committed_ns,
            counted_ns=self.counted_ns,
            landed_rows=self.receipt.rows,
            counted_rows=self.counted_rows,
            windows=tuple(windows),
            whole=whole,
            bins_grown=1 if whole else len(self.grown),
            bins_shrunk=self.bins_shrunk,
        )


def _plans(told: Told, comparisons: Sequence[_Comparison]) -> list[Plan]:
    """What is to be pulled again of the partitions that grew."""
    if not comparisons:
        return []
    if comparisons[0].bins is None:
        return [
            each.plan([Wanted(each.partition.window, each.counted_rows)]) for each in comparisons
        ]
    wanted = [
        adjoining([Wanted(bin_.window, bin_.counted) for bin_ in each.grown])
        for each in comparisons
    ]
    counted, width, calls, seconds = told.rows, told.width, 0, 0.0
    while (finer := _finer(comparisons, wanted, width)) is not None:
        counted = _refined(counted, wanted, finer)
        wanted = [
            _grown_within(each, windows, finer)
            for each, windows in zip(comparisons, wanted, strict=True)
        ]
        width, calls, seconds = finer.width, calls + finer.calls, seconds + finer.running_seconds
    limit = told.asked.at.tenant.limits.rows
    windows_of = joined(wanted, counted, most_rows=limit)
    plans = [each.plan(windows) for each, windows in zip(comparisons, windows_of, strict=True)]
    return [replace(plans[0], calls=calls, running_seconds=seconds), *plans[1:]]


def _finer(
    comparisons: Sequence[_Comparison], wanted: Sequence[Sequence[Wanted]], width: int | None
) -> Told | None:
    """Another count of the bins that grew, by finer ones, where that spares more than its call."""
    at = comparisons[0].at
    limits = at.tenant.limits
    rows = sum(each.rows for windows in wanted for each in windows)
    windows = merged([each.window for windows in wanted for each in windows])
    if width is None or rows <= _ANSWERS_WITHOUT_COUNT * limits.rows or len(windows) > MOST_WINDOWS:
        return None
    finer = finest_width(windows, most=limits.rows - 1, widest=width // 2)
    if finer is None:
        return None
    found = recounted(at, comparisons[0].partition, windows, finer)
    # It was to spare calls: without it more is pulled.
    return None if isinstance(found, TooMuch) else found


def _refined(
    counted: Mapping[int, int], wanted: Sequence[Sequence[Wanted]], finer: Told
) -> Mapping[int, int]:
    """The rows of all bins: the finer ones where there are some."""
    windows = [each.window for windows in wanted for each in windows]
    coarse = {
        start: rows
        for start, rows in counted.items()
        if not any(start in window for window in windows)
    }
    return {**coarse, **finer.rows}


def _grown_within(each: _Comparison, windows: Sequence[Wanted], finer: Told) -> list[Wanted]:
    """The finer bins that grew of one partition; all of a bin that no finer one says has grown."""
    column = _binned_by(each.at)
    assert column is not None and finer.width is not None  # noqa: S101, PT018 - it has bins
    landed = landed_bins(each.at.target(each.partition), column, finer.width)
    found: list[Wanted] = []
    for wanted in windows:
        inside = wanted.window
        bins = differences(
            {start: rows for start, rows in landed.items() if start in inside},
            {start: rows for start, rows in finer.rows.items() if start in inside},
            within=inside,
            width=finer.width,
            grid=TICKS,
        )
        grown = [Wanted(one.window, one.counted) for one in bins if one.counted > one.landed]
        found += grown or [wanted]
    return adjoining(found)


def _whole(at: HuntInTenant, partition: Partition) -> Plan:
    """All of a partition, to be compared with what landed."""
    receipt = at.committed(partition)
    assert receipt is not None  # noqa: S101 - only those are chosen
    return Plan(
        partition=partition,
        committed_ns=receipt.committed_ns,
        counted_ns=at.clock.now_ns(),
        landed_rows=receipt.rows,
        counted_rows=None,
        windows=(Wanted(Window(partition.window.start, partition.window.end), receipt.rows),),
        whole=True,
    )


def _binned_by(at: HuntInTenant) -> str | None:
    """The column by which an answer's rows are told apart in time, tick by tick."""
    analysis = at.analysis
    is_by_tick = analysis.grid == TICKS and analysis.counting is not None
    return analysis.time_column if is_by_tick else None

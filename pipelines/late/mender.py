"""Pulling again what grew of committed partitions, and committing each anew.

What belongs here: the order of these steps, and going on with what a killed run has begun. What
does not: what is to be pulled (``recount``), and the steps themselves (``slicer``, ``merging``,
``committing``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from pipelines.alone import alone
from pipelines.committing import Committer
from pipelines.errors import PartitionRefused, SchemaChanged, SchemaClash
from pipelines.hunt_in_tenant import MOST_TOGETHER, HuntInTenant
from pipelines.kql import Verdict
from pipelines.landing import Receipt, StagedSlice
from pipelines.late.census import horizon_of
from pipelines.late.mending import Mending, MendingBatch, Plan, is_committed, left_overs
from pipelines.late.merging import Merging
from pipelines.late.record import Recount
from pipelines.late.recording import Recorder
from pipelines.late.sameness import same_rows
from pipelines.progress import SliceStaged
from pipelines.slicer import Slicer
from pipelines.slicing import Partition


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one partition: its receipt, and what is to be said of it."""

    receipt: Receipt
    what: str
    grown: int = 0
    shrunk: int = 0


class Mender:
    """Mends partitions of one hunt in one tenant."""

    def __init__(self, at: HuntInTenant, recorder: Recorder) -> None:
        self._at = at
        self._recorder = recorder
        self._committer = Committer(at)

    def go_on(self, partitions: Sequence[Partition] | None) -> Iterator[Recount]:
        """End what earlier runs have begun of the partitions, or of all."""
        plans = [
            each.plan
            for each in left_overs(self._at)
            if partitions is None or each.partition in partitions
        ]
        yield from self.mend(plans)

    def mend(self, plans: Sequence[Plan]) -> Iterator[Recount]:
        """Pull again what the plans say, and commit each partition that has more or others rows.

        Raises an ``ExportError`` or ``LandingError`` at the first that can't be mended: it stays as
        it is, those before it stay mended, and what was staged stays staged.
        """
        for group in self._together(plans):
            with alone(self._at, [each.partition for each in group]) as release:
                mendings = [each for plan in group for each in self._begun(plan)]
                if mendings:
                    yield from self._mended(mendings, release)

    def _together(self, plans: Sequence[Plan]) -> list[list[Plan]]:
        """The plans whose partitions one call may bring."""
        groups: list[list[Plan]] = []
        for plan in sorted(plans, key=lambda each: each.partition.window):
            last = groups[-1][-1] if groups else None
            if (
                last is None
                or len(groups[-1]) == MOST_TOGETHER
                or not self._may_follow(last.partition, plan.partition, whole=plan.whole)
            ):
                groups.append([])
            groups[-1].append(plan)
        return groups

    def _may_follow(self, earlier: Partition, later: Partition, *, whole: bool) -> bool:
        """Rows of windows that are far apart can be told apart where they have their time."""
        if whole:
            return self._at.may_span(earlier, later)
        return not self._at.analysis.uses_now

    def _begun(self, plan: Plan) -> Iterator[Mending]:
        """What to go on with, under the lock: others may have been here meanwhile."""
        at = self._at
        receipt, left = at.committed(plan.partition), Mending.left_over(at, plan.partition)
        if receipt is None:
            if left is not None:
                left.discard()
            return
        if left is not None and left.plan.committed_ns == receipt.committed_ns:
            yield left
            return
        if left is not None:
            if is_committed(left, receipt):
                self._tell_committed_before(left, receipt)
            left.discard()
        if plan.committed_ns == receipt.committed_ns:
            yield Mending.begun(at, plan)

    def _tell_committed_before(self, left: Mending, receipt: Receipt) -> None:
        """Write down what a run was killed before it could, and let readers see it."""
        plan = left.plan
        self._committer.publish_once(plan.partition)
        if not self._recorder.has(self._at.hunt.name, plan.partition.key, plan.counted_ns):
            what = "a run that was killed had mended it"
            outcome = _Outcome(receipt, what, plan.bins_grown, plan.bins_shrunk)
            self._recorder.keep(self._at, [(self._recount(left, outcome), receipt)])

    def _mended(
        self, mendings: Sequence[Mending], release: Callable[[Partition], None]
    ) -> Iterator[Recount]:
        batch = MendingBatch(mendings)
        caller = self._at.caller(mendings[0].partition)
        density = batch.density(self._at.analysis.grid)
        slicer = Slicer(caller, batch, self._at.layout, density)
        slicer.room().probe()
        for each in mendings:
            caller.partition = each.partition
            while each.rests:
                self._pull_next(slicer, each)
            outcome = self._committed(each)
            kept = self._recorder.keep(self._at, [(self._recount(each, outcome), outcome.receipt)])
            each.discard()
            release(each.partition)
            yield from kept
        slicer.finish()

    def _pull_next(self, slicer: Slicer, each: Mending) -> None:
        try:
            for staged, landed in slicer.pull_next():
                record = landed.record
                self._at.observer(
                    SliceStaged(
                        self._at.hunt.name,
                        staged.partition.key,
                        record.span,
                        record.rows,
                        record.body_bytes,
                        record.running_seconds,
                        slicer.calls_left,
                    )
                )
        except PartitionRefused:
            # It fell off the horizon meanwhile. What was pulled of it by then is good.
            each.give_up_rests()

    def _committed(self, each: Mending) -> _Outcome:
        receipt = self._at.committed(each.partition)
        assert receipt is not None  # noqa: S101 - `_begun` has looked, and the lock is held
        if not each.windows:
            return _Outcome(
                receipt,
                "it passed the horizon before it could be pulled again; what landed stays",
                grown=each.plan.bins_grown,
                shrunk=each.plan.bins_shrunk,
            )
        try:
            return (self._replaced if each.plan.whole else self._merged)(each, receipt)
        except (SchemaChanged, SchemaClash):
            # It would not fit the next time either.
            each.discard()
            raise

    def _merged(self, each: Mending, receipt: Receipt) -> _Outcome:
        plan, time_column = each.plan, self._at.analysis.time_column
        assert time_column is not None  # noqa: S101 - else it is pulled whole
        staged = [landed for landed in each.in_order() if isinstance(landed, StagedSlice)]
        with Merging(receipt, time_column) as merging:
            merged = merging.merged(
                pq.ParquetFile(self._at.target(each.partition)),
                staged,
                each.windows,
                given_up=each.given_up,
                now_ns=self._at.clock.now_ns(),
                counted_rows=plan.counted_rows,
            )
            late = merged.receipt.rows - receipt.rows
            if late:
                self._committer.replace(each.partition, merged.slices, merged.receipt)
        what = f"{_several(plan.bins_grown, 'bin')} had grown; {late:,} rows came late"
        if merged.fewer:
            what += (
                f"; of {_several(len(merged.fewer), 'window')} fewer came, and what landed stays"
            )
        now = merged.receipt if late else receipt
        return _Outcome(now, what, plan.bins_grown, plan.bins_shrunk)

    def _replaced(self, each: Mending, receipt: Receipt) -> _Outcome:
        """What was pulled whole takes the place of what landed, where it is other rows.

        Rows that are gone never take others along: an answer without any is not believed, nor any
        that is smaller where each row is an event, or where part of the events is past the horizon.
        """
        slices = each.in_order()
        rows = sum(landed.record.rows for landed in slices)
        if same_rows(self._at.target(each.partition), slices):
            return _Outcome(receipt, "it was pulled again, and is the same")
        row_wise = self._at.analysis.verdict is Verdict.ROW_WISE
        past_horizon = each.partition.window.start < horizon_of(self._at)
        if rows < receipt.rows and (row_wise or past_horizon or not rows):
            what = f"it was pulled again and has {rows:,} rows now; what landed stays"
            return _Outcome(receipt, what, shrunk=1)
        counted = each.plan.counted_rows
        counted = None if counted is None or counted > rows else counted
        new = self._committer.receipt_of(each, counted)
        self._committer.replace(each.partition, slices, new)
        return _Outcome(new, "it was pulled again, and its rows are others", 1, 0)

    def _recount(self, each: Mending, outcome: _Outcome) -> Recount:
        plan, records = each.plan, [landed.record for landed in each.slices]
        rows = sum(record.rows for record in records)
        return Recount(
            tenant=self._at.tenant.name,
            hunt=self._at.hunt.name,
            partition=plan.partition.key,
            window=plan.partition.window,
            counted_ns=plan.counted_ns,
            landed_rows=plan.landed_rows,
            counted_rows=rows if plan.counted_rows is None else plan.counted_rows,
            bins_grown=outcome.grown,
            bins_shrunk=outcome.shrunk,
            late_rows=outcome.receipt.rows - plan.landed_rows,
            calls=plan.calls + sum(record.calls for record in records),
            running_seconds=plan.running_seconds + sum(each.running_seconds for each in records),
            what=outcome.what,
        )


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"

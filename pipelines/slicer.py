"""Pulling the slices of a batch: count where it pays, ask for the next slice, act on the answer.

What belongs here: the one place where what is known of a hunt's rows meets what calls bring. What
does not: choosing slices (``slicing``), asking (``pull``, ``counting``), and the commit
(``export``).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from pipelines.batch import Batch, StagedPartition
from pipelines.counting import count, with_count
from pipelines.errors import LakeUnwritable, MalformedResponse, RowsMissing
from pipelines.history import Census, History
from pipelines.kql import Verdict, is_unfiltered, restrict, widest_columns
from pipelines.lake import LakeLayout
from pipelines.landing import (
    LandedSlice,
    Need,
    Room,
    rows_per_cell,
)
from pipelines.pages import cannot_split, slice_record, whole_part
from pipelines.progress import Counted, HistoryNotKept, SliceCut
from pipelines.pull import Caller, Outlook, Reply, TooMuch
from pipelines.slicing import (
    Caps,
    Count,
    CountCells,
    Density,
    Knowledge,
    Plan,
    Slice,
    cells_count,
    first_count,
    least_seconds,
    next_slice,
    overflow_count,
    plan,
    within,
    without,
)
from pipelines.slicing.knowledge import HOUR_TICKS
from pipelines.spans import Grid, Span
from pipelines.windows import Window


@dataclass(slots=True)
class Slicer:
    """Pulls what a batch lacks, slice by slice in time order."""

    caller: Caller
    batch: Batch
    layout: LakeLayout
    density: Density | None = None
    """What was counted of the batch before, by whoever asks for it to be pulled."""
    known: Knowledge = field(init=False)
    _history: History = field(init=False)
    _census: Census | None = field(init=False)
    _counts: Grid | None = field(init=False)
    _may_count: bool = True
    calls_left: int = 0
    """About how many calls are to come after the last answer."""

    def __post_init__(self) -> None:
        analysis, limits = self.caller.analysis, self.caller.tenant.limits
        hunt, tenant = self.caller.hunt, self.caller.tenant
        self._history = History(
            self.layout.history_folder(hunt.name, tenant.name),
            f"{hunt.fingerprint} {tenant.surface.name}",
            analysis.grid,
        )
        self._counts = analysis.grid if analysis.counting is not None else None
        self._census = None if self.density is not None else self._earlier_census()
        self.known = Knowledge(
            grid=analysis.grid,
            paged=analysis.grid is not None and analysis.time_column is not None,
            hashable=analysis.hash_columns is not None,
            caps=Caps(limits.rows, limits.response_bytes, limits.request_seconds),
            unfiltered=is_unfiltered(hunt.query),
            rates=self._history.rates().guessed_bytes_per_row(widest_columns(hunt.query, analysis)),
            density=self._census.density if self._census else self.density,
        )

    # Planning

    def plan(self) -> Plan:
        """What is left to pull, as far as anything is known."""
        return self._plan(self.batch.rests)

    def _plan(self, rests: Sequence[Span]) -> Plan:
        return plan(rests, self.batch.window, self.known.supposing(self.batch.window))

    @property
    def _left(self) -> Window:
        """From where the next slice starts to the end."""
        return Window(self.batch.rests[0].start.instant, self.batch.window.end)

    @property
    def basis(self) -> Literal["count", "history", "nothing"]:
        """What the plan's rows rest on."""
        if self.known.density is not None:
            return "count"
        return "nothing" if self.known.hourly_rows is None else "history"

    def count_all(self) -> None:
        """Count all that is left, where it can be counted and was not."""
        rests = self.batch.rests
        if rests and self.known.density is None and self._counts is not None:
            asked = cells_count(self._left, self._counts, self.known)
            if asked is not None:
                self._count(asked)

    # Pulling

    def pull_next(self) -> Iterator[tuple[StagedPartition, LandedSlice]]:
        """Pull the next slice; yields what is safe on disk or to be committed, by partition.

        Yields nothing where the answer was too much for one call: the next slice is smaller. Raises
        ``CannotSplit`` where it can't be, and what ``Caller.ask`` raises.
        """
        self.caller.room = self.room()
        rest = self.batch.rests[0]
        asked_count = first_count(rest, self.batch.window, self.known, counts=self._counts)
        if asked_count is not None and self._count(asked_count):
            return
        asked = next_slice(rest, self.batch.window, self.known)
        planned = asked

        def fitted(room_seconds: float) -> str:
            nonlocal asked
            asked = within(planned, room_seconds, self.known)
            return self._query(asked)

        reply = self.caller.ask(
            fitted,
            asked.span,
            self._outlook(asked),
            can_be_cut=self.known.after_too_heavy(asked) is not None,
        )
        if isinstance(reply, TooMuch):
            self._shrink(asked, reply)
            return
        try:
            self._learn_answer(asked, reply)
            landed = whole_part(asked, reply.answer, self.known.caps.rows, self._time_column)
        except MalformedResponse as error:
            error.request_id = reply.request_id
            raise self.caller.slice_failed(asked.span, error) from error
        if landed is None:
            self._overflowed(asked, reply)
            return
        span, answer = landed
        self.caller.spent.wasted_rows += reply.answer.rows - answer.rows
        record = slice_record(self.caller, asked, span, reply, answer, self.known.caps.rows)
        self.known = self.known.after_landing(span, answer.rows, seconds=reply.running_seconds)
        self.calls_left = self._plan(without(span, self.batch.rests)).calls
        yield from self.batch.stage(
            answer,
            record,
            self.caller.analysis.time_column,
            self._order_by,
            # What was counted is told apart from what wasn't, so that both can be compared.
            cut_at=self._census.density.window.start if self._census and self.known.paged else None,
        )

    def _outlook(self, asked: Slice) -> Outlook:
        """What the next call should take, and what comes after it."""
        left = self.plan()
        told = self.known.rates.seconds_per_row is not None
        return Outlook(
            call_seconds=left.seconds[0] if told and left.seconds else None,
            least_seconds=least_seconds(asked, self.known) if told else None,
            calls=max(1, left.calls),
            seconds=left.running_seconds,
        )

    @property
    def _time_column(self) -> str | None:
        return self.caller.analysis.time_column

    def _query(self, asked: Slice) -> str:
        analysis = self.caller.analysis
        end = asked.span.end
        window_end = self.known.cell_end(end, self.batch.window) if end.bucket else end.instant
        window = Window(asked.span.start.instant, window_end)
        return restrict(
            self.caller.hunt.query,
            analysis,
            window=window,
            now=self._now,
            span=asked.span,
            limit=asked.limit,
            by_hash=asked.by_hash,
            windows=self.batch.windows_in(window),
        )

    @property
    def _now(self) -> int:
        # The partition's end, not the slice's: what now() means must not depend on slicing.
        return self.batch.window.end

    @property
    def _order_by(self) -> str | None:
        """What rows lie in order by: the answer's time, or a column of its name."""
        tables = self.caller.analysis.event_tables
        return self.caller.analysis.time_column or (tables[0].time_column if tables else None)

    # Answers that are too much

    def _shrink(self, asked: Slice, refused: TooMuch) -> None:
        known = self.known
        smaller = (
            known.after_too_large(asked) if refused.too_large else known.after_too_heavy(asked)
        )
        if smaller is None:
            raise cannot_split(
                self.caller, asked.span, refused.reason, hashable=known.hashable
            ) from refused.cause
        self.known = smaller

    def _overflowed(self, asked: Slice, reply: Reply) -> None:
        """The answer reached the cap, and none of it is whole."""
        self.caller.spent.wasted_calls += 1
        self.caller.spent.wasted_rows += reply.answer.rows
        reason = f"the answer reached the cap of {reply.answer.rows:,} rows"
        wanted = overflow_count(asked, self.batch.window, self.known, counts=self._counts)
        smaller = self.known.after_too_much(asked)
        is_least = wanted is None and smaller is None
        span = self.known.crowded(asked) if is_least else asked.span
        self._tell_cut(span, reason)
        if wanted is not None and self._count(wanted):
            return
        if smaller is None:
            raise cannot_split(self.caller, span, reason, hashable=self.known.hashable)
        self.known = smaller

    # Counting and learning

    def _count(self, asked: Count) -> bool:
        """Ask for a count and keep what it says; whether there was an answer."""
        if not self._may_count:
            return False
        counted = count(self.caller, asked, now=self._now)
        if isinstance(counted, TooMuch):
            # Counting was to save calls: go on without.
            self._may_count = False
            return False
        rates = self.known.rates.after_count(seconds=counted.running_seconds, hours=counted.hours)
        density = with_count(self.known, asked, counted, self._counts)
        is_first = self.known.density is None
        self.known = replace(self.known, rates=rates, density=density)
        if isinstance(asked, CountCells) and is_first:
            self._census = Census(density, self.caller.clock.now_ns())
            with self._telling_history():
                self._history.keep_census(self._census)
            self._tell_counted(density)
        return True

    def _learn_answer(self, asked: Slice, reply: Reply) -> None:
        hours = max(0, asked.span.end.instant - asked.span.start.instant) / HOUR_TICKS
        answer = reply.answer
        time = self.caller.analysis.time_column if self.known.paged and answer.rows else None
        rates = self.known.rates.after_pull(
            rows=answer.rows,
            body_bytes=reply.body_bytes,
            seconds=reply.running_seconds,
            hours=hours,
            rows_per_cell=None if time is None else rows_per_cell(answer, time),
        )
        self.known = replace(self.known, rates=rates)

    def learn_partition(self, each: StagedPartition, rows: int) -> None:
        """Remember a partition that is whole."""
        hours = each.partition.window.ticks / HOUR_TICKS
        rates = self.known.rates.after_partition(rows=rows, hours=hours)
        self.known = replace(self.known, rates=rates)
        with self._telling_history():
            self._history.keep_rates(rates)

    def finish(self) -> None:
        """All is committed: the count has served."""
        if self._census is not None:
            with self._telling_history():
                self._history.drop_census(self._census)
            self._census = None

    @contextmanager
    def _telling_history(self) -> Iterator[None]:
        """Go on where the history can't be written: that costs a count, and never a row."""
        try:
            yield
        except LakeUnwritable as error:
            self._tell_not_kept(error)

    # Room

    def room(self) -> Room:
        """What the next answer needs on disk: its slice, and the partition that it completes."""
        caller = self.caller
        hunt, tenant = caller.hunt, caller.tenant
        folder = self.layout.staging_folder(
            hunt, tenant.name, tenant.surface.name, caller.partition
        )
        target = self.layout.partition_file(hunt.name, tenant.name, caller.partition)
        each = next(each for each in self.batch.partitions if each.partition == caller.partition)
        staged = sum(piece.file_bytes for piece in each.slices)
        expected = self.known.expected_bytes(self._left) if self.batch.rests else 0
        return Room(
            (
                Need(folder, expected),
                Need(target.parent, staged + expected + each.kept_bytes),
                Need(self.layout.root, 0),
            )
        )

    # Proof

    def counted_rows(self, each: StagedPartition) -> int | None:
        """The rows that the partition must have at least, by the count that came before its slices.

        ``None`` where none did.
        """
        if self._census is None:
            return None
        records = [staged.record for staged in each.slices]
        return self._census.rows_of(each.partition.window, records)

    def refuse_missing_rows(self, each: StagedPartition, rows: int) -> None:
        """Raise ``RowsMissing`` where fewer rows were pulled than the service had counted before.

        More are what arrived meanwhile. A hunt that aggregates may have fewer for late events.
        """
        counted = self.counted_rows(each)
        if (
            counted is None
            or rows >= counted
            or self.caller.analysis.verdict is not Verdict.ROW_WISE
        ):
            return
        each.discard()
        self.finish()
        raise RowsMissing(
            f"{self.caller.hunt.name}, partition {each.partition.key}: the service counted "
            f"{counted:,} rows and then gave {rows:,}. Nothing was committed, and what was pulled "
            f"is discarded; run the export again, which pulls the partition anew"
        )

    def _earlier_census(self) -> Census | None:
        """An earlier run's count, where it covers what is left."""
        rests = self.batch.rests
        if not rests or self._counts is None:
            return None
        start, end = rests[0].start, self.batch.window.end
        # What is left of a cell that was begun is soon pulled, and no count has it (`first_count`).
        is_begun = self.caller.analysis.time_column is not None and start.bucket
        needed_from = self._counts.cell_end(start.instant) if is_begun else start.instant
        if needed_from >= end:
            return None
        needed = Window(needed_from, end)
        try:
            return self._history.census(needed, now_ns=self.caller.clock.now_ns())
        except LakeUnwritable as error:
            self._tell_not_kept(error)
            return None

    # Progress

    def _tell_not_kept(self, error: LakeUnwritable) -> None:
        caller = self.caller
        caller.observer(HistoryNotKept(caller.hunt.name, caller.partition.key, str(error)))

    def _tell_cut(self, span: Span, reason: str) -> None:
        caller = self.caller
        caller.observer(SliceCut(caller.hunt.name, caller.partition.key, span, reason))

    def _tell_counted(self, density: Density) -> None:
        caller = self.caller
        caller.observer(
            Counted(
                caller.hunt.name,
                caller.partition.key,
                density.window,
                density.rows,
                self.plan().calls,
            )
        )

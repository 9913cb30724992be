"""The partitions that are exported together, and what is staged of them.

What belongs here: putting answers on disk, partition by partition, and what is left to pull. What
does not: which slices to pull (``slicing``), and the commit (``export``).
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Self

from pipelines.errors import LakeUnwritable, MalformedResponse
from pipelines.landing import (
    Answer,
    HeldSlice,
    LandedSlice,
    SliceRecord,
    Staging,
    in_time_order,
    parts,
)
from pipelines.slicing import Partition, remaining, without
from pipelines.spans import Position, Span
from pipelines.windows import Window


@dataclass(slots=True)
class StagedPartition:
    """One partition that is not committed yet: where its slices are, and which there are."""

    partition: Partition
    staging: Staging
    slices: list[LandedSlice]
    is_discarded: bool = False

    @classmethod
    def found(cls, partition: Partition, staging: Staging) -> Self:
        """With the slices that an earlier run has staged."""
        return cls(partition, staging, list(staging.slices()))

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans that are staged."""
        return tuple(each.record.span for each in self.slices)

    @property
    def rests(self) -> list[Span]:
        """What is still to be pulled, in order."""
        return remaining(Span.of(self.partition.window), self.spans)

    @property
    def kept_bytes(self) -> int:
        """What its file will hold beside these slices."""
        return 0

    def in_order(self) -> list[LandedSlice]:
        """The slices in time order."""
        return sorted(self.slices, key=lambda each: each.record.span)

    def put_down(self) -> None:
        """Put on disk what is held and still wanted. Raises ``LakeUnwritable``."""
        if not self.is_discarded:
            for each in self.slices:
                if isinstance(each, HeldSlice):
                    self.staging.put_down(each)

    def discard(self) -> None:
        """Remove what is staged, once it is committed or worth nothing."""
        self.staging.discard()
        self.is_discarded = True


@dataclass(frozen=True, slots=True)
class Batch:
    """Partitions of which one call may span several: adjacent ones, in an export."""

    partitions: Sequence[StagedPartition]
    holds_last: ClassVar[bool] = True
    """Whether the last that is lacking is not put on disk, since all can be committed now."""

    @property
    def window(self) -> Window:
        """From the start of the first partition to the end of the last."""
        first, last = self.partitions[0].partition, self.partitions[-1].partition
        return Window(first.window.start, last.window.end)

    @property
    def rests(self) -> list[Span]:
        """What is still to be pulled, in order, each by calls of its own."""
        return self.lacking

    @property
    def lacking(self) -> list[Span]:
        """What is still to be pulled, in order; what adjacent partitions lack is one span."""
        merged: list[Span] = []
        for rest in (rest for each in self.partitions for rest in each.rests):
            if merged and merged[-1].end == rest.start:
                merged[-1] = Span(merged[-1].start, rest.end)
            else:
                merged.append(rest)
        return merged

    def windows_in(self, window: Window) -> Sequence[Window]:
        """The parts of a window that are to be read, where not all of it is."""
        del window
        return ()

    def stage(
        self,
        answer: Answer,
        record: SliceRecord,
        time_column: str | None,
        order_by: str | None,
        *,
        cut_at: int | None = None,
    ) -> Iterator[tuple[StagedPartition, LandedSlice]]:
        """Take an answer: a slice of each partition that its span touches.

        Each is safe on disk when it is yielded; the last that is lacking is only held, if it may
        be. ``time_column`` tells the rows of partitions apart where the span touches several;
        ``order_by`` is what the rows are put in order by, if they can be. ``cut_at`` is an instant
        at which one slice shall end and another begin, if in the span. Raises ``MalformedResponse``
        for a row between partitions, which nobody asked for.
        """
        windows = [each.partition.window for each in self.partitions]
        edges = sorted(
            edge
            for edge in {cut_at, *(edge for each in windows for edge in (each.start, each.end))}
            if edge is not None and record.span.start < Position(edge) < record.span.end
        )
        pieces = [answer]
        if edges:
            pieces = parts(in_time_order(answer, time_column), time_column or "", edges)
        is_held = self.holds_last and not without(record.span, self.rests)
        bounds = pairwise((record.span.start, *map(Position, edges), record.span.end))
        for number, (piece, (start, end)) in enumerate(zip(pieces, bounds, strict=True)):
            each = next(
                (each for each in self.partitions if start.instant in each.partition.window), None
            )
            if each is None:
                _refuse_rows(piece)
                continue
            of_piece = replace(
                record, span=Span(start, end), rows=piece.rows, kept_aside=piece.kept_aside
            )
            take = each.staging.hold if is_held else each.staging.write
            landed: LandedSlice = take(
                piece, of_piece if number == 0 else for_nothing(of_piece), time_column=order_by
            )
            each.slices.append(landed)
            yield each, landed

    def put_down(self) -> None:
        """Put on disk what is held and was not committed, if the disk lets it."""
        # The disk that refused a commit may refuse this too, and the error under way says so.
        with suppress(LakeUnwritable):
            for each in self.partitions:
                each.put_down()


def _refuse_rows(piece: Answer) -> None:
    if piece.rows:
        raise MalformedResponse(
            f"the answer has {piece.rows:,} rows of a time that it was not asked for"
        )


def for_nothing(record: SliceRecord) -> SliceRecord:
    """The record of a slice whose call the partition before has on its account."""
    return replace(
        record,
        running_seconds=0.0,
        body_bytes=0,
        calls=0,
        counting_calls=0,
        wasted_calls=0,
        wasted_rows=0,
    )

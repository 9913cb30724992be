"""What an answer holds whole, and the record of it that goes into the receipt.

What belongs here: reading one answer against what was asked for. What does not: asking (``pull``),
and what follows where nothing of it is whole (``slicer``).
"""

from pipelines.errors import CannotSplit
from pipelines.kql import BUCKET, Verdict
from pipelines.landing import (
    Answer,
    SliceRecord,
    before_last_bucket,
    before_last_cell,
    without_column,
)
from pipelines.pull import Caller, Reply
from pipelines.slicing import Slice
from pipelines.spans import Position, Span


def whole_part(
    asked: Slice, answer: Answer, cap: int, time_column: str | None
) -> tuple[Span, Answer] | None:
    """The span that the answer holds whole, and its rows; ``None`` where it holds none whole.

    The service cuts without a word, so as many rows as were asked for, or as the ``cap`` allows,
    means "perhaps more". Of a page in time order, all rows before the last cell are there all the
    same, or by hash all before its last bucket. Raises ``MalformedResponse``.
    """
    if answer.rows < _limit(asked, cap):
        return asked.span, without_column(answer, BUCKET) if asked.by_hash else answer
    start = asked.span.start
    if asked.limit is None or time_column is None:
        return None
    begun = (
        before_last_bucket(answer, time_column, BUCKET)
        if asked.by_hash
        else before_last_cell(answer, time_column)
    )
    # A partition may begin within a cell.
    end = Position(max(begun.time, start.instant), begun.bucket)
    return None if end <= start else (Span(start, end), begun.answer)


def slice_record(  # noqa: PLR0913, PLR0917 - what was asked, what came, and what is kept of it
    caller: Caller, asked: Slice, span: Span, reply: Reply, answer: Answer, cap: int
) -> SliceRecord:
    """The record of a slice, with all that was spent since the one before it."""
    spent = caller.take_spent()
    return SliceRecord(
        span=span,
        rows=answer.rows,
        limit=_limit(asked, cap),
        proof="whole answer" if span == asked.span else "full page",
        running_seconds=spent.seconds,
        request_id=reply.request_id,
        body_sha256=reply.body_sha256,
        body_bytes=reply.body_bytes,
        kept_aside=answer.kept_aside,
        pulled_ns=caller.clock.now_ns(),
        calls=spent.calls,
        counting_calls=spent.counting_calls,
        wasted_calls=spent.wasted_calls,
        wasted_rows=spent.wasted_rows,
    )


def cannot_split(caller: Caller, span: Span, reason: str, *, hashable: bool) -> CannotSplit:
    """Why a span is too much for one call and nothing divides it, and what to change."""
    analysis, where = caller.analysis, caller.where(span)
    if analysis.grid is None and not hashable:
        daily = caller.partition.partitioning == "daily"
        hourly = ", or make its partitions hourly (`export: partitions:`)" if daily else ""
        return CannotSplit(
            f"{where}: {reason}, and the hunt can't be cut: it is {analysis.verdict}, since "
            f"{analysis.reason}. Filter or summarise it further{hourly}"
        )
    if not hashable:
        why = analysis.reason
        if analysis.verdict is Verdict.ROW_WISE:
            why = "its rows hold what may change between two calls, so that no hash is sure"
        return CannotSplit(
            f"{where}: {reason}, and neither time nor a key divides that further, since "
            f"{why}. Filter the hunt further"
        )
    return CannotSplit(
        f"{where}: {reason}, and a hash divides that no further: its rows are alike in what "
        f"they are divided by. Filter the hunt further, or summarise what is alike"
    )


def _limit(asked: Slice, cap: int) -> int:
    return cap if asked.limit is None else asked.limit

"""Whether a receipt proves its partition whole: its slices cover the window, and its sums agree.

What belongs here: what contradicts a receipt, in words. What does not: reading it from a file
(``landed``), or writing it (``committing``).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, get_args

from pipelines.kql import Verdict
from pipelines.landing import Proof, Receipt, SliceRecord
from pipelines.slicing import Partition
from pipelines.spans import Position, Span

_PROOFS: Final = frozenset(get_args(Proof))


def contradictions(receipt: Receipt, *, rows_in_file: int) -> Iterator[str]:
    """All that keeps a receipt from proving that its file is the whole partition."""
    yield from _uncovered(receipt)
    for each in unproven(receipt):
        yield (
            f"nothing proves that the slice {each.span} is whole: {each.rows:,} rows came where "
            f"{each.limit:,} were allowed ({each.proof})"
        )
    in_slices = sum(each.rows for each in receipt.slices)
    if in_slices != receipt.rows:
        yield f"its slices have {in_slices:,} rows, and its receipt {receipt.rows:,}"
    if rows_in_file != receipt.rows:
        yield f"its file has {rows_in_file:,} rows, and its receipt {receipt.rows:,}"
    # A hunt that aggregates may have fewer rows for more events.
    is_counted = receipt.counted_rows is not None and receipt.verdict == str(Verdict.ROW_WISE)
    if is_counted and receipt.counted_rows is not None and receipt.counted_rows > receipt.rows:
        yield f"the service counted {receipt.counted_rows:,} rows, and {receipt.rows:,} landed"


def misplaced(receipt: Receipt, *, hunt: str, tenant: str, partition: Partition) -> Iterator[str]:
    """What says that the receipt is of another partition than where its file lies."""
    for what, is_of, lies in (
        ("hunt", receipt.hunt, hunt),
        ("tenant", receipt.tenant, tenant),
        ("partition", receipt.partition, partition.key),
        ("window", receipt.window, partition.window),
    ):
        if is_of != lies:
            yield f"its receipt is of {what} {is_of}, but it lies where {lies} does"


def unproven(receipt: Receipt) -> Iterator[SliceRecord]:
    """The slices that may have been cut: the service says nothing of what it leaves out.

    Of a full page the rows of the last cell, or the last row, were left to the next slice, so that
    it too has fewer rows than its limit.
    """
    return (each for each in receipt.slices if each.rows >= each.limit or each.proof not in _PROOFS)


def _uncovered(receipt: Receipt) -> Iterator[str]:
    """Where the slices leave something of the window out, have it twice, or reach beyond it."""
    if not receipt.slices:
        yield f"it has no slice at all, so that nothing covers {receipt.window}"
        return
    window = Span.of(receipt.window)
    spans = sorted(each.span for each in receipt.slices)
    for before, after in pairwise(
        [_point(window.start), *((each.start, each.end) for each in spans), _point(window.end)]
    ):
        end, start = before[1], after[0]
        if end < start:
            yield f"no slice covers {Span(end, start)}"
        elif start < end:
            yield f"slices overlap, or leave the window, in {Span(start, end)}"


def _point(at: Position) -> tuple[Position, Position]:
    return at, at

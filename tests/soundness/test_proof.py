"""What a receipt proves, and all that keeps it from that."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.landing import SliceRecord
from pipelines.slicing import Partition
from pipelines.soundness import contradictions
from pipelines.soundness.proof import misplaced
from pipelines.spans import BUCKETS, Position, Span
from tests.soundness.lakes import a_slice, days, one_slice, receipt_of

[DAY] = days("2026-11-20", 1)


@st.composite
def positions(draw: st.DrawFn) -> list[Position]:
    """Where a day is cut: at instants, and within them at buckets of a hash."""
    instants = st.integers(DAY.window.start, DAY.window.end - 1)
    inner = draw(
        st.sets(st.builds(Position, instants, st.integers(0, BUCKETS - 1)), min_size=1, max_size=6)
    )
    return sorted({Position(DAY.window.start), *inner, Position(DAY.window.end)})


def slices(cuts: list[Position]) -> list[SliceRecord]:
    return [
        a_slice(Span(start, end), number + 1) for number, (start, end) in enumerate(pairwise(cuts))
    ]


def found(each: Partition, records: list[SliceRecord], **changes: Any) -> list[str]:
    receipt = receipt_of(each, records, **changes)
    return list(contradictions(receipt, rows_in_file=receipt.rows))


@given(positions())
def test_slices_that_cover_the_window_prove_it(cuts: list[Position]) -> None:
    """However it is cut, and in whatever order they stand."""
    assert found(DAY, slices(cuts)[::-1]) == []


@given(positions(), st.data())
def test_a_slice_that_is_missing_or_there_twice_is_found(
    cuts: list[Position], data: st.DataObject
) -> None:
    """With the span that nothing covers, or that two do."""
    assume(len(cuts) > 2)
    whole = slices(cuts)
    each = data.draw(st.sampled_from(whole))
    missing = found(DAY, [other for other in whole if other != each])
    assert missing == [f"no slice covers {each.span}"]
    [twice] = found(DAY, [*whole, each])
    assert twice.endswith(f"in {each.span}")


def test_a_slice_beyond_the_window_is_found() -> None:
    """Its rows are those of another partition."""
    [_, later] = days("2026-11-20", 2)
    both = Span(Position(DAY.window.start), Position(later.window.end))
    assert len(found(DAY, [a_slice(both, 1)])) == 1


def test_a_receipt_without_slices_proves_nothing() -> None:
    """Even an empty day was asked for."""
    assert len(found(DAY, [])) == 1


@pytest.mark.parametrize("proof", ["whole answer", "full page"])
def test_as_many_rows_as_allowed_prove_nothing(proof: str) -> None:
    """Of a full page at least the last row is left to the next slice."""
    span = Span.of(DAY.window)
    assert found(DAY, [a_slice(span, 9, limit=10, proof=proof)]) == []
    [problem] = found(DAY, [a_slice(span, 10, limit=10, proof=proof)])
    assert "10 rows came where 10 were allowed" in problem


def test_a_proof_of_no_known_kind_is_none() -> None:
    """A receipt may be anybody's."""
    assert len(found(DAY, [a_slice(Span.of(DAY.window), 1, proof="trust me")])) == 1


def test_the_sums_have_to_agree() -> None:
    """Of the slices, the receipt and the file."""
    receipt = one_slice(DAY, 7)
    assert list(contradictions(receipt, rows_in_file=7)) == []
    assert len(list(contradictions(receipt, rows_in_file=6))) == 1
    assert len(list(contradictions(replace(receipt, rows=8), rows_in_file=8))) == 1


def test_no_fewer_rows_than_were_counted() -> None:
    """More arrived meanwhile, and what a hunt aggregates may become fewer."""
    assert len(found(DAY, [a_slice(Span.of(DAY.window), 7)], counted_rows=8)) == 1
    assert found(DAY, [a_slice(Span.of(DAY.window), 7)], counted_rows=6) == []
    keyed = {"counted_rows": 8, "verdict": "keyed"}
    assert found(DAY, [a_slice(Span.of(DAY.window), 7)], **keyed) == []


def test_a_receipt_is_of_where_its_file_lies() -> None:
    """A file that was copied to another day would show its rows twice."""
    [_, later] = days("2026-11-20", 2)
    receipt = one_slice(DAY, 7)
    assert list(misplaced(receipt, hunt="logons", tenant="demo", partition=DAY)) == []
    assert len(list(misplaced(receipt, hunt="logons", tenant="demo", partition=later))) == 2
    assert len(list(misplaced(receipt, hunt="other", tenant="else", partition=DAY))) == 2

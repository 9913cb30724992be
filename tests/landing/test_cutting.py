"""Parts of an answer: by its rows' time, each row in one of them, and what is beside them too."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import MalformedResponse
from pipelines.landing import (
    Answer,
    before_last_bucket,
    before_last_cell,
    in_time_order,
    parts,
    rows_per_cell,
    without_column,
)
from pipelines.landing.schema import WIRE_NAME
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant, parse_instant
from tests.landing.samples import an_answer

START = parse_instant("2026-11-20")
instants = st.integers(0, 40).map(lambda each: START + each)


def answered(times: list[int], names: list[object] | None = None) -> Answer:
    given = names or [f"row {number}" for number in range(len(times))]
    return an_answer(
        [
            {"Timestamp": format_instant(time), "Name": name, "Span": None}
            for time, name in zip(times, given, strict=True)
        ]
    )


def times(answer: Answer) -> list[int]:
    nanoseconds = answer.table.column("Timestamp").cast(pa.int64()).to_pylist()
    return [each // NANOSECONDS_PER_TICK for each in nanoseconds]


@given(st.lists(instants, max_size=30), st.lists(instants, max_size=5).map(sorted))
def test_each_row_is_in_the_part_of_its_time(rows: list[int], edges: list[int]) -> None:
    """An edge belongs to what follows it; all parts together are the answer."""
    answer = in_time_order(answered(rows), "Timestamp")
    found = parts(answer, "Timestamp", edges)
    assert len(found) == len(edges) + 1
    bounds = [START - 1, *edges, START + 99]
    for number, part in enumerate(found):
        assert all(bounds[number] <= each < bounds[number + 1] for each in times(part))
        assert part.rows == len(times(part))
    assert pa.concat_tables([part.table for part in found]).equals(answer.table)


@given(st.lists(instants, min_size=1, max_size=30))
def test_a_page_is_whole_before_its_last_time(rows: list[int]) -> None:
    """Exact to the tick: one too many would lose rows."""
    begun = before_last_cell(answered(rows), "Timestamp")
    assert (begun.time, begun.bucket) == (max(rows), 0)
    assert times(begun.answer) == [each for each in rows if each < max(rows)]


@given(st.lists(st.tuples(instants, st.integers(0, 9)), min_size=1, max_size=30))
def test_a_page_by_hash_is_whole_before_its_last_bucket(rows: list[tuple[int, int]]) -> None:
    """The column that says so is not the hunt's, and doesn't land."""
    page = bucketed(rows)
    begun = before_last_bucket(page, "Timestamp", "Bucket")
    assert (begun.time, begun.bucket) == max(rows)
    assert times(begun.answer) == [time for time, bucket in rows if (time, bucket) < max(rows)]
    assert "Bucket" not in begun.answer.table.column_names
    assert without_column(page, "Bucket").table.num_columns == page.table.num_columns - 1
    assert without_column(begun.answer, "Bucket") is begun.answer


@given(st.lists(instants, min_size=1, max_size=30))
def test_rows_share_their_cell_with_so_many_on_average(rows: list[int]) -> None:
    """Over rows, not cells: a page is likelier to end in a cell that has more of them."""
    shared = [rows.count(each) for each in rows]
    assert rows_per_cell(answered(rows), "Timestamp") == pytest.approx(sum(shared) / len(rows))


def bucketed(rows: list[tuple[int, int | None]]) -> Answer:
    answer = answered([time for time, _ in rows])
    field = pa.field("Bucket", pa.int64(), metadata={WIRE_NAME: b"Bucket"})
    column = pa.array([bucket for _, bucket in rows], pa.int64())
    return replace(answer, table=answer.table.append_column(field, column))


def test_rows_of_one_tick_stay_as_they_came() -> None:
    """The order is that of time alone."""
    answer = in_time_order(answered([START + 1, START, START + 1], ["b", "a", "c"]), "Timestamp")
    assert answer.table.column("Name").to_pylist() == ["a", "b", "c"]
    assert in_time_order(answer, None) is answer
    assert in_time_order(answer, "Name") is answer


def test_what_is_kept_aside_goes_with_its_row() -> None:
    """So that each partition's receipt counts its own."""
    answer = answered([START, START + 1, START + 2], [["odd"], "plain", {"odd": 1}])
    before, after = parts(answer, "Timestamp", [START + 1])
    assert answer.kept_aside == before.kept_aside + after.kept_aside
    assert before.kept_aside == after.kept_aside == answer.kept_aside // 2 > 0


def test_an_answer_without_rows_has_parts_without_rows() -> None:
    """Also where it has no columns, as the service leaves them out of an empty one."""
    bare = Answer(pa.table({}), None, 0)
    assert [part.rows for part in parts(bare, "Timestamp", [START, START + 1])] == [0, 0, 0]
    assert [part.rows for part in parts(answered([]), "Timestamp", [START])] == [0, 0]


def test_rows_that_can_not_be_told_apart_are_refused() -> None:
    """Where the time is missing, nobody can say which partition a row is of."""
    with pytest.raises(MalformedResponse, match="lacks Other"):
        parts(answered([START]), "Other", [START])
    untimed = an_answer([{"Timestamp": None, "Name": "a", "Span": None}])
    with pytest.raises(MalformedResponse, match="no time"):
        before_last_cell(untimed, "Timestamp")
    with pytest.raises(MalformedResponse, match="lacks Bucket"):
        before_last_bucket(answered([START]), "Timestamp", "Bucket")
    with pytest.raises(MalformedResponse, match="lacks Bucket"):
        before_last_bucket(bucketed([(START, None)]), "Timestamp", "Bucket")

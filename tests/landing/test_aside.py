"""Counting what is kept aside, and finding its rows, in files that have landed."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.landing import (
    KEPT_ASIDE,
    Staging,
    kept_aside_by_column,
    kept_aside_in_file,
    kept_aside_rows,
)
from pipelines.landing.canonical import write_json
from tests.landing.samples import a_record, an_answer, hours

ROWS = st.lists(
    st.none() | st.dictionaries(st.sampled_from(["a", "b", "\ud800"]), st.integers(), min_size=1),
    max_size=12,
)


@given(rows=ROWS, most=st.integers(1, 3))
def test_counts_and_places_are_those_of_the_rows(
    rows: list[dict[str, int] | None], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By column, in all row groups; the first rows that have it, and no more than asked for."""
    path = tmp_path_factory.mktemp("aside") / "data.parquet"
    texts = [None if row is None else write_json(row) for row in rows]
    table = pa.table({"n": pa.nulls(len(rows)), KEPT_ASIDE: pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=5)
    expected = Counter(name for row in rows if row for name in row)
    assert kept_aside_in_file(path) == dict(sorted(expected.items()))
    assert kept_aside_rows(path, expected, most) == {
        name: [number for number, row in enumerate(rows) if row and name in row][:most]
        for name in expected
    }


def test_slices_say_what_they_keep_aside(tmp_path: Path) -> None:
    """On disk or in memory; by the service's names, and unlisted keys by theirs."""
    columns = {"LogonId": "Int32", "LogonID": "Int32"}
    rows = [{"LogonId": "x", "LogonID": 1}, {"LogonId": 2, "LogonID": "y", "lost": 1}]
    answer, record = an_answer(rows, columns), a_record(hours(0, 1), 2)
    staged = Staging(tmp_path).write(answer, record, time_column=None)
    held = Staging.hold(answer, record, time_column=None)
    found = kept_aside_by_column([staged, held])
    assert found == {"LogonID": 2, "LogonId": 2, "lost": 2}
    assert sum(found.values()) == 2 * answer.kept_aside

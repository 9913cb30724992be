"""Journals: rows added month by month, and read again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import LakeUnwritable
from pipelines.lake import Journal, LakeLayout

SCHEMA = pa.schema([("hunt", pa.string()), ("rows", pa.int64())])
DAY = 86_400 * NANOSECONDS_PER_SECOND
# 2026-11-30T00:00Z
NOVEMBER = 1_795_996_800 * NANOSECONDS_PER_SECOND


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(LakeLayout(tmp_path / "data"), "exports", SCHEMA)


def test_rows_are_read_in_the_order_in_which_they_were_added(journal: Journal) -> None:
    """Over months, and no tenant sees another's."""
    journal.append("contoso", [{"hunt": "a", "rows": 1}], at_ns=NOVEMBER)
    journal.append("contoso", [{"hunt": "b", "rows": 2}, {"hunt": "c"}], at_ns=NOVEMBER)
    journal.append("fabrikam", [{"hunt": "x", "rows": 9}], at_ns=NOVEMBER)
    journal.append("contoso", [{"hunt": "d", "rows": 4}], at_ns=NOVEMBER + DAY)
    assert journal.read("contoso").column("hunt").to_pylist() == ["a", "b", "c", "d"]
    assert journal.read("contoso", since_ns=NOVEMBER + DAY).num_rows == 1
    assert journal.read("nobody").schema == SCHEMA


def test_those_who_add_at_once_lose_no_row(journal: Journal) -> None:
    """Each writes the whole month anew, one after another."""
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            pool.submit(journal.append, "contoso", [{"rows": number}], at_ns=NOVEMBER)
    assert sorted(journal.read("contoso").column("rows").to_pylist()) == list(range(20))


def test_a_column_that_came_later_is_null_in_what_was_there(journal: Journal) -> None:
    """So a newer huntlake goes on with the journal of an older one."""
    journal.append("contoso", [{"hunt": "a", "rows": 1}], at_ns=NOVEMBER)
    wider = Journal(journal.layout, "exports", SCHEMA.append(pa.field("calls", pa.int64())))
    wider.append("contoso", [{"hunt": "b", "rows": 2, "calls": 3}], at_ns=NOVEMBER)
    assert wider.read("contoso").column("calls").to_pylist() == [None, 3]


def test_what_can_t_be_written_leaves_the_month_as_it_was(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of before are there, whole."""
    journal.append("contoso", [{"hunt": "a", "rows": 1}], at_ns=NOVEMBER)

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(LakeUnwritable, match="No space left"):
        journal.append("contoso", [{"hunt": "b", "rows": 2}], at_ns=NOVEMBER)
    assert journal.read("contoso").column("hunt").to_pylist() == ["a"]

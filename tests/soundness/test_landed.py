"""What the footers of a hunt's files say, whatever stands there."""

from pathlib import Path

import pytest

from pipelines.lake import LakeLayout
from pipelines.slicing import partition
from pipelines.soundness import Landed, read_landed
from tests.soundness.lakes import TENANT, a_slice, days, one_slice, put, receipt_of, span

[DAY, NEXT] = days("2026-11-20", 2)


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path)


def read(layout: LakeLayout) -> list[Landed]:
    return read_landed(layout, "logons", TENANT, "daily")


def test_a_sound_file_is_known_by_its_footer(layout: LakeLayout) -> None:
    """In the order of time, with rows, columns and no problem."""
    put(layout, NEXT, one_slice(NEXT, 4), 4)
    put(
        layout,
        DAY,
        receipt_of(DAY, [a_slice(span(DAY, 0, 0.5), 1), a_slice(span(DAY, 0.5, 1), 2)]),
        3,
        "A",
        "B",
    )
    first, second = read(layout)
    assert (first.name, first.rows, first.problems) == ("2026-11-20", 3, ())
    assert [column.landed for column in first.columns] == ["A", "B"]
    assert [part.rows for part in first.whole_answers] == [1, 2]
    assert (second.name, second.rows, second.problems) == ("2026-11-21", 4, ())


def test_rows_are_counted_in_the_file(layout: LakeLayout) -> None:
    """Whatever the receipt claims."""
    put(layout, DAY, one_slice(DAY, 4), 3)
    [found] = read(layout)
    assert found.rows == 3
    assert "3 rows" in found.problems[0]


def test_a_file_cut_short_is_a_problem(layout: LakeLayout) -> None:
    """A copy that ran out of disk, for one."""
    path = put(layout, DAY, one_slice(DAY, 4), 4)
    path.write_bytes(path.read_bytes()[:-20])
    [found] = read(layout)
    assert "can't be read" in found.problems[0]


def test_a_file_of_anybody_else_is_a_problem(layout: LakeLayout) -> None:
    """Its rows are in the hunt's view all the same."""
    put(layout, DAY, None, 4)
    [found] = read(layout)
    assert "no receipt" in found.problems[0]


def test_a_file_moved_to_another_day_is_a_problem(layout: LakeLayout) -> None:
    """By its receipt, which is of where it was."""
    put(layout, NEXT, one_slice(DAY, 4), 4)
    [found] = read(layout)
    assert "2026-11-20" in found.problems[0]
    assert "2026-11-21" in found.problems[0]


def test_an_hour_among_days_is_a_problem(layout: LakeLayout) -> None:
    """The view would show its rows twice."""
    hour = partition("hourly", "2026-11-20-05:00")
    path = put(layout, hour, one_slice(hour, 4), 4)
    [found] = read(layout)
    assert (found.partition, found.name) == (None, str(path))
    assert found.problems
    [found] = read_landed(layout, "logons", TENANT, "hourly")
    assert (found.name, found.problems) == (hour.key, ())


def test_a_folder_that_is_no_day_is_a_problem(layout: LakeLayout) -> None:
    """Such as one that somebody made by hand."""
    path = put(layout, DAY, one_slice(DAY, 4), 4)
    path.parent.rename(path.parent.with_name("date=yesterday"))
    [found] = read(layout)
    assert found.partition is None
    assert found.problems

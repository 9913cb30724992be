"""Which partitions are due, and which of them the lake never got."""

import itertools
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.hunts import ExportSettings, Hunt, Partitioning
from pipelines.lake import LakeLayout
from pipelines.missing import due_between, never_loaded, runs_of
from pipelines.slicing import partition, partition_at
from pipelines.windows import TICKS_PER_SECOND, parse_instant

HOUR = 3_600 * TICKS_PER_SECOND
NIGHT = parse_instant("2026-11-20T02:30:00")


def a_hunt(kind: Partitioning = "daily", settle_hours: float = 2) -> Hunt:
    settings = ExportSettings(partitions=kind, settle=timedelta(hours=settle_hours))
    return Hunt(name="logons", query="DeviceLogonEvents", export=settings)


@pytest.mark.parametrize(
    ("kind", "settle_hours", "keys"),
    [
        ("daily", 2, ["2026-11-19"]),
        ("daily", 3, ["2026-11-18"]),
        ("daily", 50, ["2026-11-17"]),
        ("snapshot", 2, ["2026-11-20"]),
        ("snapshot", 3, []),
    ],
)
def test_a_partition_is_due_once_it_has_settled(
    kind: Partitioning, settle_hours: float, keys: list[str]
) -> None:
    """A snapshot so long after its day's start, and no other day's than its own."""
    due = due_between(a_hunt(kind, settle_hours), NIGHT - 24 * HOUR, NIGHT)
    assert [each.key for each in due] == keys


@given(
    st.sampled_from(["hourly", "daily"]),
    st.integers(0, 72),
    st.lists(st.integers(0, 200), min_size=2, max_size=6).map(sorted),
)
def test_no_partition_is_due_twice_or_never(
    kind: Partitioning, settle_hours: int, hours: list[int]
) -> None:
    """Whenever one looks: what is due between looks is what is due from the first to the last."""
    hunt = a_hunt(kind, settle_hours)
    looks = [NIGHT + each * HOUR for each in hours]
    parts = [
        each
        for one, other in itertools.pairwise(looks)
        if one < other
        for each in due_between(hunt, one, other)
    ]
    whole = due_between(hunt, looks[0], looks[-1]) if looks[0] < looks[-1] else []
    assert parts == whole


@given(st.sets(st.integers(0, 23)), st.integers(0, 5))
def test_what_is_missing_is_asked_for_in_few_runs(hours: set[int], joined: int) -> None:
    """Each is in one of them, and no run holds more that is there than may be between two."""
    missing = [partition_at("hourly", NIGHT + each * HOUR) for each in sorted(hours)]
    runs = runs_of(missing, joined=joined)
    covered = [
        each for each in missing for first, last in runs if first.key <= each.key <= last.key
    ]
    assert covered == missing
    gaps = [
        (later.window.start - earlier.window.end) // HOUR
        for (_, earlier), (later, _) in itertools.pairwise(runs)
    ]
    assert all(gap > joined for gap in gaps)


def test_what_has_no_file_was_never_loaded(tmp_path: Path) -> None:
    """An empty folder, which a crash may leave, is none; what was before is not asked for."""
    layout, hunt = LakeLayout(tmp_path), a_hunt()
    there, empty = partition("daily", "2026-11-17"), partition("daily", "2026-11-18")
    for each in (there, empty):
        layout.partition_file(hunt.name, "t", each).parent.mkdir(parents=True)
    layout.partition_file(hunt.name, "t", there).write_bytes(b"")
    since = parse_instant("2026-11-16T00:00:00")
    found = never_loaded(hunt, layout, "t", since=since, due_by=NIGHT)
    assert [each.key for each in found] == ["2026-11-16", "2026-11-18", "2026-11-19"]
    found = never_loaded(hunt, layout, "t", since=since + 1, due_by=NIGHT)
    assert [each.key for each in found] == ["2026-11-18", "2026-11-19"]


@settings(max_examples=40)
@given(
    st.sampled_from(["hourly", "daily"]),
    st.sets(st.integers(-80, 10)),
    st.integers(-72, 0),
    st.integers(-48, 0),
)
def test_what_is_there_is_told_by_one_listing(
    kind: Partitioning, landed: set[int], since: int, due_by: int
) -> None:
    """The same as where each partition's file is looked for; files of another kind are none."""
    hunt, others = a_hunt(kind, 3), a_hunt("hourly" if kind == "daily" else "daily")
    look, until = NIGHT + since * HOUR // 2, NIGHT + due_by * HOUR // 2
    with tempfile.TemporaryDirectory() as name:
        layout = LakeLayout(Path(name))
        for number in landed:
            each = (hunt, others)[number % 5 == 0].export.partitions
            file = layout.partition_file("logons", "t", partition_at(each, NIGHT + number * HOUR))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
        found = never_loaded(hunt, layout, "t", since=look, due_by=until)
        expected = [
            each
            for each in due_between(hunt, look, until)
            if each.window.start >= look and not layout.partition_file("logons", "t", each).exists()
        ]
    assert found == expected

"""``huntlake.partitions``: what the lake holds, by the receipts in its files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.lake import Journal, LakeLayout, LandedColumns, connect, index, publish
from pipelines.lake.generations import newest
from pipelines.lake.tables import RECOUNTS
from pipelines.slicing import Partition, partition
from pipelines.windows import NANOSECONDS_PER_TICK, datetime_from_instant
from tests.lake.samples import land, receipt_of

# The service has long forgotten it, so that it is settled whenever the test runs.
OLD = partition("daily", "2024-02-29")
# No test runs later than thirty days after it.
DAY = partition("daily", "2199-11-20")
HOUR = partition("hourly", "2199-11-20-05:00")


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path / "data")


def partitions(layout: LakeLayout, columns: str) -> list[tuple[object, ...]]:
    with connect(layout) as lake:
        return lake.sql(f"SELECT {columns} FROM huntlake.partitions ORDER BY ALL").fetchall()


def test_each_partition_is_told_of_by_its_receipt(layout: LakeLayout) -> None:
    """With its file, which is where it is now, in every tenant."""
    path = land(layout, receipt_of("logons", "contoso", DAY), DAY)
    land(layout, receipt_of("alerts", "fabrikam", HOUR, surface="xdr", rows=5), HOUR)
    publish(layout)
    told = partitions(
        layout,
        "hunt, tenant, partition, rows, calls, counting_calls, wasted_rows, running_seconds, "
        "kept_aside, surface, verdict, status, late_rows",
    )
    assert told == [
        (
            "alerts", "fabrikam", "2199-11-20-05:00", 5, 3, 1, 7, 1.5, 4, "xdr", "row-wise",
            "provisional", None,
        ),
        (
            "logons", "contoso", "2199-11-20", 2, 3, 1, 7, 1.5, 4, "graph", "row-wise",
            "provisional", None,
        ),
    ]  # fmt: skip
    [found] = partitions(layout, "path, bytes, window_start, window_end")[1:]
    start, end = (datetime_from_instant(at) for at in (DAY.window.start, DAY.window.end))
    assert found == (str(path), path.stat().st_size, start, end)


def test_the_index_follows_what_is_committed_and_what_goes(
    layout: LakeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit costs the receipt of its own partition; that of one that was replaced is read."""
    days = [partition("daily", f"2026-11-0{day}") for day in range(1, 6)]
    for day in days:
        land(layout, receipt_of("logons", "contoso", day), day)
    publish(layout)
    read: list[Path] = []
    receipt = index.read_receipt

    def recorded(path: Path) -> object:
        read.append(path)
        return receipt(path)

    monkeypatch.setattr(index, "read_receipt", recorded)
    path = land(layout, receipt_of("logons", "contoso", days[2], rows=9), days[2])
    layout.partition_file("logons", "contoso", days[0]).unlink()
    publish(layout, LandedColumns(layout, "logons"), "contoso")
    assert read == [path]
    assert [rows for _, rows in partitions(layout, "partition, rows")] == [2, 9, 2, 2]


def newest_of(layout: LakeLayout) -> Path:
    path = newest(layout.index_file("logons", "contoso"))
    assert path is not None
    return path


def test_a_file_that_is_none_of_ours_is_not_told_of(layout: LakeLayout) -> None:
    """And an index that is damaged is made again."""
    land(layout, receipt_of("logons", "contoso", DAY), DAY)
    publish(layout)
    other = layout.partition_file("logons", "contoso", OLD)
    other.parent.mkdir()
    other.write_bytes(b"no parquet")
    newest_of(layout).write_bytes(b"no parquet either")
    publish(layout, LandedColumns(layout, "logons"), "contoso")
    assert partitions(layout, "partition") == [(DAY.key,)]


def recount(layout: LakeLayout, day: Partition, at: int, late_rows: int, *, settled: bool) -> None:
    row = {
        "tenant": "contoso",
        "hunt": "logons",
        "partition": day.key,
        "counted_at": datetime_from_instant(at),
        "late_rows": late_rows,
        "settled": settled,
    }
    Journal(layout, "recounts", RECOUNTS.schema).append(
        "contoso", [row], at_ns=at * NANOSECONDS_PER_TICK
    )


def test_a_partition_is_settled_once_a_recount_says_so(layout: LakeLayout) -> None:
    """The last one, and of the partition as it is; late rows are those of all recounts."""
    land(layout, receipt_of("logons", "contoso", DAY), DAY)
    publish(layout)
    end = DAY.window.end
    recount(layout, DAY, end + 10_000_000, 5, settled=False)
    told = "status, late_rows, last_counted"
    assert partitions(layout, told) == [
        ("provisional", 5, datetime(2199, 11, 21, 0, 0, 1, tzinfo=UTC))
    ]
    recount(layout, DAY, end + 20_000_000, 2, settled=True)
    assert partitions(layout, "status, late_rows") == [("settled", 7)]
    refreshed = (end + 30_000_000) * NANOSECONDS_PER_TICK
    land(layout, receipt_of("logons", "contoso", DAY, committed_ns=refreshed), DAY)
    publish(layout, LandedColumns(layout, "logons"), "contoso")
    assert partitions(layout, "status") == [("provisional",)]


def test_what_can_not_grow_is_settled(layout: LakeLayout) -> None:
    """A snapshot at once, and what the service has forgotten."""
    land(layout, receipt_of("logons", "contoso", OLD), OLD)
    land(layout, receipt_of("software", "contoso", DAY, verdict="snapshot"), DAY)
    publish(layout)
    assert partitions(layout, "hunt, status") == [("logons", "settled"), ("software", "settled")]

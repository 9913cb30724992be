"""Retention: partitions go once they are older than their hunt lets them stay, and never before."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from pipelines.clock import SimulatedClock
from pipelines.errors import HuntFileError, RetentionTooShort
from pipelines.hunt_files import load_hunts
from pipelines.hunts import ExportSettings, Hunt
from pipelines.lake import LakeLayout, connect, publish
from pipelines.retention import Retained, outlived, refuse_too_short, retain, retention_lines
from pipelines.slicing import partition
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, parse_instant
from tests.lake.samples import land, receipt_of

NOW = parse_instant("2026-11-20T06:00")
DAY_TICKS = 86_400 * TICKS_PER_SECOND
YEAR = timedelta(days=365)
LOGONS = Hunt("logons", "DeviceLogonEvents", export=ExportSettings(retention=YEAR))
# The second is over a year and six hours ago; the third will be in 18 hours.
OLD, OLDEST_KEPT = ("2025-11-18", "2025-11-19"), "2025-11-20"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW * NANOSECONDS_PER_TICK)


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    layout = LakeLayout(tmp_path / "data")
    for tenant in ("contoso", "fabrikam"):
        for key in (*OLD, OLDEST_KEPT, "2026-11-19"):
            day = partition("daily", key)
            land(layout, receipt_of("logons", tenant, day), day)
    day = partition("daily", OLD[0])
    land(layout, receipt_of("alerts", "contoso", day), day)
    publish(layout)
    return layout


def retained(
    layout: LakeLayout, clock: SimulatedClock, *, delete: bool, tenant: str | None = None
) -> list[Retained]:
    hunts = [LOGONS, Hunt("alerts", "AlertInfo")]
    return list(retain(hunts, layout, clock, data_age_days=30, tenant=tenant, delete=delete))


def there(layout: LakeLayout) -> Sequence[str]:
    return [layout.partition_words(path) for path in layout.hunt_files("logons")]


def test_a_dry_run_lists_what_would_go_and_removes_nothing(
    layout: LakeLayout, clock: SimulatedClock
) -> None:
    """Partitions, rows and bytes by hunt and tenant; a hunt without retention is not looked at."""
    before = there(layout)
    found = retained(layout, clock, delete=False)
    assert [(each.hunt, each.tenant, each.rows) for each in found] == [
        ("logons", "contoso", 4),
        ("logons", "fabrikam", 4),
    ]
    assert {one.partition.key for each in found for one in each.outlived} == set(OLD)
    assert there(layout) == before
    *_, last = retention_lines(found, delete=False)
    size = sum(each.file_bytes for each in found)
    assert last == f"4 partitions, {size:,} bytes; nothing was removed: --delete does it"


def test_what_is_removed_is_gone_for_readers_and_stands_in_a_table(
    layout: LakeLayout, clock: SimulatedClock
) -> None:
    """Of the tenant that was asked for, with its empty folders; the next run finds nothing."""
    [removed] = retained(layout, clock, delete=True, tenant="contoso")
    assert [each.partition.key for each in removed.outlived] == list(OLD)
    kept = [f"partition {key} of tenant contoso" for key in (OLDEST_KEPT, "2026-11-19")]
    assert there(layout)[:2] == kept
    assert len(there(layout)) == 6
    gone = layout.partition_file("logons", "contoso", partition("daily", OLD[0]))
    assert not gone.parent.exists()
    with connect(layout) as lake:
        assert lake.sql("SELECT count(*) FROM contoso.logons").fetchall() == [(4,)]
        assert lake.sql("SELECT count(*) FROM huntlake.partitions").fetchall() == [(7,)]
        told = lake.sql("SELECT tenant, hunt, partition, rows, retention FROM huntlake.removals")
        assert told.fetchall() == [("contoso", "logons", key, 2, "365d") for key in OLD]
    assert retained(layout, clock, delete=True, tenant="contoso")[0].outlived == ()


def test_the_last_partition_takes_the_views_along(
    layout: LakeLayout, clock: SimulatedClock
) -> None:
    """A view over no file would be an error for whoever lists them."""
    clock.sleep(2 * 365 * 86_400)
    retained(layout, clock, delete=True)
    assert not (layout.lake / "logons").exists()
    with connect(layout) as lake:
        views = lake.sql("SELECT view_name FROM duckdb_views() WHERE schema_name = 'main'")
        assert ("logons",) not in views.fetchall()
        assert lake.sql("SELECT count(*) FROM alerts").fetchall() == [(2,)]


def test_a_partition_that_is_in_use_stays(layout: LakeLayout, clock: SimulatedClock) -> None:
    """An export of it is under way; the next run removes it."""
    day = partition("daily", OLD[0])
    with FileLock(layout.partition_lock("logons", "contoso", day)):
        [found] = retained(layout, clock, delete=True, tenant="contoso")
    assert ([each.partition.key for each in found.outlived], found.busy) == ([OLD[1]], 1)
    assert len(retained(layout, clock, delete=True, tenant="contoso")[0].outlived) == 1


def test_a_run_that_is_stopped_has_told_of_what_it_removed(
    layout: LakeLayout, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first; the others are there whole, and the next run goes on."""
    unlink, gone = Path.unlink, []

    def stopped(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "data.parquet":
            if gone:
                raise KeyboardInterrupt
            gone.append(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", stopped)
    with pytest.raises(KeyboardInterrupt):
        retained(layout, clock, delete=True, tenant="contoso")
    monkeypatch.undo()
    with connect(layout) as lake:
        assert lake.sql("SELECT partition FROM huntlake.removals").fetchall() == [(OLD[0],)]
        assert lake.sql("SELECT count(*) FROM contoso.logons").fetchall() == [(6,)]
    assert len(retained(layout, clock, delete=True, tenant="contoso")[0].outlived) == 1


def test_a_file_that_is_none_of_ours_stays(layout: LakeLayout, clock: SimulatedClock) -> None:
    """Whoever put it there did not ask for its removal."""
    path = layout.partition_file("logons", "contoso", partition("daily", "2020-01-01"))
    path.parent.mkdir()
    path.write_bytes(b"no parquet")
    retained(layout, clock, delete=True)
    assert path.exists()


@given(st.integers(31, 4_000), st.integers(-50, 50))
def test_nothing_goes_before_its_time(days: int, seconds: int) -> None:
    """A partition goes the instant that its end is as long ago as it may be, and not earlier."""

    class OneHour(LakeLayout):
        def hunt_files(self, hunt: str, tenant: str | None = None) -> list[Path]:
            return [Path("date=2025-11-20/hour=05/data.parquet")]

    hour = partition("hourly", "2025-11-20-05:00")
    now = hour.window.end + days * DAY_TICKS + seconds * TICKS_PER_SECOND
    clock = SimulatedClock(now * NANOSECONDS_PER_TICK)
    with pytest.MonkeyPatch.context() as patched:
        looked: list[Path] = []
        patched.setattr("pipelines.retention.read_receipt", looked.append)
        assert list(outlived(OneHour(Path()), "h", "t", timedelta(days=days), clock)) == []
    assert bool(looked) is (seconds >= 0)


def test_what_the_service_still_has_is_never_removed(
    layout: LakeLayout, clock: SimulatedClock, tmp_path: Path
) -> None:
    """It would be loaded again, night after night: the hunt's file and the limits say so."""
    with pytest.raises(RetentionTooShort, match=r"logons: `retention: 365d` is shorter than 401d"):
        list(retain([LOGONS], layout, clock, data_age_days=400, delete=True))
    refuse_too_short("logons", timedelta(days=31), 30)
    path = tmp_path / "short.kql"
    path.write_text("// export:\n//   retention: 30d\nDeviceLogonEvents\n")
    [error] = load_hunts(tmp_path).errors
    assert isinstance(error, HuntFileError)
    assert "30d is shorter than 31d" in str(error)
    path.write_text("// export:\n//   retention: 400d\nDeviceLogonEvents\n")
    assert load_hunts(tmp_path).hunt("short").export.retention == timedelta(days=400)

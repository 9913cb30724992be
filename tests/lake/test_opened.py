"""The lake for Python: ranges of time, of tenants, exact to the tick, and pruned."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipelines.errors import HuntlakeError, HuntNotInLake, KqlError, SqlError
from pipelines.lake import Lake, LakeLayout, When, open_lake
from tests.lake.hunters import TENANT, land_tables

HUNT = "device_logon_events"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    layout = LakeLayout(tmp_path_factory.mktemp("data"))
    land_tables(layout, {"DeviceLogonEvents": 60, "AlertInfo": 20})
    return layout


@pytest.fixture
def lake(layout: LakeLayout) -> Iterator[Lake]:
    with open_lake(layout.root) as lake:
        yield lake


def test_hunts_are_what_landed(lake: Lake) -> None:
    """With what each of them is."""
    hunts = lake.hunts()
    assert list(hunts) == ["alert_info", HUNT]
    card = hunts[HUNT]
    assert card is not None
    assert card.time_column == "Timestamp"


@pytest.mark.parametrize(
    ("start", "end", "within"),
    [
        (None, None, "true"),
        ("2026-11-21", "2026-11-22", "date = '2026-11-21'"),
        (date(2026, 11, 21), date(2026, 11, 22), "date = '2026-11-21'"),
        ("2026-11-21T06:00", None, "Timestamp >= '2026-11-21 06:00:00+00'"),
        (None, datetime(2026, 11, 21, 6, tzinfo=UTC), "Timestamp < '2026-11-21 06:00:00+00'"),
        (
            datetime(2026, 11, 21, 2, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-21T23:59:59.9999999Z",
            "date = '2026-11-21' AND Timestamp < TIMESTAMPTZ_NS '2026-11-21 23:59:59.9999999+00'",
        ),
    ],
)
def test_a_range_is_half_open(
    lake: Lake, start: When | None, end: When | None, within: str
) -> None:
    """Whatever an instant is given as."""
    wanted = lake.sql(f"SELECT count(*) FROM {HUNT} WHERE {within}").fetchall()
    assert wanted[0][0] > 0
    assert len(lake.hunt(HUNT, start, end)) == wanted[0][0]


def test_a_range_opens_its_own_files_only(lake: Lake) -> None:
    """The days of the other files are ruled out by their paths."""
    plan = lake.hunt(HUNT, "2026-11-21", "2026-11-22").explain()
    assert plan is None or "File Filters" in str(plan)
    assert "date <= DATE '2026-11-21'" in lake.hunt(HUNT, end="2026-11-22").sql_query()


def test_a_tenant_s_rows_are_its_own(lake: Lake) -> None:
    """One that has none has no rows."""
    assert len(lake.hunt(HUNT, tenant=TENANT)) == len(lake.hunt(HUNT)) > 0
    assert len(lake.hunt(HUNT, tenant="fabrikam.com")) == 0


def test_every_tick_survives(lake: Lake) -> None:
    """In Arrow; the last digit is not that of a microsecond."""
    times = lake.hunt("alert_info").to_arrow_table()["Timestamp"]
    assert str(times.type) == "timestamp[ns, tz=UTC]"
    assert any(time.value % 1_000 for time in times)


@pytest.mark.parametrize(
    "when", [datetime.fromisoformat("2026-11-21"), "yesterday", "2026-11-21T06:00+02:00"]
)
def test_a_time_that_may_mean_another_is_refused(lake: Lake, when: When) -> None:
    """A guess of the zone would shift the range in silence."""
    with pytest.raises(ValueError, match="UTC"):
        lake.hunt(HUNT, when)


def test_a_hunt_without_a_time_has_no_ranges(layout: LakeLayout, tmp_path: Path) -> None:
    """What can be done instead is said."""
    layout = LakeLayout(tmp_path)
    land_tables(layout, {"AlertInfo": 2})
    layout.hunt_card("alert_info").unlink()
    with open_lake(tmp_path) as lake:
        assert len(lake.hunt("alert_info")) == 6
        with pytest.raises(ValueError, match="by its column `date`"):
            lake.hunt("alert_info", "2026-11-21")


def test_errors_say_what_there_is(lake: Lake, tmp_path: Path) -> None:
    """Or what may be done instead."""
    with pytest.raises(HuntNotInLake, match="alert_info, device_logon_events"):
        lake.hunt("device_logons")
    with pytest.raises(SqlError, match="read-only here"):
        lake.sql("DROP VIEW alert_info")
    with pytest.raises(KqlError):
        lake.kql("AlertInfo | where")
    with pytest.raises(HuntlakeError, match="export a hunt first"):
        open_lake(tmp_path / "nowhere")


def test_sql_kql_and_partitions_answer(lake: Lake) -> None:
    """From one and the same lake."""
    assert lake.sql("SELECT count(*) FROM alert_info").fetchall() == [(60,)]
    assert lake.kql("AlertInfo | count").fetchall() == [(60,)]
    late = lake.kql("AlertInfo | where Timestamp > ago(1d) | count", as_of="2026-11-23")
    wanted = lake.sql("SELECT count(*) FROM alert_info WHERE Timestamp > '2026-11-22 00:00:00+00'")
    assert late.fetchall() == wanted.fetchall()
    assert len(lake.partitions()) == 6
    assert lake.sql("CREATE TEMP VIEW mine AS FROM alert_info").fetchall() == []
    assert len(lake.sql("FROM mine")) == 60


def test_threads_take_a_lake_of_their_own(lake: Lake) -> None:
    """Each with a connection, on the same files."""

    def count(day: str) -> int:
        with lake.again() as own:
            return len(own.hunt(HUNT, day, tenant=TENANT))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count, ["2026-11-22"] * 8)) == [60] * 8

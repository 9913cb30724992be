"""The made-up events: the same each time, and awkward enough."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.standin import SyntheticSettings
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.store import all_tables
from pipelines.standin.synthetic import build
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, parse_instant

END = parse_instant("2026-11-20")
DAY = 86_400 * TICKS_PER_SECOND
SETTINGS = SyntheticSettings(end=END, days=8, rows_per_day=1_000, busiest_day_rows=5_000)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "tenant.duckdb"
    build(path, SETTINGS)
    return path


@pytest.fixture(scope="module")
def times(path: Path) -> list[int]:
    tenant = SyntheticTenant(path)
    column = tenant.table("DeviceNetworkEvents").column("Timestamp").cast(pa.int64())
    tenant.close()
    return [nanoseconds // NANOSECONDS_PER_TICK for nanoseconds in column.to_pylist()]


def without_nan(table: pa.Table) -> pa.Table:
    """The table with its doubles as text: NaN equals nothing, not even itself."""
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.string()))
    return table


def test_the_same_settings_make_the_same_events(path: Path, tmp_path: Path) -> None:
    """A comparison tomorrow must find what today's export landed."""
    again = tmp_path / "again.duckdb"
    build(again, SETTINGS)
    first, second = SyntheticTenant(path), SyntheticTenant(again)
    for table in all_tables():
        assert without_nan(first.table(table)).equals(without_nan(second.table(table))), table
    first.close()
    second.close()


def test_days_differ_as_days_do(times: list[int]) -> None:
    """Weekends are quiet, one day is empty and one is far above the others."""
    by_day = Counter((END - tick - 1) // DAY + 1 for tick in times)
    assert by_day[3] == 5_000
    assert by_day[6] == 0
    # Five days before 20 November 2026 is a Sunday.
    assert by_day[5] == 300
    assert by_day[1] == 1_000


def test_events_lie_on_both_edges_and_share_ticks(times: list[int]) -> None:
    """The first and the last tick of a day have an event, and some ticks have a dozen."""
    yesterday = Counter(tick for tick in times if END - DAY <= tick < END)
    assert yesterday[END - DAY] >= 1
    assert yesterday[END - 1] >= 1
    assert max(yesterday.values()) >= 10


def test_times_use_the_last_digit(times: list[int]) -> None:
    """Microseconds would not do."""
    assert sum(tick % 10 != 0 for tick in times) > len(times) / 2


def test_rows_are_in_no_order(times: list[int]) -> None:
    """The service promises none."""
    assert times != sorted(times)


def test_awkward_values_are_there(path: Path) -> None:
    """What breaks decoders is in the table that holds every type."""
    tenant = SyntheticTenant(path)
    table = tenant.table("HuntlakeTypes")
    tenant.close()
    texts = table.column("Text").to_pylist()
    assert {"", None, "nul\0inside"} <= set(texts)
    assert any("😀" in text for text in texts if text)
    assert 2**63 - 1 in table.column("Big").to_pylist()
    assert pc.any(pc.is_nan(table.column("Real"))).as_py()
    assert {0, 1, -1, 10**17} <= {span["ticks"] for span in table.column("Span").to_pylist()}
    assert {1, 1601, 9999} <= {
        moment.year for moment in table.column("Sentinel").to_pylist() if moment
    }

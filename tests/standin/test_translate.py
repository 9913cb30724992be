"""The SQL that the stand-in runs: exact to the tick, or refused."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.kql import datetime_literal
from pipelines.standin import SyntheticSettings
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.synthetic import build
from pipelines.standin.translate import QueryFault, every_table, to_sql
from pipelines.translation import TranslationChanged, respell
from pipelines.translation.exactness import exact, exact_literals
from pipelines.translation.translate import _read
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

END = parse_instant("2026-11-20")
DAY = 86_400 * TICKS_PER_SECOND
ALL = Window(END - 30 * DAY, END)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tenant") / "tenant.duckdb"
    build(path, SyntheticSettings(end=END, days=2, rows_per_day=300, busiest_day_rows=None))
    return path


@pytest.fixture
def tenant(path: Path) -> Iterator[SyntheticTenant]:
    with closing(SyntheticTenant(path)) as tenant:
        yield tenant


def count(tenant: SyntheticTenant, kql: str) -> int:
    with tenant.evaluate(kql, visible=ALL, row_cap=100_000) as evaluation:
        return evaluation.rows


def test_a_cut_next_to_any_event_parts_the_events_in_two(tenant: SyntheticTenant) -> None:
    """No event is on both sides of a cut, and none on neither, a tick before or after one too."""
    times = tenant.table("DeviceNetworkEvents").column("Timestamp").cast("int64").to_pylist()
    ticks = sorted({nanoseconds // 100 for nanoseconds in times})
    for cut in [tick + offset for tick in ticks[::60] for offset in (-1, 0, 1)]:
        literal = datetime_literal(cut)
        before = count(tenant, f"DeviceNetworkEvents | where Timestamp < {literal}")
        after = count(tenant, f"DeviceNetworkEvents | where Timestamp >= {literal}")
        assert before + after == len(times) == 600
        assert before == sum(nanoseconds < cut * 100 for nanoseconds in times)


def test_each_event_is_found_on_its_own_tick(tenant: SyntheticTenant) -> None:
    """A window of a single tick holds just the events of that tick."""
    times = tenant.table("DeviceNetworkEvents").column("Timestamp").cast("int64").to_pylist()
    for nanoseconds in sorted(set(times))[::40]:
        tick = nanoseconds // 100
        query = (
            f"DeviceNetworkEvents | where Timestamp >= {datetime_literal(tick)} "
            f"and Timestamp < {datetime_literal(tick + 1)}"
        )
        assert count(tenant, query) == times.count(nanoseconds)


def test_a_form_that_is_not_known_is_refused() -> None:
    """A release that emits its literals otherwise must not answer for the wrong window."""
    with pytest.raises(TranslationChanged, match="teach"):
        exact_literals("SELECT * FROM t WHERE x < TRY_CAST('2026-11-20' AS TIMESTAMPTZ)")
    with pytest.raises(TranslationChanged, match="teach"):
        exact_literals("SELECT * FROM t WHERE x < TIMESTAMP '2026-11-20 00:00:00.1234567'")


def test_every_datetime_of_a_query_is_mended() -> None:
    """However many there are, none is left in microseconds."""
    sql = to_sql(
        "AlertInfo | where Timestamp between (datetime(2026-11-20T00:00:00.1234567Z) .. "
        "datetime(2026-11-21)) or Timestamp > (datetime(2026-11-20T00:00:00.7654321Z) - (1d))",
        now=END,
    )
    assert sql.count("TIMESTAMP_NS '") == 3
    assert ".1234567Z'" in sql
    assert ".7654321Z'" in sql


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "NoSuchTable | take 1",
            "Failed to resolve table or column expression named 'NoSuchTable'",
        ),
        ("AlertInfo | where Nope == 1", "Failed to resolve scalar expression named 'Nope'"),
        ("AlertInfo | wher x", "Syntax error"),
        ("AlertInfo | extend h = hash_many(AlertId)", "The stand-in can't run this query"),
    ],
)
def test_a_wrong_query_is_answered_as_the_service_does(
    tenant: SyntheticTenant, query: str, message: str
) -> None:
    """With its words where they were recorded, and plainly where the stand-in lacks something."""
    with pytest.raises(QueryFault, match=message):
        count(tenant, query)


def test_columns_that_differ_by_case_alone_are_two(tenant: SyntheticTenant) -> None:
    """DuckDB would answer for the first of them under both names."""
    query = "HuntlakeTypes | project LogonId, LogonID | where LogonID == 'upper-7'"
    with tenant.evaluate(query, visible=ALL, row_cap=10) as evaluation:
        assert evaluation.schema == (("LogonId", "Int64"), ("LogonID", "String"))
        assert evaluation.rows == 2


def test_what_is_not_visible_does_not_exist(tenant: SyntheticTenant) -> None:
    """Events older than the service keeps are not counted by any query."""
    with tenant.evaluate(
        "DeviceNetworkEvents", visible=Window(END - DAY, END), row_cap=9_999
    ) as evaluation:
        assert evaluation.rows == 300


def test_the_cap_cuts_without_a_word(tenant: SyntheticTenant) -> None:
    """Exactly as many rows as the cap, and nothing says that there were more."""
    with tenant.evaluate("DeviceNetworkEvents", visible=ALL, row_cap=50) as evaluation:
        assert evaluation.rows == 50


def test_late_events_join_the_others(tenant: SyntheticTenant) -> None:
    """Events may reach the service days after they happened."""
    before = count(tenant, "AlertInfo")
    tenant.add_late("AlertInfo", Window(END - 2 * DAY, END - DAY), rows=7, seed=1)
    assert count(tenant, "AlertInfo") == before + 7


@pytest.mark.parametrize(
    "query",
    [
        "AlertInfo | where Timestamp >= {0} and Timestamp < {1} | project Timestamp",
        "AlertInfo | where Timestamp between ({0} .. {1}) or Timestamp > {0} - 1h",
        "let Start = {0};\nAlertInfo | where Timestamp > Start and Timestamp != {0}",
        "AlertInfo | where bin(Timestamp, 60s) in ({0}, {1}) | where Timestamp < ago(1d)",
        "AlertInfo | where Title == '{0}' and Timestamp > {1}",
        "AlertInfo | where Title == '1987-06-05T04:03:02.0000000Z' and Timestamp > {1}",
        'print a = {0}, b = {1}, c = datetime(20 Nov 2026), d = dynamic({{"at": {0}}})',
        "range At from {0} to {1} step 1h",
    ],
)
def test_a_query_is_read_once_for_all_instants(query: str) -> None:
    """What is remembered of it gives the SQL that reading it anew would."""
    literals = [datetime_literal(END + number * 12_345_678) for number in range(4)]
    for first, second in (literals[:2], literals[2:], [literals[0]] * 2):
        asked = query.format(first, second)
        remembered = to_sql(asked, now=END)
        _read.cache_clear()
        assert remembered == to_sql(asked, now=END)
        tables = every_table()
        read = _read(respell(asked, tables.names).text, tables)
        assert remembered == exact(read, now=END)


def test_a_query_is_read_once() -> None:
    """Reading it takes longer than answering it, and an export asks it with many windows."""
    _read.cache_clear()
    for number in range(5):
        to_sql(f"AlertInfo | where Timestamp > {datetime_literal(END + number)}", now=END + number)
    assert _read.cache_info().misses == 1

"""What the stand-in answers: the KQL that hunts are made of, exact to the tick."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.kql import datetime_literal
from pipelines.standin import SyntheticSettings
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.synthetic import build
from pipelines.standin.translate import QueryFault
from pipelines.windows import TICKS_PER_SECOND, Window, format_instant, parse_instant

END = parse_instant("2026-11-20")
DAY = 86_400 * TICKS_PER_SECOND
ALL = Window(END - 30 * DAY, END)
LAST_TICK = "datetime(2026-11-19T23:59:59.9999999Z)"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluate") / "tenant.duckdb"
    build(path, SyntheticSettings(end=END, days=3, rows_per_day=300, busiest_day_rows=None))
    return path


@pytest.fixture(scope="module")
def tenant(path: Path) -> Iterator[SyntheticTenant]:
    with closing(SyntheticTenant(path)) as tenant:
        yield tenant


def rows(tenant: SyntheticTenant, kql: str, visible: Window = ALL) -> list[dict[str, Any]]:
    with tenant.evaluate(kql, visible=visible, row_cap=100_000) as evaluation:
        results: list[dict[str, Any]] = json.loads(evaluation.body("plain", 0.5))["Results"]
        assert len(results) == evaluation.rows
    return results


def schema(tenant: SyntheticTenant, kql: str) -> dict[str, str]:
    with tenant.evaluate(kql, visible=ALL, row_cap=10) as evaluation:
        return dict(evaluation.schema)


def ticks(tenant: SyntheticTenant, table: str) -> list[int]:
    column = tenant.table(table).column("Timestamp").cast("int64")
    return [nanoseconds // 100 for nanoseconds in column.to_pylist()]


def test_tables_shadowed_by_lets_are_cut_to_the_tick(tenant: SyntheticTenant) -> None:
    """What the engine sends: a let for each table, a comment, and the hunt below them."""
    start, end = END - 2 * DAY + 1, END - 1
    cut = f"where Timestamp >= {datetime_literal(start)} and Timestamp < {datetime_literal(end)}"
    found = rows(
        tenant,
        f"let DeviceNetworkEvents = DeviceNetworkEvents | {cut};\n"
        f"let DeviceLogonEvents = DeviceLogonEvents | {cut};\n"
        "// a comment with a | and a ;\n"
        "union DeviceNetworkEvents, DeviceLogonEvents\n| project Timestamp",
    )
    expected = [
        format_instant(tick)
        for table in ("DeviceNetworkEvents", "DeviceLogonEvents")
        for tick in ticks(tenant, table)
        if start <= tick < end
    ]
    assert sorted(row["Timestamp"] for row in found) == sorted(expected)


def test_the_last_tick_of_a_day_belongs_to_that_day(tenant: SyntheticTenant) -> None:
    """DuckDB would round it into the next: in bins, parts, starts, differences and text."""
    [row] = rows(
        tenant,
        f"AlertInfo | where Timestamp == {LAST_TICK} | project Bin = bin(Timestamp, 1d), "
        "Hour = hourofday(Timestamp), Part = datetime_part('day', Timestamp), "
        "Start = startofday(Timestamp), Weekday = dayofweek(Timestamp), "
        "Days = datetime_diff('day', datetime(2026-11-20), Timestamp), "
        "Text = tostring(Timestamp), Ticks = tolong(Timestamp), Bag = bag_pack('t', Timestamp)",
    )
    assert row == {
        "Bin": "2026-11-19T00:00:00Z",
        "Hour": 23,
        "Part": 19,
        "Start": "2026-11-19T00:00:00Z",
        "Weekday": "4.00:00:00",
        "Days": 1,
        "Text": "2026-11-19T23:59:59.9999999Z",
        "Ticks": 639_307_295_999_999_999,
        "Bag": {"t": "2026-11-19T23:59:59.9999999Z"},
    }


@pytest.mark.parametrize(("step", "seconds"), [("1d", 86_400), ("1h", 3_600), ("7m", 420)])
def test_bins_hold_what_lies_in_them(tenant: SyntheticTenant, step: str, seconds: int) -> None:
    """Counted from 0001-01-01, whatever the step; no event is moved into its neighbour."""
    first = parse_instant("0001-01-01")
    found = rows(tenant, f"DeviceNetworkEvents | summarize n = count() by bin(Timestamp, {step})")
    expected: dict[str, int] = {}
    for tick in ticks(tenant, "DeviceNetworkEvents"):
        start = format_instant(tick - (tick - first) % (seconds * TICKS_PER_SECOND))
        expected[start] = expected.get(start, 0) + 1
    assert {row["Timestamp"]: row["n"] for row in found} == expected


def test_now_is_the_end_of_what_is_visible_to_the_tick(tenant: SyntheticTenant) -> None:
    """And ago() is as exact, though DuckDB knows no nanoseconds less a day."""
    visible = Window(END - 30 * DAY, END + 1_234_567)
    [row] = rows(tenant, "print n = now(), a = ago(1d), m = now() - 90m", visible)
    assert row == {
        "n": "2026-11-20T00:00:00.1234567Z",
        "a": "2026-11-19T00:00:00.1234567Z",
        "m": "2026-11-19T22:30:00.1234567Z",
    }


def test_a_fixed_time_less_a_timespan_is_exact(tenant: SyntheticTenant) -> None:
    """As the engine writes ago() before it sends a hunt."""
    since = "(datetime(2026-11-20T23:59:59.9999999Z) - (1d))"
    assert rows(tenant, f"AlertInfo | where Timestamp >= {since} | count") == rows(
        tenant, f"AlertInfo | where Timestamp >= {LAST_TICK} | count"
    )


def test_sentinels_compare_and_are_written_as_themselves(tenant: SyntheticTenant) -> None:
    """64-bit nanoseconds can't hold them, but a query may ask for what is older than 1700."""
    found = rows(
        tenant,
        "HuntlakeTypes | where Sentinel < datetime(1700-01-01) or Sentinel > datetime(3000-01-01) "
        "| distinct Sentinel | order by Sentinel asc",
    )
    assert [row["Sentinel"] for row in found] == [
        "0001-01-01T00:00:00Z",
        "1601-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    [one] = rows(
        tenant, "HuntlakeTypes | where Sentinel == datetime(1601-01-01) | distinct Sentinel"
    )
    assert one["Sentinel"] == "1601-01-01T00:00:00Z"
    between = "Sentinel > datetime(0001-01-01) and Sentinel < datetime(1601-01-01)"
    assert rows(tenant, f"HuntlakeTypes | where {between}") == []
    assert rows(tenant, "DeviceProcessEvents | where ProcessCreationTime < ago(30d) | take 1")


PROCESSES = "DeviceProcessEvents | where "
HUNTS = (
    PROCESSES + "FileName in~ ('PowerShell.exe', 'pwsh.EXE') and ProcessCommandLine has '-enc'",
    PROCESSES + "ProcessCommandLine has_any ('whoami', 'hostname') | distinct DeviceName",
    PROCESSES + "ProcessCommandLine matches regex @'(?i)system32.{1}svchost'",
    PROCESSES + "FileName startswith 'POWER' and FileName !endswith '.dll' | top 3 by Timestamp",
    PROCESSES + "LogonId > 0 | summarize arg_max(Timestamp, *) by DeviceId | take 5",
    PROCESSES + "FileName contains 'SHELL' | project-reorder FileName, SHA1 | take 5",
    (
        "let known = dynamic(['chrome.exe', 'teams.exe']); let least = 1; DeviceProcessEvents "
        "| where FileName !in (known) | summarize n = count() by FileName | where n > least"
    ),
    (
        "DeviceEvents | where isnotempty(AdditionalFields.a) "
        "| extend k = AdditionalFields.list[0].k "
        "| summarize make_set(k), makeset(AdditionalFields.b) by tostring(AdditionalFields.a)"
    ),
    (
        "DeviceEvents | extend Bag = parse_json(AdditionalFields) | mv-expand Item = Bag.list "
        "| where isnotnull(Item) | project Item"
    ),
    "AlertInfo | join kind=inner AlertEvidence on AlertId | project Timestamp, Timestamp1, Title",
    "DeviceLogonEvents | summarize Rare = count() by AccountName | where Rare <= 2 | sort by Rare",
    (
        "DeviceNetworkEvents | where Timestamp > ago(2d) | summarize dcount(DeviceId), "
        "percentile(RemotePort, 95), max(Timestamp) - min(Timestamp) by RemoteUrl"
    ),
    "DeviceNetworkEvents | count",
    "union withsource = Source DeviceEvents, DeviceFileEvents | summarize count() by Source",
    "DeviceRegistryEvents | take 3",
    "AADSignInEventsBeta | take 3",
    "DeviceTvmSoftwareVulnerabilities | summarize count() by VulnerabilitySeverityLevel",
)


@pytest.mark.parametrize("hunt", HUNTS)
def test_the_kql_of_hunts_runs_and_finds_something(tenant: SyntheticTenant, hunt: str) -> None:
    """A stand-in that finds nothing would let a broken export pass."""
    assert rows(tenant, hunt)


def test_dynamic_values_keep_their_members(tenant: SyntheticTenant) -> None:
    """Their names as they are spelt, and their types."""
    query = (
        "DeviceEvents | where isnotempty(AdditionalFields.a) | take 1 | extend "
        "Mail = AdditionalFields['mail@home'], K = AdditionalFields.list[0].k, "
        "B = toint(AdditionalFields.b) | project AdditionalFields, Mail, K, B"
    )
    [row] = rows(tenant, query)
    held = row["AdditionalFields"]
    held = json.loads(held) if isinstance(held, str) else held
    assert (row["Mail"], row["K"], row["B"]) == (True, held["list"][0]["k"], held["b"])


def test_what_duckdb_makes_of_types_is_named_as_the_service_does(tenant: SyntheticTenant) -> None:
    """Sums, lists, timespans and sets have the service's types, not DuckDB's."""
    assert schema(
        tenant,
        "DeviceNetworkEvents | summarize S = sum(ReportId), L = make_list(RemotePort), "
        "D = max(Timestamp) - min(Timestamp), A = avg(RemotePort), T = max(Timestamp) "
        "| extend H = 1h, B = S > 0, G = guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
    ) == {
        "S": "Int64",
        "L": "Object",
        "D": "TimeSpan",
        "A": "Double",
        "T": "DateTime",
        "H": "TimeSpan",
        "B": "SByte",
        "G": "Guid",
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("union NoSuchTable, AlertInfo", "table or column expression named 'NoSuchTable'"),
        ('AlertInfo | where Title == "unclosed', "Syntax error"),
        ("DeviceProcessEvents | where toint(FileName) > 'x'", "The stand-in can't run"),
        ("AlertInfo | invoke FileProfile(SHA1)", "invoke:FileProfile"),
    ],
)
def test_every_wrong_query_is_a_fault_and_no_crash(
    tenant: SyntheticTenant, query: str, message: str
) -> None:
    """The server answers it with 400; the caller learns what is wrong."""
    with pytest.raises(QueryFault, match=message):
        rows(tenant, query)


def test_threads_may_share_a_tenant(tenant: SyntheticTenant) -> None:
    """Each call sees its own visible window."""

    def last_days(days: int) -> int:
        return len(rows(tenant, "DeviceNetworkEvents", Window(END - days * DAY, END)))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(last_days, [1, 2, 3] * 4)) == [300, 600, 900] * 4


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("print 1", 0.0),
        ("DeviceTvmSoftwareInventory", 0.0),
        ("DeviceNetworkEvents", 720.0),
        (
            (
                "DeviceNetworkEvents | where Timestamp >= datetime(2026-11-19T00:00:00Z) "
                "and Timestamp < datetime(2026-11-19T06:30:00Z)"
            ),
            6.5,
        ),
    ],
)
def test_hours_scanned_follow_the_times_in_the_query(
    tenant: SyntheticTenant, query: str, hours: float
) -> None:
    """The modelled running time depends on them."""
    with tenant.evaluate(query, visible=ALL, row_cap=1) as evaluation:
        assert evaluation.hours_scanned == hours


@pytest.mark.parametrize(
    ("query", "sorted_rows"),
    [
        ("DeviceNetworkEvents | top 5 by Timestamp asc", 900),
        ("DeviceNetworkEvents | where Timestamp < datetime(2026-11-18) | top 5 by ReportId", 300),
        (
            "let T = AlertInfo | top 9 by AlertId; T | top 5 by Timestamp | top 3 by Title",
            5,
        ),
        ("DeviceNetworkEvents | top 5000 by Timestamp asc", 900),
        ("DeviceNetworkEvents | where ReportId < 0 | top 5 by Timestamp asc", 0),
        ("DeviceNetworkEvents | sort by Timestamp asc", 0),
        ("DeviceNetworkEvents | top 5 by Timestamp asc | count", 0),
        ("DeviceNetworkEvents", 0),
    ],
)
def test_a_top_chooses_from_all_rows_before_it(
    tenant: SyntheticTenant, query: str, sorted_rows: int
) -> None:
    """The modelled running time depends on them, not on the few that it leaves."""
    with tenant.evaluate(query, visible=ALL, row_cap=1_000) as evaluation:
        assert evaluation.rows_sorted == sorted_rows


def test_an_empty_answer_may_have_dynamic_columns(tenant: SyntheticTenant) -> None:
    """Graph's noise is in values, of which there are none."""
    query = "DeviceEvents | where false | project AdditionalFields"
    with tenant.evaluate(query, visible=ALL, row_cap=10) as evaluation:
        assert json.loads(evaluation.body("odata", 0.1))["results"] == []

"""KQL over the lake: what a query may read, how far, and what is said where it can't run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import (
    HuntlakeError,
    KqlError,
    KqlNeedsService,
    KqlUnresolved,
    KqlUnsupported,
)
from pipelines.lake import HuntCard, LakeLayout, publish
from pipelines.lake.kql import KqlLake, open_kql
from pipelines.landing import Staging, commit
from pipelines.slicing import partition
from pipelines.windows import parse_instant
from tests.landing.samples import a_receipt, a_record, an_answer

AS_OF = parse_instant("2026-11-23")
DAYS = [partition("daily", f"2026-11-{day}") for day in (20, 21, 22)]
COLUMNS = {
    "Timestamp": "DateTime",
    "LogonId": "Int64",
    "LogonID": "String",
    "AdditionalFields": "Object",
    "IsLocalAdmin": "SByte",
}
CARD = HuntCard("logons", "DeviceLogonEvents", table="DeviceLogonEvents", time_column="Timestamp")


def land(layout: LakeLayout, hunt: str, tenant: str, columns: dict[str, str] | None = None) -> None:
    """Three days of four rows each, the first on the first tick and the last on the last."""
    for day in DAYS:
        rows = [
            {
                "Timestamp": f"{day.key}T{time}Z",
                "LogonId": number,
                "LogonID": f"text {number}",
                "AdditionalFields": {"Kind": {"Name": tenant}, "n": number},
                "IsLocalAdmin": number % 2,
            }
            for number, time in enumerate(
                ("00:00:00.0000000", "08:00:00", "16:00:00.1234567", "23:59:59.9999999")
            )
        ]
        listed = COLUMNS if columns is None else columns
        answer = an_answer([{name: row[name] for name in listed} for row in rows], listed)
        held = Staging.hold(answer, a_record(day.window, len(rows)), time_column="Timestamp")
        receipt = a_receipt([held], hunt=hunt, tenant=tenant, partition=day.key, window=day.window)
        commit(layout.partition_file(hunt, tenant, day), [held], receipt=receipt)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    layout = LakeLayout(tmp_path_factory.mktemp("data"))
    for tenant in ("contoso.com", "fabrikam.com"):
        land(layout, "logons", tenant)
    land(layout, "few", "contoso.com", {"Timestamp": "DateTime", "LogonId": "Int64"})
    few = replace(CARD, hunt="few", query="DeviceLogonEvents | project Timestamp, LogonId")
    publish(layout, cards=[replace(CARD, within_window=True), few])
    return layout


@pytest.fixture
def lake(layout: LakeLayout) -> Iterator[KqlLake]:
    with open_kql(layout, as_of=AS_OF) as lake:
        yield lake


def answer(lake: KqlLake, kql: str) -> list[tuple[object, ...]]:
    return lake.query(kql).fetchall()


def test_a_table_goes_by_the_service_s_name_and_the_hunt_s(lake: KqlLake) -> None:
    """Of two hunts that keep it, the one with more columns is the table."""
    assert lake.names == ("DeviceLogonEvents", "few", "logons")
    for name, rows in (("DeviceLogonEvents", 24), ("logons", 24), ("few", 12)):
        assert answer(lake, f"{name} | count") == [(rows,)]


def test_a_table_may_go_by_the_name_that_it_had(tmp_path: Path) -> None:
    """Hunts still use it."""
    layout = LakeLayout(tmp_path)
    land(layout, "signins", "contoso.com")
    publish(layout, cards=[replace(CARD, hunt="signins", table="EntraIdSignInEvents")])
    with open_kql(layout, as_of=AS_OF) as lake:
        assert answer(lake, "AADSignInEventsBeta | join EntraIdSignInEvents on LogonId | count")


def test_columns_are_the_service_s(lake: KqlLake) -> None:
    """Names with their case, truths, ticks and dynamic values; and none of huntlake's own."""
    found = lake.query("DeviceLogonEvents | take 0")
    names = ["Timestamp", "LogonID", "LogonId_2", "AdditionalFields", "IsLocalAdmin"]
    assert sorted(found.columns) == sorted(names)
    assert answer(
        lake,
        "DeviceLogonEvents | where LogonId == 2 and LogonID == 'text 2' and not(IsLocalAdmin) "
        "| where AdditionalFields.Kind.Name == 'contoso.com' "
        "| summarize t = tostring(min(Timestamp)), n = sum(tolong(AdditionalFields.n))",
    ) == [("2026-11-20T16:00:00.1234567Z", 6)]


def test_now_is_what_it_is_set_to(layout: LakeLayout, lake: KqlLake) -> None:
    """To the tick; ``ago()`` counts from there, and both edges of a stretch are in it."""
    assert answer(lake, "DeviceLogonEvents | where Timestamp > ago(1d) | count") == [(6,)]
    assert answer(lake, "DeviceLogonEvents | where Timestamp >= ago(1d) | count") == [(8,)]
    with open_kql(layout, as_of=AS_OF - 1) as earlier:
        assert answer(earlier, "DeviceLogonEvents | where Timestamp >= now() | count") == [(2,)]


def test_a_tenant_has_its_own(layout: LakeLayout) -> None:
    """And one that the lake doesn't have is refused by name."""
    with open_kql(layout, tenant="fabrikam.com", as_of=AS_OF) as lake:
        assert answer(
            lake, "DeviceLogonEvents | distinct tostring(AdditionalFields.Kind.Name)"
        ) == [("fabrikam.com",)]
    with pytest.raises(HuntlakeError, match=r"tenant nobody; it has contoso.com, fabrikam.com"):
        open_kql(layout, tenant="nobody")


@pytest.mark.parametrize(
    ("condition", "files"),
    [
        ("Timestamp > ago(1d)", 2),
        ("Timestamp between (datetime(2026-11-20T12:00:00Z) .. datetime(2026-11-20T13:00:00Z))", 2),
        ("Timestamp < datetime(2026-11-22)", 6),
        ("LogonId == 1", 6),
    ],
)
def test_a_query_opens_what_it_reaches_alone(lake: KqlLake, condition: str, files: int) -> None:
    """By the date of the files, of which there are six."""
    query = f"DeviceLogonEvents | where {condition} | summarize count() by LogonId"
    assert scanned(lake, query) == files


def scanned(lake: KqlLake, kql: str) -> int:
    """How many files DuckDB's plan reads."""
    plan = lake.query(kql).explain()
    told = [line for line in plan.splitlines() if "Scanning Files" in line]
    return 6 if not told else int(told[0].split(":")[1].split("/")[0])


def test_times_leave_out_row_groups(lake: KqlLake) -> None:
    """The condition reaches the Parquet reader as one on the column as it lies there."""
    plan = lake.query("DeviceLogonEvents | where Timestamp > ago(4h) | count").explain()
    assert ">='2026-11-22 20:00:00+00'::TIMESTAMPTZ_NS" in plan.replace(" ", "").replace(
        "2026-11-2220", "2026-11-22 20"
    )


@pytest.mark.parametrize(
    ("kql", "error", "said"),
    [
        ("DeviceLogonEvents | wher x", KqlError, r"^1:19: this is no KQL"),
        (
            "DeviceLogonEvents\n| invoke FileProfile('SHA1')",
            KqlNeedsService,
            r"^2:3: `FileProfile`",
        ),
        ("DeviceLogonEvents | where ingestion_time() > ago(1h)", KqlNeedsService, "ingestion_time"),
        ("externaldata(a: string)['https://b.example']", KqlNeedsService, r"^1:1: `externaldata`"),
        (
            "DeviceLogonEvents\n| make-series count() on Timestamp step 1h",
            KqlUnsupported,
            "2:3: `make-series`",
        ),
        ("DeviceInfo | count", KqlUnresolved, r"^1:1: the lake has no DeviceInfo.*just `D"),
        ("devicelogonevents | count", KqlUnresolved, "neither the lake nor"),
        ("DeviceLogonEvents | project DeviceName", KqlUnresolved, r"^1:29: .* hunt logons keeps"),
        ("logons | project Nope", KqlUnresolved, "1:18: there is no column Nope"),
    ],
)
def test_what_can_not_run_is_told_with_its_place(
    lake: KqlLake, kql: str, error: type[KqlError], said: str
) -> None:
    """In the hunter's own text."""
    with pytest.raises(KqlError, match=said) as raised:
        answer(lake, kql)
    assert type(raised.value) is error


def test_without_a_lake_it_says_so(tmp_path: Path) -> None:
    """As ``huntlake sql`` does."""
    with pytest.raises(HuntlakeError, match="there is no lake at"):
        open_kql(LakeLayout(tmp_path))


def test_a_query_without_a_table_is_answered(lake: KqlLake) -> None:
    """It reads nothing."""
    assert answer(lake, "print now()")[0][0].isoformat() == "2026-11-23T00:00:00"  # type: ignore[attr-defined]

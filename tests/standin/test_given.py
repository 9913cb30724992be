"""Tenants without made-up events: a test puts in just those that it is about."""

from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pytest

from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.store import TYPES_TABLE, all_tables
from pipelines.windows import Window, parse_instant

NOON = parse_instant("2026-11-20T12:00:00")
DAY = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))


@pytest.fixture(scope="module")
def tenant() -> Iterator[SyntheticTenant]:
    with closing(SyntheticTenant()) as tenant:
        yield tenant


def test_a_tenant_without_a_database_has_every_table_and_no_event(tenant: SyntheticTenant) -> None:
    """Hunts over any of them run, and find nothing."""
    assert [tenant.table(name).num_rows for name in all_tables()] == [0] * len(all_tables())


def test_given_events_are_found_as_they_were_given(tenant: SyntheticTenant) -> None:
    """To the tick, of every type, and null in the columns that weren't given."""
    given = {
        "Timestamp": [NOON + 1, DAY.end - 1],
        "Text": ["", None],
        "Flag": [True, None],
        "Big": [2**63 - 1, None],
        "Real": [0.1, None],
        "Span": [-3, None],
        "Bag": ['{"a":[1]}', None],
        "Sentinel": [parse_instant("0001-01-01"), None],
        "LogonId": [1, None],
        "LogonID": ["one", None],
    }
    tenant.clear(TYPES_TABLE)
    tenant.insert(TYPES_TABLE, given)
    table = tenant.table(TYPES_TABLE).sort_by("LogonID")
    assert table.column("Big").to_pylist() == given["Big"]
    assert table.column("LogonId").to_pylist() == given["LogonId"]
    assert table.column("Money").null_count == 2
    with tenant.evaluate(f"{TYPES_TABLE} | sort by Timestamp asc", visible=DAY, row_cap=9) as found:
        body = found.body("plain", 0.0).decode()
    first, second = body.split("},{")
    for text in (
        '"Timestamp":"2026-11-20T12:00:00.0000001Z","Text":"","Flag":1,',
        '"Big":9223372036854775807,"Real":0.1,"Money":null,',
        '"Span":"-00:00:00.0000003","Bag":{"a":[1]},"Sentinel":"0001-01-01T00:00:00Z"',
        '"LogonId":1,"LogonID":"one"',
    ):
        assert text in first
    assert '"Timestamp":"2026-11-20T23:59:59.9999999Z","Text":null,"Flag":null' in second


def test_events_may_come_as_an_arrow_table(tenant: SyntheticTenant) -> None:
    """Many at once, from a generator of random ones; they add to those that are there."""
    events = pa.table({"Timestamp": pa.array(range(NOON, NOON + 5_000)), "ReportId": [1] * 5_000})
    tenant.clear("DeviceEvents")
    tenant.insert("DeviceEvents", events)
    tenant.insert("DeviceEvents", {"Timestamp": [NOON]})
    assert tenant.table("DeviceEvents").num_rows == 5_001


def test_a_cleared_table_is_empty(tenant: SyntheticTenant) -> None:
    """One tenant serves hundreds of small tests, one after the other."""
    tenant.insert("DeviceInfo", {"Timestamp": [NOON]})
    tenant.clear("DeviceInfo")
    assert tenant.table("DeviceInfo").num_rows == 0


def test_no_event_at_all_may_be_given(tenant: SyntheticTenant) -> None:
    """A random set of events is empty now and then."""
    tenant.clear("DeviceInfo")
    tenant.insert("DeviceInfo", {"Timestamp": [], "DeviceId": []})
    assert tenant.table("DeviceInfo").num_rows == 0


def test_a_column_that_is_not_there_can_t_be_given(tenant: SyntheticTenant) -> None:
    """A test that misspells one is wrong about what it tests."""
    with pytest.raises(KeyError, match="DeviceIdd"):
        tenant.insert("DeviceInfo", {"Timestamp": [NOON], "DeviceIdd": ["x"]})

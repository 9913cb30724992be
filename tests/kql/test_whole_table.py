"""Which queries are a table as it is, so that what landed of them can stand for it."""

import pytest

from pipelines.errors import KqlError
from pipelines.kql import whole_table


@pytest.mark.parametrize(
    "query",
    [
        "DeviceEvents",
        "DeviceEvents;",
        "// all of it\nDeviceEvents // yes",
        "['DeviceEvents']",
        "DeviceEvents | project Timestamp, DeviceId",
        "DeviceEvents | project ['Timestamp'], DeviceId",
        "DeviceEvents | project-away AdditionalFields, Initiating*",
        "DeviceEvents | project-keep Timestamp, *Id, *",
        "DeviceEvents | project-reorder Timestamp desc, *",
        "DeviceEvents | project-away ReportId | project-reorder DeviceId",
    ],
)
def test_a_query_that_only_chooses_columns_is_its_table(query: str) -> None:
    """Every row is there, and each column means what it does in the table."""
    assert whole_table(query) == "DeviceEvents"


@pytest.mark.parametrize(
    "query",
    [
        "DeviceEvents | where ActionType == 'a'",
        "DeviceEvents | take 10",
        "DeviceEvents | project T = Timestamp",
        "DeviceEvents | project Timestamp, tolower(DeviceName)",
        "DeviceEvents | project AdditionalFields.a",
        "DeviceEvents | project 1",
        "DeviceEvents | project-rename T = Timestamp",
        "DeviceEvents | project-away AdditionalFields.a",
        "DeviceEvents | extend a = 1",
        "DeviceEvents | distinct DeviceId",
        "DeviceEvents | order by Timestamp",
        "union DeviceEvents, AlertInfo",
        "(DeviceEvents)",
        "let DeviceEvents = datatable(a: long)[1]; DeviceEvents",
        "let all = DeviceEvents; all",
        "DeviceEvents; AlertInfo",
        "externaldata(a: string)['https://b']",
        "MyFunction()",
    ],
)
def test_any_other_query_is_no_table(query: str) -> None:
    """Nor is one that may well be, as long as that isn't plain."""
    assert whole_table(query) is None


def test_a_table_without_documentation_is_one_too() -> None:
    """A tenant has tables that no documentation lists."""
    assert whole_table("Mine_CL | project-away Secret") == "Mine_CL"


def test_what_can_not_be_read_is_refused() -> None:
    """With its place, as everywhere."""
    with pytest.raises(KqlError, match="never closed"):
        whole_table("DeviceEvents | project (a")

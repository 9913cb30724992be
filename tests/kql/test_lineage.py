"""What a hunt's answer still tells: its time, where it is counted, and by what it is split."""

import pytest

from pipelines.kql import Verdict, analyse
from pipelines.kql.verdict import Counting

FEED = "externaldata(a: string)['https://b']"


@pytest.mark.parametrize(
    ("query", "time"),
    [
        ("DeviceEvents | extend Timestamp = 1", None),
        ("DeviceEvents | project a", None),
        ("DeviceEvents | project a, T = Timestamp", "T"),
        ("DeviceEvents | project a, Timestamp = bin(Timestamp, 1h)", None),
        ("DeviceEvents | project-away Time*", None),
        ("DeviceEvents | project-away *Id", "Timestamp"),
        ("DeviceEvents | project-keep T*", "Timestamp"),
        ("DeviceEvents | project-rename T = Timestamp", "T"),
        ("DeviceEvents | project-rename Timestamp = a", None),
        ("DeviceEvents | mv-expand Timestamp", None),
        ("DeviceEvents | parse-kv a as (Timestamp: datetime)", None),
        ("union DeviceEvents, AlertInfo", "Timestamp"),
        ("union (DeviceEvents | project T = Timestamp), AlertInfo", None),
        (f"DeviceEvents | join kind=inner ({FEED}) on a", "Timestamp"),
        (f"{FEED} | join kind=inner DeviceEvents on a", None),
        (f"{FEED} | join kind=rightsemi DeviceEvents on a", "Timestamp"),
    ],
)
def test_the_time_of_a_row_is_followed_to_the_answer(query: str, time: str | None) -> None:
    """By its name, or not at all: never guessed."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.ROW_WISE, analysis.reason
    assert analysis.time_column == time


@pytest.mark.parametrize(
    ("marked", "column"),
    [
        ("DeviceEvents | where a^ | project b | extend c = 1", "Timestamp"),
        ("DeviceEvents^ | project Timestamp, b | sort by b | render table", "Timestamp"),
        ("DeviceEvents | mv-expand a^ // why\n| project b;", "Timestamp"),
        ("DeviceEvents | project T = Timestamp, a | where a^", "T"),
        ("let x = DeviceEvents | project Timestamp, a; x^ | project a", "Timestamp"),
        ("let x = DeviceEvents | project a; x | where a", None),
        ("DeviceEvents | project a | where a", None),
        ("DeviceEvents | extend Timestamp = 1 | parse-where a with 'x' b", None),
        (f"DeviceEvents | lookup ({FEED}) on a^ | project a", "Timestamp"),
        ("DeviceEvents | summarize count() by H = bin(Timestamp, 1h)^ | project count_", "H"),
    ],
)
def test_rows_are_counted_where_their_time_is_there_and_their_number_final(
    marked: str, column: str | None
) -> None:
    """As early as that holds (here ``^``): what follows is not worth computing to count."""
    offset, query = marked.find("^"), marked.replace("^", "")
    counting = analyse(query).counting
    assert counting == (Counting(offset, column) if column else None)


@pytest.mark.parametrize(
    "marked",
    [
        "DeviceEvents^",
        "DeviceEvents^ // a comment\n",
        "DeviceEvents | where a == 'x;'^\n;\n",
        "DeviceEvents | where (a)^ | render timechart with (title='x')",
        "DeviceEvents^ | render table // done",
        "let x = 1; (DeviceEvents | where a == x)^;",
        "DeviceEvents | count^",
        "union DeviceEvents, AlertInfo^ // both",
    ],
)
def test_further_operators_follow_the_last_that_may_be_followed(marked: str) -> None:
    """Not within a comment, behind a semicolon or behind ``render`` (here at ``^``)."""
    assert analyse(marked.replace("^", "")).end == marked.find("^")


@pytest.mark.parametrize(
    ("query", "uses_now"),
    [
        ("DeviceEvents | where Timestamp > ago(1d)", True),
        ("let f = () { now() }; DeviceEvents", True),
        ("DeviceEvents | where now == 'ago(1d)' // now()", False),
    ],
)
def test_an_answer_may_depend_on_the_partitions_end(query: str, uses_now: bool) -> None:
    """Where the hunt calls ``now()`` or ``ago()``."""
    assert analyse(query).uses_now is uses_now


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("DeviceEvents | project a", ()),
        (f"DeviceEvents | where a in ({FEED})", ()),
        (f"DeviceEvents | join kind=leftanti ({FEED}) on a", ()),
        ("DeviceEvents | lookup (datatable(a: string, b: long)['c', 1]) on a", ()),
        ("DeviceEvents | mv-apply a on (summarize b = count())", ()),
        (f"DeviceEvents | lookup ({FEED}) on a", None),
        ("DeviceEvents | lookup DeviceTvmSoftwareInventory on DeviceId", None),
        (f"DeviceEvents | extend b = toscalar({FEED} | summarize max(a))", None),
        (f"let x = toscalar({FEED} | summarize max(a)); DeviceEvents | extend b = x", None),
        (f"DeviceEvents | union (DeviceEvents | lookup ({FEED}) on a)", None),
        (f"DeviceEvents | mv-apply a on (lookup ({FEED}) on a)", None),
    ],
)
def test_a_row_is_hashed_only_if_no_call_sees_another_value_in_it(
    query: str, columns: tuple[str, ...] | None
) -> None:
    """A list may change between two calls; what it decides may, but what rows hold must not."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.ROW_WISE, analysis.reason
    assert analysis.hash_columns == columns

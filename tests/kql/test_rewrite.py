"""The query for one slice: the hunt's own text with its tables restricted and its now() fixed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kql import analyse, datetime_literal, restrict
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

WINDOW = Window(
    parse_instant("2026-11-20T06:00:00Z"), parse_instant("2026-11-20T06:30:00.0000001Z")
)
NOW = parse_instant("2026-11-21")
LIMITS = (
    "Timestamp >= datetime(2026-11-20T06:00:00.0000000Z) and "
    "Timestamp < datetime(2026-11-20T06:30:00.0000001Z)"
)
END = "datetime(2026-11-21T00:00:00.0000000Z)"


def rewritten(query: str, time_column: str | None = None) -> str:
    return restrict(query, analyse(query, time_column=time_column), window=WINDOW, now=NOW)


def test_each_event_table_is_shadowed_by_one_line_above_the_hunt() -> None:
    """No blank line parts them from the hunt, whose text and comments stay as they are."""
    hunt = "// why\nDeviceEvents // here\n\n| join (AlertInfo) on AlertId\n| join DeviceEvents on a"
    assert rewritten(hunt) == (
        f"let DeviceEvents = DeviceEvents | where {LIMITS};\n"
        f"let AlertInfo = AlertInfo | where {LIMITS};\n"
        f"{hunt}"
    )


def test_blank_lines_and_a_byte_order_mark_stay_above_the_added_lines() -> None:
    """Else a blank line would part the added lines from the hunt."""
    added = f"let DeviceEvents = DeviceEvents | where {LIMITS};\n"
    assert rewritten("\n \nDeviceEvents") == f"\n \n{added}DeviceEvents"
    assert rewritten("\ufeffDeviceEvents") == f"\ufeff{added}DeviceEvents"


def test_snapshot_tables_are_left_alone() -> None:
    """They have no time to restrict."""
    hunt = "DeviceTvmSoftwareInventory | join DeviceInfo on DeviceId"
    assert rewritten(hunt) == f"let DeviceInfo = DeviceInfo | where {LIMITS};\n{hunt}"
    assert rewritten("DeviceTvmSoftwareInventory") == "DeviceTvmSoftwareInventory"


def test_awkward_names_are_quoted() -> None:
    """A table or column may have any name."""
    assert rewritten("['My \\'Logs'] | count", time_column="Time Generated").startswith(
        "let ['My \\'Logs'] = ['My \\'Logs'] | where ['Time Generated'] >= datetime("
    )


@pytest.mark.parametrize(
    ("call", "fixed"),
    [
        ("now()", END),
        ("now( )", END),
        ("now (\n)", END),
        ("now(-1d)", "datetime(2026-11-20T00:00:00.0000000Z)"),
        (
            "prev(Timestamp, 1, now(1d))",
            "prev(Timestamp, 1, datetime(2026-11-22T00:00:00.0000000Z))",
        ),
        ("ago(7d)", "datetime(2026-11-14T00:00:00.0000000Z)"),
        ("ago( 1tick )", "datetime(2026-11-20T23:59:59.9999999Z)"),
        ("ago(999999d)", f"({END} - (999999d))"),
        ("ago(2 * (1d + days))", f"({END} - (2 * (1d + days)))"),
        ("ago(now() - ago(1h))", f"({END} - ({END} - datetime(2026-11-20T23:00:00.0000000Z)))"),
        ("startofday(ago(1d // a ) here\n))", f"startofday(({END} - (1d // a ) here\n)))"),
        ("bin(now(), 1d)", f"bin({END}, 1d)"),
    ],
)
def test_now_and_ago_mean_the_end_of_the_partition(call: str, fixed: str) -> None:
    """Wherever they are called: in a filter, a let, a function."""
    for before, after in (
        ("DeviceEvents | where Timestamp > ", ""),
        ("let t = ", "; DeviceEvents | where Timestamp > t"),
        ("let f = () { ", " }; DeviceEvents | where Timestamp > f()"),
    ):
        assert rewritten(before + call + after).endswith(f";\n{before}{fixed}{after}")


@pytest.mark.parametrize(
    "query",
    [
        "DeviceEvents | where a == 'now() ago(1d)' // now()",
        "DeviceEvents | where now == 1 and a.ago == 2",
        "DeviceEvents | where a.now() == 1",
        "DeviceEvents | where ['now'] == @'ago(1d)'",
        "DeviceEvents | where a == ```\nnow()```",
    ],
)
def test_what_is_no_call_of_now_or_ago_stays(query: str) -> None:
    """Strings, comments, columns and members of those names."""
    assert rewritten(query).endswith(f";\n{query}")


@given(st.integers(parse_instant("0001-01-01"), parse_instant("9999-12-31")))
def test_a_literal_is_exact_to_the_tick(instant: int) -> None:
    """Always seven digits, whatever the instant."""
    literal = datetime_literal(instant)
    assert re.fullmatch(r"datetime\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z\)", literal)
    assert parse_instant(literal[len("datetime(") : -1]) == instant


_STEPS = st.sampled_from(
    [
        *("| where a == 'x | y; // z'", '| extend b = "now()"', "// a comment; 'quote\n", "\r\n"),
        *("| join kind=inner (AlertInfo | where c) on d", "| summarize count() by e", "\n\n", "\t"),
        *(
            "| where f in (EmailEvents | project g)",
            "| where ['h i'] == @'\\'",
            "| take 1",
            "\u200b",
        ),
        *(
            "| extend j = datetime(2026-11-20)",
            "| where k == h'\U0001f980'",
            "| union IdentityInfo",
        ),
    ]
)


@given(st.lists(_STEPS), st.integers(0, 10**6), st.integers(1, 10**9))
def test_without_the_added_lines_it_is_the_hunt(steps: list[str], start: int, ticks: int) -> None:
    """A hunt that doesn't ask for the time is sent as it was written, below one line a table."""
    query = "\n".join(("DeviceEvents", *steps))
    analysis = analyse(query)
    window = Window(NOW - start * TICKS_PER_SECOND, NOW - start * TICKS_PER_SECOND + ticks)
    lines = restrict(query, analysis, window=window, now=NOW).split("\n")
    added, hunt = lines[: len(analysis.event_tables)], lines[len(analysis.event_tables) :]
    assert "\n".join(hunt) == query
    for line, table in zip(added, analysis.event_tables, strict=True):
        assert line == (
            f"let {table.name} = {table.name} | where Timestamp >= "
            f"{datetime_literal(window.start)} and Timestamp < {datetime_literal(window.end)};"
        )

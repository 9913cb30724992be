"""Which tables a query reads, and which ways of reading one are refused."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import KqlError
from pipelines.kql import EventTable, analyse, known_tables


def events(query: str, time_column: str | None = None) -> list[str]:
    return [table.name for table in analyse(query, time_column=time_column).event_tables]


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("DeviceEvents", "DeviceEvents"),
        ("['DeviceEvents'] | count", "DeviceEvents"),
        ("[@'DeviceEvents']", "DeviceEvents"),
        ("union ['DeviceEvents'], [```AlertInfo```]", "DeviceEvents AlertInfo"),
        ("let x = DeviceEvents | where a == 1; x | count", "DeviceEvents"),
        ("let f = () { DeviceEvents }; f | take 5", "DeviceEvents"),
        ("let f = (t: (*)) { t | count }; f(DeviceEvents)", "DeviceEvents"),
        (
            "union (DeviceEvents), (union AlertInfo, EmailEvents)",
            "DeviceEvents AlertInfo EmailEvents",
        ),
        ("(union isfuzzy=true DeviceEvents, (AlertInfo | where a))", "DeviceEvents AlertInfo"),
        ("DeviceEvents | union AlertInfo, (EmailEvents)", "DeviceEvents AlertInfo EmailEvents"),
        (
            "DeviceEvents | join kind=inner hint.strategy=shuffle AlertInfo on x",
            "DeviceEvents AlertInfo",
        ),
        ("DeviceEvents | join (AlertInfo | where a) on x", "DeviceEvents AlertInfo"),
        ("DeviceEvents | lookup AlertInfo on x", "DeviceEvents AlertInfo"),
        ("DeviceEvents | where a in (AlertInfo | project b)", "DeviceEvents AlertInfo"),
        ("DeviceEvents | where a !in~ ((AlertInfo | project b))", "DeviceEvents AlertInfo"),
        ("DeviceEvents | where a > toscalar(AlertInfo | count)", "DeviceEvents AlertInfo"),
        ("let x = materialize(AlertInfo); DeviceEvents | join x on a", "AlertInfo DeviceEvents"),
        ("DeviceEvents | partition by a { AlertInfo | where b == a }", "DeviceEvents AlertInfo"),
        ("DeviceEvents | evaluate ipv4_lookup(AlertInfo, a, b)", "DeviceEvents AlertInfo"),
        ("externaldata(a: string)['https://x'] | join AlertInfo on a", "AlertInfo"),
        ("print a = toscalar(AlertInfo | count)", "AlertInfo"),
    ],
)
def test_every_table_that_is_read_anywhere_is_found(query: str, tables: str) -> None:
    """In lets, functions, unions, joins, lists and brackets."""
    assert events(query) == tables.split()


@pytest.mark.parametrize(
    "query",
    [
        "DeviceEvents | where a == 'AlertInfo' // join AlertInfo",
        "DeviceEvents | extend AlertInfo = 1",
        "DeviceEvents | where a.AlertInfo == 1",
        'DeviceEvents | where a in ("AlertInfo")',
        "DeviceEvents | where a in (FolderPath)",
        "DeviceEvents | extend Mine = 1 | where a in (Mine)",
        "DeviceEvents | parse a with * 'x' Piece | where b in (Piece)",
        "let names = dynamic(['AlertInfo']); DeviceEvents | where a in (names)",
    ],
)
def test_a_word_that_reads_no_table_is_none(query: str) -> None:
    """Strings, comments, members and columns are not tables."""
    assert events(query) == ["DeviceEvents"]


@pytest.mark.parametrize(
    ("query", "where", "what"),
    [
        ("union Device*", "1:7", "list their names"),
        ("union kind=outer AlertInfo, Device*", "1:29", "list their names"),
        ("search 'x'", "1:1", "search"),
        ("search in (DeviceEvents) 'x'", "1:1", "search"),
        ("find in (DeviceEvents) where a == 1", "1:1", "find"),
        ("let x = search 'x'; x", "1:9", "search"),
        ("database('x').DeviceEvents", "1:1", r"database\(\)"),
        ("DeviceEvents | join (cluster('c').database('d').T) on a", "1:22", r"cluster\(\)"),
        ("let t = 'DeviceEvents'; table(t) | count", "1:25", r"table\(\)"),
        ("union withsource=Source DeviceEvents, AlertInfo", "1:7", "withsource"),
        ("DeviceEvents | search 'x' | extend t = $table", "1:40", "table"),
        ("let DeviceEvents = AlertInfo; DeviceEvents", "1:5", "another name"),
        ("let f = (DeviceEvents: (*)) { DeviceEvents }; f(AlertInfo)", "1:10", "another name"),
        ("AlertInfo | as DeviceEvents | count", "1:16", "another name"),
        ("let now = () { 1 }; DeviceEvents", "1:5", "another name"),
        ("let ago = (x: timespan) { 1 }; DeviceEvents", "1:5", "another name"),
        ("SharedFunction() | take 5", "1:1", "define the function"),
        ("DeviceEvents | join (SharedFunction()) on a", "1:22", "define the function"),
        ("DeviceEvents | invoke SharedFunction()", "1:16", "define the function"),
        ("Sysmon_CL | take 5", "1:1", "time_column"),
        ("let x = Sysmon_CL; x", "1:9", "time_column"),
        ("DeviceEvents | join Sysmon_CL on a", "1:21", "time_column"),
        ("DeviceEvents\n| where a in (Sysmon_CL)", "2:15", "time_column"),
        ("DeviceEvents | evaluate ipv4_lookup(Sysmon_CL, a, b)", "1:37", "time_column"),
        ("let f = (t: (*)) { t }; f(Sysmon_CL)", "1:27", "time_column"),
        ("a.b | count", "1:1", "which table"),
        ("a.b", "1:1", "which table"),
        ("tolower('DeviceEvents')", "1:1", "define the function"),
        ("DeviceEvents | (count)", "1:16", "operator"),
        ("DeviceEvents | join", "1:16", "names no table"),
    ],
)
def test_what_no_window_can_restrict_is_refused(query: str, where: str, what: str) -> None:
    """With the place, and what to change; it is never let through unrestricted."""
    with pytest.raises(KqlError, match=f"^{where}: .*{what}"):
        analyse(query)


def test_an_undocumented_table_needs_its_time_column_from_the_file() -> None:
    """Documented tables beside it keep their own, unless they too have the one that is named."""
    query = "union Sysmon_CL, DeviceEvents, UrlClickEvents, DeviceTvmSoftwareInventory"
    analysis = analyse(query, time_column="TimeGenerated")
    assert analysis.event_tables == (
        EventTable("Sysmon_CL", "TimeGenerated"),
        EventTable("DeviceEvents", "Timestamp"),
        EventTable("UrlClickEvents", "TimeGenerated"),
    )
    assert analysis.snapshot_tables == ("DeviceTvmSoftwareInventory",)


def test_a_name_that_the_hunt_gives_must_stand_before_its_use() -> None:
    """A let is no table below it, and says nothing above it."""
    assert events("let Mine = DeviceEvents; Mine | count") == ["DeviceEvents"]
    with pytest.raises(KqlError, match="`Mine` is neither"):
        analyse("let a = Mine; let Mine = DeviceEvents; Mine")


def test_tables_that_were_renamed_are_still_known() -> None:
    """Hundreds of published hunts use the names of the preview."""
    assert analyse("AADSignInEventsBeta | take 1").event_tables == (
        EventTable("AADSignInEventsBeta", "Timestamp"),
    )


def test_the_documented_tables_ship_with_the_package() -> None:
    """Sixty-two of them, fifteen without a time."""
    tables = known_tables()
    assert len(tables) == 62
    assert sum(table.time_column is None for table in tables.values()) == 15
    assert tables["DeviceProcessEvents"].columns["Timestamp"] == "datetime"
    assert tables["UrlClickEvents"].time_column == "Timestamp"


_WORDS = st.sampled_from(
    [
        *("DeviceEvents", "AlertInfo", "Mine", "let", "=", ";", "|", "(", ")", "[", "]", "{", "}"),
        *("where", "join", "union", "in", "invoke", "evaluate", "as", "make-graph", "with", "on"),
        *(
            "mv-apply",
            "toscalar",
            "materialize",
            "datatable",
            ",",
            ":",
            "'a'",
            "now",
            "5",
            "*",
            ".",
        ),
        *("kind", "search", "view", "ipv4_lookup", "project-away", "-", "$table", "_GetWatchlist"),
    ]
)


@settings(max_examples=300)
@given(st.lists(_WORDS, max_size=25).map(" ".join), st.sampled_from([None, "TimeGenerated"]))
def test_any_words_are_understood_or_refused_with_their_place(
    query: str, time_column: str | None
) -> None:
    """Never another exception, whatever somebody pastes."""
    try:
        analysis = analyse(query, time_column=time_column)
    except KqlError as error:
        assert re.match(r"\d+:\d+: \S", str(error))  # noqa: PT017 - either outcome is right
    else:
        assert analysis.reason

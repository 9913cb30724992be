"""How a hunt may be cut: only where that plainly changes nothing."""

import pytest

from pipelines.errors import KqlError
from pipelines.kql import Verdict, analyse
from pipelines.spans import TICKS, Grid
from pipelines.windows import TICKS_PER_SECOND, parse_instant

HOUR = 3_600 * TICKS_PER_SECOND
FEED = "externaldata(a: string)['https://b']"


@pytest.mark.parametrize(
    "query",
    [
        "DeviceEvents",
        "// a | comment\nDeviceEvents // another\n",
        "\ufeffDeviceEvents | where a == 'x'",
        "DeviceEvents | where a has 'x' | filter b | extend c = strcat(a, 'y') | project c",
        "DeviceEvents | project-away a | project-keep b | project-rename c = b | project-reorder c",
        "DeviceEvents | parse a with * 'x' b: long | parse-where c with 'y' d",
        "DeviceEvents | parse-kv e as (f: int) with (kv_delimiter='=')",
        "DeviceEvents | mv-expand a to typeof(string) | mvexpand b",
        "DeviceEvents | where Timestamp > ago(7d) and b < now(-1h)",
        "DeviceEvents | sort by Timestamp desc | project a",
        "DeviceEvents | serialize | render timechart",
        "DeviceEvents | as Mine",
        "DeviceEvents | extend Timestamp = now()",
        "let n = 5; let l = dynamic(['a', 'b']); DeviceEvents | where a in~ (l) and b > n",
        "let f = (s: string) { tolower(trim(' ', s)) }; DeviceEvents | where f(a) == 'x'",
        "let since = ago(3d) - 1h;\n\nDeviceEvents | where Timestamp between (since .. now());",
        "['DeviceEvents'] | where ['a column'] == 1",
        "DeviceEvents | where isnotempty(a) and not(b) and hash(c, 4) == 1",
        # of a name or brackets
        "let x = DeviceEvents | where a; x | extend b = 1",
        "let x = AlertInfo | count; DeviceEvents | where a",
        "let x = () { DeviceEvents | where a }; x | where b",
        "let f = (t: (*), s: string) { t | where a == s }; DeviceEvents | invoke f('x')",
        "let f = (t: (*)) { t | where a }; f(DeviceEvents)",
        "let f = () { AlertInfo | count }; DeviceEvents",
        "(DeviceEvents | where a) | where b",
        "materialize(DeviceEvents | where a)",
        # of several tables
        "DeviceEvents | union AlertInfo",
        "union isfuzzy=true DeviceEvents, (AlertInfo | where a)",
        # with what doesn't depend on events
        "let x = datatable(a: string)['b']; DeviceEvents | where a in (x)",
        f"let x = {FEED} | distinct a; DeviceEvents | where a !in (x)",
        f"let n = toscalar({FEED} | summarize max(a)); DeviceEvents | where a > n",
        "DeviceEvents | where a in (DeviceTvmSoftwareInventory)",
        "DeviceEvents | where a in ((_GetWatchlist('vip') | project b))",
        "DeviceEvents | lookup DeviceTvmSoftwareInventory on DeviceId",
        *(
            f"DeviceEvents | join kind={kind} ({FEED}) on a"
            for kind in ("inner", "leftouter", "leftanti", "leftsemi")
        ),
        f"{FEED} | join kind=inner DeviceEvents on a",
        # of one record's own rows
        "DeviceEvents | mv-apply a on (top 1 by b | extend c = 1)",
        "DeviceEvents | mv-apply a = split(b, ',') to typeof(string) on (summarize c = count())",
    ],
)
def test_row_wise_is_what_treats_each_row_by_itself(query: str) -> None:
    """Filters, expressions over a row, expansions of a row, and the order of the answer."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.ROW_WISE, analysis.reason
    assert analysis.grid == TICKS


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DeviceEvents\n| summarize count()", "`summarize` at 2:3"),
        ("DeviceEvents | count", "`count` at 1:16"),
        ("DeviceEvents | take 5", "`take` at 1:16"),
        ("DeviceEvents | limit 5", "`limit` at"),
        ("DeviceEvents | top 5 by a", "`top` at"),
        ("DeviceEvents | sample 5", "`sample` at"),
        ("DeviceEvents | join AlertInfo on a", "`join` at"),
        ("DeviceEvents | join kind=inner (DeviceEvents) on a", "`join` at"),
        ("DeviceEvents | lookup AlertInfo on a", "`lookup` at"),
        ("DeviceEvents | serialize | extend a = prev(b)", "`prev()` at"),
        ("DeviceEvents | make-series count() on Timestamp step 1h", "`make-series` at"),
        ("DeviceEvents | evaluate bag_unpack(AdditionalFields)", "`evaluate` at"),
        ("DeviceEvents | invoke FileProfile(SHA1, 100)", "`invoke` at"),
        ("DeviceEvents | partition by a (top 1 by b)", "`partition` at"),
        ("DeviceEvents | frobnicate a", "`frobnicate` at"),
        ("DeviceEvents | extend a = rand()", r"`rand()` at 1:27"),
        ("DeviceEvents | extend a = new_guid()", "`new_guid()` at"),
        ("DeviceEvents | sort by b | extend a = row_number()", "`row_number()` at"),
        ("DeviceEvents | sort by b | extend a = prev(b)", "`prev()` at"),
        ("DeviceEvents | extend a = somebody_elses(b)", "`somebody_elses()` at"),
        ("DeviceEvents | where a > count()", "`count()` at"),
        ("let f = () { rand() }; DeviceEvents | extend a = f()", "`rand()` at"),
        ("let f = () { AlertInfo | count }; DeviceEvents | where a in (f())", "brackets at"),
        ("let f = (t: (*)) { t | count }; DeviceEvents | invoke f()", "`count` at 1:24"),
        # what events say elsewhere
        ("DeviceEvents | where a in (DeviceEvents | project b)", "brackets at"),
        ("DeviceEvents | where a in (AlertInfo)", "table `AlertInfo` is read too, at 1:28"),
        ("DeviceEvents | where a > toscalar(DeviceEvents | count)", "brackets at"),
        ("let x = AlertInfo; DeviceEvents | where a in (x)", "the let `x` is read too, at 1:47"),
        ("let x = toscalar(AlertInfo | count); DeviceEvents | where a > x", "brackets at 1:17"),
        (
            "let x = DeviceTvmSoftwareInventory | where a in (AlertInfo); x | union DeviceInfo",
            "table `AlertInfo` is read too",
        ),
        ("DeviceTvmSoftwareInventory | where a in (AlertInfo)", "table `AlertInfo` is read too"),
        ("DeviceEvents | as Mine | where a in (Mine)", "`Mine` is read too"),
        ("DeviceEvents | mv-apply a on (where b in (AlertInfo))", "`AlertInfo` is read too"),
        # rows that every slice would return
        (f"DeviceEvents | union ({FEED})", "`union` at 1:16 adds rows that come from no event"),
        ("DeviceTvmSoftwareInventory | join DeviceEvents on DeviceId", "`join` at 1:30 keeps one"),
        (f"DeviceEvents | join ({FEED}) on a", "`join` at 1:16 keeps one row"),
        (f"DeviceEvents | join kind=fullouter ({FEED}) on a", "kind is fullouter"),
        (f"{FEED} | join kind=leftouter DeviceEvents on a", "kind is leftouter"),
        ("print a = 1 | where 1 in (DeviceEvents)", "`DeviceEvents` is read too"),
        ("let x = DeviceEvents; print 1", "comes from no event"),
        # what two calls might pick otherwise
        (f"DeviceEvents | where a in ({FEED} | take 1)", "brackets at"),
        ("DeviceEvents | mv-apply a on (take 1)", "`take` at"),
        # groups that no key tells apart
        ("DeviceEvents | summarize n = count() by a | summarize count() by n", "no plain key"),
        ("DeviceEvents | summarize n = count() by a | summarize max(n)", "`summarize` at 1:45"),
        ("DeviceEvents | summarize n = count() by tolower(a)", "no plain key"),
        ("DeviceEvents | summarize n = count() by a | project n", "keys that the answer doesn't"),
        ("DeviceEvents | summarize by a | extend a = tolower(a), n = rand()", "`rand()` at"),
        ("DeviceEvents | summarize n = count() by a | join AlertInfo on a", "`join` at 1:45"),
        ("DeviceEvents | summarize n = count() by a | top 5 by n", "`top` at 1:45"),
        ("union DeviceEvents, (AlertInfo | distinct AlertId)", "grouped by other times"),
        # no single table
        ("DeviceEvents; AlertInfo", "second query starts at 1:15"),
        ("DeviceEvents; let a = 1;", "ends with the `let` at 1:19"),
        ("toscalar(DeviceEvents | count)", "not known to return a table"),
        ("print 1", "reads no table"),
        ("datatable(a: string)['b']", "reads no table"),
    ],
)
def test_whole_is_all_else_and_says_why(query: str, reason: str) -> None:
    """The reason names the operator, function or let, with line and column."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.WHOLE, analysis.reason
    assert reason in analysis.reason
    assert (analysis.grid, analysis.hash_columns, analysis.counting) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "grid", "time", "keys"),
    [
        ("summarize n = count() by bin(Timestamp, 1h), a", Grid(HOUR), "Timestamp", ("a",)),
        ("summarize n = count() by Hour = bin(Timestamp, 1h)", Grid(HOUR), "Hour", None),
        ("summarize n = count() by floor(Timestamp, 90m)", Grid(HOUR * 3 // 2), "Timestamp", None),
        ("summarize n = count() by bin(Timestamp, 1.5h)", Grid(HOUR * 3 // 2), "Timestamp", None),
        ("summarize n = count() by bin(Timestamp, time(01:00))", Grid(HOUR), "Timestamp", None),
        (
            "summarize n = count() by bin_at(Timestamp, 7d, datetime(2026-01-01))",
            Grid(168 * HOUR, parse_instant("2026-01-01")),
            "Timestamp",
            None,
        ),
        ("summarize n = count() by startofday(Timestamp), a", Grid(24 * HOUR), "Timestamp", ("a",)),
        ("summarize n = count() by Week = startofweek(Timestamp)", Grid.weeks(), "Week", None),
        ("summarize n = count() by Month = startofmonth(Timestamp)", Grid.months(), "Month", None),
        ("summarize n = count() by Year = startofyear(Timestamp)", Grid.years(), "Year", None),
        (
            "summarize n = count() by D = bin(Timestamp, 1d), H = bin(Timestamp, 1h)",
            Grid(HOUR),
            "H",
            None,
        ),
        ("summarize n = count() by Timestamp, a", TICKS, "Timestamp", ("a",)),
        ("distinct Timestamp, a", TICKS, "Timestamp", ("a",)),
        ("distinct bin(Timestamp, 1d)", Grid(24 * HOUR), "Timestamp", None),
        ("distinct *", TICKS, "Timestamp", ()),
        (
            "summarize arg_max(Timestamp, *) by a, bin(Timestamp, 1h)",
            Grid(HOUR),
            "Timestamp",
            ("a",),
        ),
        # the time by other names
        (
            "project T = Timestamp, a | extend H = bin(T, 1h) | summarize count() by H, a",
            Grid(HOUR),
            "H",
            ("a",),
        ),
        (
            "project-rename T = Timestamp | summarize count() by D = bin(bin(T, 1h), 1d)",
            Grid(24 * HOUR),
            "D",
            None,
        ),
        (
            "mv-expand b | parse c with 'x' d | where e | summarize count() by bin(Timestamp, 1h)",
            Grid(HOUR),
            "Timestamp",
            None,
        ),
        # later steps
        (
            "summarize n = count() by bin(Timestamp, 1h), a | where n | project a, T = Timestamp",
            Grid(HOUR),
            "T",
            ("a",),
        ),
        ("summarize n = count() by bin(Timestamp, 1h), a | project a, n", Grid(HOUR), None, ("a",)),
        ("summarize n = count() by bin(Timestamp, 1h), a | project n", Grid(HOUR), None, None),
        (
            "summarize n = count() by H = bin(Timestamp, 1h), a, b | summarize max(n) by H, b",
            Grid(HOUR),
            "H",
            ("b",),
        ),
        (
            "summarize n = count() by H = bin(Timestamp, 1h), a | summarize max(n) by bin(H, 1d)",
            Grid(24 * HOUR),
            "H",
            None,
        ),
        (
            "summarize n = count() by bin(Timestamp, 1h), D = bin(Timestamp, 1d) | distinct D",
            Grid(24 * HOUR),
            "D",
            None,
        ),
    ],
)
def test_aligned_is_what_groups_by_bins_of_the_events_own_time(
    query: str, grid: Grid, time: str | None, keys: tuple[str, ...] | None
) -> None:
    """It is cut at the edges of the bins; within one, by a hash of the other keys."""
    analysis = analyse(f"DeviceEvents | {query}")
    assert analysis.verdict is Verdict.ALIGNED, analysis.reason
    assert (analysis.grid, analysis.time_column, analysis.hash_columns) == (grid, time, keys)


def test_the_width_of_a_bin_may_have_a_name() -> None:
    """Of a let or a parameter; but a column of that name would be meant first."""
    by_let = analyse("let w = 1h; DeviceEvents | summarize count() by bin(Timestamp, w)")
    assert by_let.grid == Grid(HOUR)
    by_parameter = (
        "let f = (w: timespan) { DeviceEvents | summarize count() by bin(Timestamp, w) };"
    )
    assert analyse(f"{by_parameter} f(1h)").grid == Grid(HOUR)
    hidden = "let w = 1h; DeviceEvents | extend w = 2h | summarize count() by bin(Timestamp, w)"
    assert analyse(hidden).verdict is Verdict.KEYED


@pytest.mark.parametrize(
    "query",
    [
        "extend Timestamp = Timestamp + 1h | summarize count() by bin(Timestamp, 1h), a",
        "extend Timestamp = bin(Timestamp, 2h) | summarize count() by bin(Timestamp, 3h), a",
        "project Timestamp = ReportTime, a | summarize count() by bin(Timestamp, 1h), a",
        "project-rename Old = Timestamp | summarize count() by bin(Timestamp, 1h), a",
        "mv-expand Timestamp | summarize count() by bin(Timestamp, 1h), a",
        "mv-apply Timestamp on (where true) | summarize count() by bin(Timestamp, 1h), a",
        "parse b with 'x' Timestamp: datetime | summarize count() by bin(Timestamp, 1h), a",
        "summarize count() by hourofday(Timestamp), a",
        "summarize count() by startofweek(Timestamp, 1), a",
        "summarize count() by bin(Timestamp, b), a",
        "summarize count() by bin(Timestamp, 5), a",
        "summarize count() by bin(ReportTime, 1h), a",
        "summarize count() by endofday(Timestamp), a",
        "summarize Timestamp = max(Timestamp) by a | summarize count() by bin(Timestamp, 1h), a",
        "summarize by W = startofweek(Timestamp), a | summarize count() by startofmonth(W), a",
        "summarize count() by H = bin(Timestamp, 2h), a | summarize count() by bin(H, 3h), a",
    ],
)
def test_what_is_no_bin_of_the_events_own_time_is_not_aligned(query: str) -> None:
    """A value that was changed, comes from elsewhere, or whose bins don't nest."""
    analysis = analyse(f"DeviceEvents | {query}")
    assert analysis.verdict in {Verdict.KEYED, Verdict.WHOLE}
    assert analysis.grid is None


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("DeviceEvents | summarize count() by DeviceId", ("DeviceId",)),
        ("DeviceEvents | summarize count() by tostring(a.b), c", ("a_b", "c")),
        ("DeviceEvents | summarize hint.strategy=shuffle count() by x = tolower(a)", ("x",)),
        ("DeviceEvents | summarize make_set(a), arg_max(Timestamp, *) by b", ("b",)),
        ("DeviceEvents | distinct a, b", ("a", "b")),
        ("DeviceEvents | project a, b | distinct *", ()),
        ("DeviceEvents | distinct tolower(a)", ()),
        ("union DeviceEvents, AlertInfo | summarize count() by a", ("a",)),
        (
            "union (DeviceEvents | distinct a, b), (AlertInfo | distinct a, c)",
            ("a",),
        ),
        ("let x = DeviceEvents | summarize n = count() by a; x | where n > 5 | sort by n", ("a",)),
        ("DeviceEvents | summarize n = count() by a, b | project c = b, n", ("c",)),
        ("DeviceEvents | summarize n = count() by a, b | summarize max(n) by b", ("b",)),
        ("DeviceEvents | summarize n = count() by bin(Timestamp, 1h), a | summarize by a", ("a",)),
        (f"DeviceEvents | summarize n = count() by a | join kind=inner ({FEED}) on a", ("a",)),
    ],
)
def test_keyed_is_what_groups_by_columns_that_the_answer_has(
    query: str, keys: tuple[str, ...]
) -> None:
    """Never by an aggregate's value, which another event may change between two calls."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.KEYED, analysis.reason
    assert analysis.hash_columns == keys
    assert (analysis.grid, analysis.time_column, analysis.counting) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("DeviceTvmSoftwareInventory | where a", ()),
        ("DeviceTvmSoftwareInventory | summarize count() by SoftwareName", ("SoftwareName",)),
        ("DeviceTvmSoftwareInventory | top 5 by a", None),
        ("DeviceTvmSoftwareInventory | join DeviceTvmSoftwareEvidenceBeta on DeviceId", None),
    ],
)
def test_snapshot_is_what_reads_only_tables_without_a_time(
    query: str, keys: tuple[str, ...] | None
) -> None:
    """It is divided by a hash alone, as a hunt on events would be."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.SNAPSHOT
    assert analysis.event_tables == ()
    assert "DeviceTvmSoftwareInventory" in analysis.snapshot_tables
    assert "DeviceTvmSoftwareInventory" in analysis.reason
    assert (analysis.grid, analysis.hash_columns) == (None, keys)


def test_an_event_table_beside_a_snapshot_has_a_time_to_restrict() -> None:
    """Which makes the hunt none of snapshots."""
    mixed = analyse("DeviceTvmSoftwareInventory | join DeviceInfo on DeviceId")
    assert mixed.verdict is Verdict.WHOLE
    assert [table.name for table in mixed.event_tables] == ["DeviceInfo"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("union DeviceEvents, AlertInfo", "each row of `DeviceEvents` and `AlertInfo` by itself"),
        (
            "DeviceEvents\n| summarize count() by H = bin(Timestamp, 1h)",
            "`summarize` at 2:3 groups by bins of 1:00:00 of `Timestamp`",
        ),
        ("DeviceEvents | distinct Timestamp", "`distinct` at 1:16 groups by the very `Timestamp`"),
        (
            "DeviceEvents | distinct startofmonth(Timestamp)",
            "`distinct` at 1:16 groups by months of `Timestamp`",
        ),
        (
            "DeviceEvents | summarize count() by DeviceId, a",
            "`summarize` at 1:16 groups by `DeviceId` and `a`, whose hash divides it",
        ),
        (
            "DeviceEvents | project a | distinct *",
            "`distinct` at 1:28 groups by whole rows, whose hash divides them",
        ),
    ],
)
def test_a_good_verdict_says_why_too(query: str, reason: str) -> None:
    """With the operator that decided it, and its place."""
    assert reason in analyse(query).reason


def test_functions_that_call_each_other_without_end_are_not_followed() -> None:
    """Each doubles the work of the one before; the analysis gives up and says so."""
    lets = ["let f0 = () { 1 };"]
    lets += [f"let f{n} = () {{ f{n - 1}() + f{n - 1}() }};" for n in range(1, 40)]
    analysis = analyse("\n".join((*lets, "DeviceEvents | where a == f39()")))
    assert analysis.verdict is Verdict.WHOLE
    assert "too entangled" in analysis.reason


def test_a_hunt_may_not_use_the_name_that_pages_add() -> None:
    """Its own column would be taken for the bucket of its rows."""
    with pytest.raises(KqlError, match=r"^1:28: HuntlakeBucket is the name of a column"):
        analyse("DeviceEvents | project a = HuntlakeBucket")

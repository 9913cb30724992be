"""Whether a hunt may be cut by time: only where that plainly changes nothing."""

import pytest

from pipelines.kql import Verdict, analyse


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
        "DeviceEvents | extend Timestamp = now()",
        "let n = 5; let l = dynamic(['a', 'b']); DeviceEvents | where a in~ (l) and b > n",
        "let f = (s: string) { tolower(trim(' ', s)) }; DeviceEvents | where f(a) == 'x'",
        "let since = ago(3d) - 1h;\n\nDeviceEvents | where Timestamp between (since .. now());",
        "['DeviceEvents'] | where ['a column'] == 1",
        "DeviceEvents | where isnotempty(a) and not(b) and hash(c, 4) == 1",
    ],
)
def test_row_wise_is_what_treats_each_row_by_itself(query: str) -> None:
    """Filters, expressions over a row, expansions of a row, and the order of the answer."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.ROW_WISE, analysis.reason


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DeviceEvents\n| summarize count() by a", "`summarize` at 2:3"),
        ("DeviceEvents | count", "`count` at 1:16"),
        ("DeviceEvents | take 5", "`take` at 1:16"),
        ("DeviceEvents | limit 5", "`limit` at"),
        ("DeviceEvents | top 5 by a", "`top` at"),
        ("DeviceEvents | sample 5", "`sample` at"),
        ("DeviceEvents | distinct a", "`distinct` at"),
        ("DeviceEvents | join AlertInfo on a", "`join` at"),
        ("DeviceEvents | join kind=inner (DeviceEvents) on a", "`join` at"),
        ("DeviceEvents | lookup AlertInfo on a", "`lookup` at"),
        ("DeviceEvents | union AlertInfo", "`union` at"),
        ("union DeviceEvents, AlertInfo", "`union` at 1:1"),
        ("DeviceEvents | serialize | extend a = prev(b)", "`serialize` at"),
        ("DeviceEvents | make-series count() on Timestamp step 1h", "`make-series` at"),
        ("DeviceEvents | mv-apply a on (top 1 by b)", "`mv-apply` at"),
        ("DeviceEvents | evaluate bag_unpack(AdditionalFields)", "`evaluate` at"),
        ("DeviceEvents | invoke FileProfile(SHA1, 100)", "`invoke` at"),
        ("DeviceEvents | render timechart", "`render` at"),
        ("DeviceEvents | as Mine", "`as` at"),
        ("DeviceEvents | frobnicate a", "`frobnicate` at"),
        ("DeviceEvents | extend a = rand()", r"`rand()` at 1:27"),
        ("DeviceEvents | extend a = new_guid()", "`new_guid()` at"),
        ("DeviceEvents | sort by b | extend a = row_number()", "`row_number()` at"),
        ("DeviceEvents | sort by b | extend a = prev(b)", "`prev()` at"),
        ("DeviceEvents | extend a = somebody_elses(b)", "`somebody_elses()` at"),
        ("let f = () { rand() }; DeviceEvents | extend a = f()", "`rand()` at"),
        ("DeviceEvents | where a in (DeviceEvents | project b)", "brackets at"),
        ("DeviceEvents | where a > toscalar(DeviceEvents | count)", "brackets at"),
        ("DeviceEvents | where a in (DeviceTvmSoftwareInventory)", "read too"),
        ("let x = DeviceEvents | where a; DeviceEvents", "the let `x` at 1:5"),
        ("let x = datatable(a: string)['b']; DeviceEvents | where a in (x)", "the let `x`"),
        ("let x = externaldata(a: string)['https://b']; DeviceEvents | where a in (x)", "the let"),
        ("let x = toscalar(AlertInfo | count); DeviceEvents | where a > x", "brackets"),
        ("let f = (t: (*)) { t }; DeviceEvents | where a", "the let `f`"),
        ("let f = () { AlertInfo | count }; DeviceEvents", "the let `f`"),
        ("(DeviceEvents | where a) | where b", "brackets"),
        ("DeviceEvents; AlertInfo", "second query starts at 1:15"),
        ("DeviceTvmSoftwareInventory | join DeviceEvents on DeviceId", "`join` at"),
        ("print 1", "reads no table"),
        ("datatable(a: string)['b']", "reads no table"),
    ],
)
def test_whole_is_all_else_and_says_why(query: str, reason: str) -> None:
    """The reason names the operator, function or let, with line and column."""
    analysis = analyse(query)
    assert analysis.verdict is Verdict.WHOLE
    assert reason in analysis.reason


def test_snapshot_is_what_reads_only_tables_without_a_time() -> None:
    """One event table beside them makes it whole: that table has a time to restrict."""
    analysis = analyse("DeviceTvmSoftwareInventory | summarize count() by SoftwareName")
    assert analysis.verdict is Verdict.SNAPSHOT
    assert analysis.event_tables == ()
    assert analysis.snapshot_tables == ("DeviceTvmSoftwareInventory",)
    assert "DeviceTvmSoftwareInventory" in analysis.reason
    mixed = analyse("DeviceTvmSoftwareInventory | join DeviceInfo on DeviceId")
    assert mixed.verdict is Verdict.WHOLE
    assert [table.name for table in mixed.event_tables] == ["DeviceInfo"]

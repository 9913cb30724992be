"""The functions that slicing asks for: bins exact to the tick, and hashes that divide rows."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb_kql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kql import analyse, datetime_literal
from pipelines.kql.rewrite import (
    BUCKET,
    CELL,
    ROWS,
    count_all,
    count_buckets,
    count_cells,
    restrict,
)
from pipelines.spans import BUCKETS, Position, Span
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.translation import TranslationChanged
from pipelines.translation.rows import with_rows
from pipelines.windows import TICKS_PER_SECOND, Window, parse_instant

TABLE = "DeviceProcessEvents"
NOON = parse_instant("2026-11-20T12:00:00")
DAY = 86_400 * TICKS_PER_SECOND
EVER = Window(parse_instant("1970-01-01"), parse_instant("2200-01-01"))
ORIGIN = parse_instant("0001-01-01")
SECONDS = [1, 60, 3_600, 86_400, 7 * 86_400, 30 * 86_400]
WIDTHS = st.one_of(
    st.sampled_from([seconds * TICKS_PER_SECOND for seconds in SECONDS]),
    st.sampled_from([1, 10, 37, 9_999_999, 10_000_001, TICKS_PER_SECOND // 1_000]),
    st.integers(1, 400 * DAY),
)
INSTANTS = st.integers(EVER.start, EVER.end - 1)


@pytest.fixture(scope="module")
def tenant() -> Iterator[SyntheticTenant]:
    with closing(SyntheticTenant()) as tenant:
        yield tenant


def rows(tenant: SyntheticTenant, kql: str) -> list[dict[str, Any]]:
    with tenant.evaluate(kql, visible=EVER, row_cap=100_000) as evaluation:
        found: list[dict[str, Any]] = json.loads(evaluation.body("plain", 0.5))["Results"]
    return found


def refill(tenant: SyntheticTenant, times: list[int], **columns: list[Any]) -> None:
    tenant.clear(TABLE)
    tenant.insert(TABLE, {"Timestamp": times, **columns})


@settings(max_examples=40, deadline=None)
@given(times=st.lists(INSTANTS, min_size=1, max_size=20), width=WIDTHS)
def test_bins_of_time_are_exact_to_the_tick(
    tenant: SyntheticTenant, times: list[int], width: int
) -> None:
    """They count from 0001-01-01, whatever the width and however close to an edge the event."""
    near = [edge for time in times for edge in (time, time - (time - ORIGIN) % width)]
    near += [edge - 1 for edge in near if edge - 1 in EVER]
    near = [each for each in near if each in EVER]
    refill(tenant, near)
    found = rows(tenant, f"{TABLE} | project Timestamp, b = bin(Timestamp, {width}tick)")
    for row in found:
        time = parse_instant(row["Timestamp"])
        assert parse_instant(row["b"]) == time - (time - ORIGIN) % width
    assert len(found) == len(near)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # 16 November 2026 is a Monday.
        ("bin(Timestamp, 7d)", "2026-11-16T00:00:00Z"),
        ("bin(Timestamp, 30m)", "2026-11-20T12:30:00Z"),
        ("floor(Timestamp, 1d)", "2026-11-20T00:00:00Z"),
        ("bin(Timestamp, time(06:00:00))", "2026-11-20T12:00:00Z"),
        ("bin(Timestamp, 1microsecond)", "2026-11-20T12:34:56.789012Z"),
        ("bin(Timestamp, 1tick)", "2026-11-20T12:34:56.7890129Z"),
        ("bin(Timestamp + 1h, 1d)", "2026-11-20T00:00:00Z"),
        ("bin_at(Timestamp, 1d, datetime(2020-01-01T13:00:00Z))", "2026-11-19T13:00:00Z"),
        ("bin(7, 5)", 5),
        ("bin(-7, 5)", -10),
        ("bin(9007199254740993, 2)", 9007199254740992),
        ("bin(2.75, 0.5)", 2.5),
    ],
)
def test_bins_of_every_form(tenant: SyntheticTenant, expression: str, expected: object) -> None:
    """Of times by any spelling of a width, of whole numbers and of others."""
    refill(tenant, [parse_instant("2026-11-20T12:34:56.7890129Z")])
    assert rows(tenant, f"{TABLE} | project b = {expression}") == [{"b": expected}]


def test_an_unnamed_bin_is_called_as_its_column(tenant: SyntheticTenant) -> None:
    """As the service calls it; steps that follow read it by that name."""
    refill(tenant, [NOON, NOON + 1])
    query = f"{TABLE} | summarize n = count() by bin(Timestamp, 1h) | where Timestamp < now()"
    assert rows(tenant, query) == [{"Timestamp": "2026-11-20T12:00:00Z", "n": 2}]


def test_bins_may_be_listed(tenant: SyntheticTenant) -> None:
    """A few bins of many are asked for by where they start."""
    minute = 60 * TICKS_PER_SECOND
    refill(tenant, [NOON - 1, NOON, NOON + minute - 1, NOON + minute, NOON + 2 * minute])
    listed = f"{datetime_literal(NOON)}, {datetime_literal(NOON + 2 * minute)}"
    found = rows(tenant, f"{TABLE} | where bin(Timestamp, 60s) in ({listed}) | project Timestamp")
    assert sorted(parse_instant(row["Timestamp"]) for row in found) == [
        NOON,
        NOON + minute - 1,
        NOON + 2 * minute,
    ]


@pytest.mark.parametrize("width", ["0s", "-1h", "0tick"])
def test_a_width_that_is_none_is_refused(tenant: SyntheticTenant, width: str) -> None:
    """No event may fall into a bin that isn't one."""
    with pytest.raises(Exception, match="can't run this query"):
        rows(tenant, f"{TABLE} | project b = bin(Timestamp, {width})")


def test_instants_differ_by_a_tick(tenant: SyntheticTenant) -> None:
    """A cell of one tick is told from its neighbours."""
    refill(tenant, [NOON - 1, NOON, NOON + 1])
    query = f"{TABLE} | where Timestamp != {datetime_literal(NOON)} | project Timestamp"
    found = {parse_instant(row["Timestamp"]) for row in rows(tenant, query)}
    assert found == {NOON - 1, NOON + 1}


def test_a_hash_is_the_same_in_every_query(tenant: SyntheticTenant) -> None:
    """It lies in 0..n-1, and does not depend on what else is asked, or of how many rows."""
    names = [f"{number}.exe" for number in range(1_000)]
    refill(tenant, [NOON] * 1_000, FileName=names)
    query = f"{TABLE} | project FileName, h = hash(FileName, 64)"
    hashes = {row["FileName"]: row["h"] for row in rows(tenant, query)}
    assert set(hashes.values()) == set(range(64))
    one = rows(tenant, f"{TABLE} | where FileName == '7.exe' | extend h = hash(FileName, 64)")
    assert one[0]["h"] == hashes["7.exe"]
    parts = [
        {row["FileName"] for row in rows(tenant, f"{TABLE} | where hash(FileName, 64) == {k}")}
        for k in range(0, 64, 9)
    ]
    assert parts == [{n for n, h in hashes.items() if h == k} for k in range(0, 64, 9)]


def test_a_row_s_hash_divides_rows_of_one_tick(tenant: SyntheticTenant) -> None:
    """By all columns: rows that differ in any fall apart, and equal ones stay together."""
    refill(tenant, [NOON] * 400, ProcessId=[number // 2 for number in range(400)])
    whole_row = f"hash(tostring(pack_all()), {BUCKETS})"
    found = rows(tenant, f"{TABLE} | summarize n = count() by h = {whole_row}")
    assert sum(row["n"] for row in found) == 400
    assert len(found) > 190
    assert all(row["n"] % 2 == 0 for row in found)
    edge = BUCKETS // 2
    below = rows(tenant, f"{TABLE} | where {whole_row} < {edge} | project ProcessId")
    above = rows(tenant, f"{TABLE} | where {whole_row} >= {edge} | project ProcessId")
    assert not {row["ProcessId"] for row in below} & {row["ProcessId"] for row in above}
    assert len(below) + len(above) == 400
    assert 100 < len(below) < 300


@pytest.mark.parametrize(
    "query",
    [
        f"{TABLE} | project Timestamp, FileName, ProcessId",
        f"{TABLE} | where FileName != '3.exe' | extend n = strlen(FileName)",
        f"let wanted = dynamic(['1.exe', '2.exe']);\n{TABLE} | where FileName in (wanted)",
        f"{TABLE} | where FileName in (({TABLE} | where FileName > '2' | project FileName))",
        f"union {TABLE}, (DeviceEvents | where ActionType == 'a') | project Timestamp, FileName",
        f"{TABLE} | join kind=leftouter (DeviceEvents | distinct FileName) on FileName",
        f"{TABLE} | extend part = split('x,y', ',') | mv-expand part | project-away SHA1",
    ],
)
def test_tails_may_follow_any_hunt(tenant: SyntheticTenant, query: str) -> None:
    """Counted by the tick, by the hash or at all, and cut by the hash, it is the same rows."""
    times = [NOON + number // 7 for number in range(60)]
    refill(tenant, times, FileName=[f"{n % 5}.exe" for n in range(60)], ProcessId=[*range(60)])
    tenant.clear("DeviceEvents")
    tenant.insert(
        "DeviceEvents",
        {"Timestamp": [NOON, NOON + 9], "ActionType": ["a", "b"], "FileName": ["1.exe", "8.exe"]},
    )
    whole = rows(tenant, query)
    tally = f"{query} | summarize n = count()"
    by_tick = rows(tenant, f"{tally} by c = bin(Timestamp, 1tick)")
    assert sum(row["n"] for row in by_tick) == len(whole) > 0
    assert {row["c"] for row in by_tick} == {row["Timestamp"] for row in whole}
    by_hash = rows(tenant, f"{tally} by c = bin(hash(tostring(pack_all()), {BUCKETS}), 64)")
    assert sum(row["n"] for row in by_hash) == len(whole)
    assert all(row["c"] % 64 == 0 for row in by_hash)
    keys = 'strcat(tostring(Timestamp), "|", tostring(FileName))'
    parts = [
        *rows(tenant, f"{query} | where hash({keys}, {BUCKETS}) < 30000"),
        *rows(tenant, f"{query} | where hash({keys}, {BUCKETS}) >= 30000"),
    ]
    assert Counter(map(json.dumps, parts)) == Counter(map(json.dumps, whole))


def test_the_engine_s_own_questions_are_answered(tenant: SyntheticTenant) -> None:
    """All tails that ``kql.rewrite`` makes, on a tick that alone is far too full."""
    burst = NOON + 60 * TICKS_PER_SECOND
    times = [NOON, NOON + 1, *[burst] * 500, burst + 1, burst + DAY]
    refill(tenant, times, ProcessId=[*range(len(times))])
    query = f"{TABLE}\n| where ProcessId >= 1"
    analysis = analyse(query)
    window, now = Window(NOON, NOON + DAY), NOON + DAY

    def counts(kql: str) -> dict[object, int]:
        return {row.get(CELL): row[ROWS] for row in rows(tenant, kql)}

    assert counts(count_all(query, analysis, window=window, now=now)) == {None: 502}
    minute = 60 * TICKS_PER_SECOND
    assert counts(count_cells(query, analysis, window=window, now=now, width=minute)) == {
        "2026-11-20T12:00:00Z": 1,
        "2026-11-20T12:01:00Z": 501,
    }
    assert counts(count_cells(query, analysis, window=window, now=now, width=None)) == {
        "2026-11-20T12:00:00.0000001Z": 1,
        "2026-11-20T12:01:00Z": 500,
        "2026-11-20T12:01:00.0000001Z": 1,
    }
    tick = Window(burst, burst + 1)
    buckets = counts(count_buckets(query, analysis, window=tick, now=now, buckets_each=64))
    assert sum(buckets.values()) == 500
    cut = next(edge for edge in sorted(buckets) if edge > BUCKETS // 2)
    first = Span(Position(NOON), Position(burst, cut))
    second = Span(Position(burst, cut), Position(NOON + DAY))
    seen = [
        row["ProcessId"]
        for span, reach in ((first, Window(NOON, burst + 1)), (second, Window(burst, NOON + DAY)))
        for row in rows(
            tenant, restrict(query, analysis, window=reach, now=now, span=span, limit=600)
        )
    ]
    assert sorted(seen) == [*range(1, 503)]
    [limited] = rows(tenant, restrict(query, analysis, window=window, now=now, limit=1))
    assert limited["ProcessId"] == 1
    page = rows(tenant, restrict(query, analysis, window=window, now=now, limit=99, by_hash=True))
    places = [(row["Timestamp"], row[BUCKET]) for row in page]
    assert len(places) == 99
    assert places == sorted(places)
    assert max(bucket for _, bucket in places[2:]) < BUCKETS // 3


def test_the_size_of_a_row_grows_with_its_values(tenant: SyntheticTenant) -> None:
    """Near enough for who plans by bytes."""
    refill(tenant, [NOON, NOON + 1], ProcessCommandLine=["", "x" * 1_000])
    query = f"{TABLE} | project ProcessCommandLine | extend b = estimate_data_size(*) | sort by b"
    [longer, shorter] = [row["b"] for row in rows(tenant, query)]
    assert longer - shorter == 1_000


def test_other_users_of_the_translator_are_left_alone() -> None:
    """What analysts ask of the lake must not need the stand-in's own functions."""
    sql = str(duckdb_kql.to_sql("T | extend b = bin(A, 1h)", schema={"T": ["A"]}))
    assert "bin_time" not in sql
    with pytest.raises(duckdb_kql.KqlUnsupportedError):
        duckdb_kql.to_sql("T | extend h = hash(A)", schema={"T": ["A"]})


def test_a_row_that_comes_from_nowhere_is_refused() -> None:
    """A release that builds its steps otherwise must not hash another step's rows."""
    with pytest.raises(TranslationChanged, match="teach"):
        with_rows("SELECT to_json(huntlake_row_of_this_step)")

"""The whole way from a hunt to a committed partition, over real HTTPS against the stand-in."""

import threading
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.clock import SimulatedClock
from pipelines.errors import CannotSplit, PartitionRefused
from pipelines.hunts import ExportSettings, Hunt
from pipelines.progress import Event, SliceStaged, Waiting
from pipelines.slicing import partition, partition_at
from pipelines.standin import Fault
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND
from tests.conftest import EVENTS, MORNING, NETWORK, TODAY
from tests.days import BUSIEST, QUIET, EngineFor, Serve, landed, truth

EMPTY = partition("daily", "2026-11-14")
FAILURES = Hunt(
    name="failures",
    query="DeviceLogonEvents | where ActionType == 'LogonFailed'"
    " | summarize n = count() by DeviceId",
)
SNAPSHOT = Hunt(
    name="vulnerabilities",
    query="DeviceTvmSoftwareVulnerabilities | project DeviceId, CveId",
    export=ExportSettings(partitions="snapshot"),
)


def test_a_day_far_over_the_cap_lands_whole_and_once(serve: Serve, engine_for: EngineFor) -> None:
    """Every row of the tenant's day is in the file exactly once, whatever slices it took."""
    standin = serve(rows=700)
    engine = engine_for(standin, limits="seed,rows=700")
    [exported] = engine.export(NETWORK, [BUSIEST])
    assert exported.receipt.rows == 6_000
    assert landed(exported.path) == truth(standin, BUSIEST)
    assert len(exported.receipt.slices) > 6_000 / 700
    assert exported.receipt.calls == len(standin.calls)
    assert all(record.rows < 700 for record in exported.receipt.slices)


def test_rows_lie_in_time_order(serve: Serve, engine_for: EngineFor) -> None:
    """The file is sorted over all of its slices, so that readers can skip what is out of range."""
    engine = engine_for(serve(rows=700), limits="seed,rows=700")
    [exported] = engine.export(NETWORK, [BUSIEST])
    times = pq.read_table(exported.path).column("Timestamp").cast(pa.int64()).to_pylist()
    assert times == sorted(times)


def test_exactly_as_many_rows_as_the_cap_are_not_believed(
    serve: Serve, engine_for: EngineFor
) -> None:
    """The service says nothing when it cuts, so what shares the last row's tick is asked again."""
    standin = serve(rows=6_000)
    engine = engine_for(standin, limits="seed,rows=6000")
    [exported] = engine.export(NETWORK, [BUSIEST])
    page, rest = exported.receipt.slices
    assert (page.proof, rest.proof) == ("full page", "whole answer")
    assert (page.rows, page.wasted_rows, rest.rows) == (5_999, 1, 1)
    assert exported.receipt.calls == len(standin.calls) == 2
    assert landed(exported.path) == truth(standin, BUSIEST)


def test_a_small_day_costs_one_call(serve: Serve, engine_for: EngineFor) -> None:
    """No count, no probe: an answer below the cap is complete in itself."""
    standin = serve()
    [exported] = engine_for(standin).export(NETWORK, [QUIET])
    assert len(standin.calls) == exported.receipt.calls == 1
    assert exported.receipt.rows == 1_500


def test_an_empty_day_lands_with_the_hunt_s_schema(serve: Serve, engine_for: EngineFor) -> None:
    """A quiet day has the same columns and types as any other, also when the answer has none."""
    standin = serve()
    engine = engine_for(standin)
    [full] = engine.export(NETWORK, [QUIET])
    standin.faults.next(Fault.NO_SCHEMA)
    [empty] = engine.export(NETWORK, [EMPTY])
    assert empty.receipt.rows == 0
    assert empty.schema.remove_metadata() == full.schema.remove_metadata()


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_each_surface_brings_the_same_rows_and_types(
    surface: str, serve: Serve, engine_for: EngineFor
) -> None:
    """What differs between the surfaces never reaches the lake."""
    standin = serve(rows=2_000)
    [exported] = engine_for(standin, surface=surface, limits="seed,rows=2000").export(
        NETWORK, [BUSIEST]
    )
    assert landed(exported.path) == truth(standin, BUSIEST)
    assert [str(field.type) for field in exported.schema][:5] == [
        "timestamp[ns, tz=UTC]",
        "string",
        "string",
        "int32",
        "int64",
    ]
    assert {call.surface for call in standin.calls} == {surface}


def test_what_was_committed_is_not_pulled_again(serve: Serve, engine_for: EngineFor) -> None:
    """Running an export again costs nothing, and says so."""
    standin = serve()
    engine = engine_for(standin)
    [first] = engine.export(NETWORK, [QUIET])
    [again] = engine.export(NETWORK, [QUIET])
    assert (first.reused, again.reused) == (False, True)
    assert len(standin.calls) == 1


def test_a_changed_query_or_refresh_is_pulled_again(serve: Serve, engine_for: EngineFor) -> None:
    """A lake that kept the answer to yesterday's question would be wrong."""
    standin = serve()
    engine = engine_for(standin)
    changed = replace(NETWORK, query=NETWORK.query + "\n| where RemotePort == 443")
    list(engine.export(NETWORK, [QUIET]))
    list(engine.export(changed, [QUIET]))
    list(engine.export(changed, [QUIET], refresh=True))
    assert len(standin.calls) == 3


def test_an_interrupted_export_goes_on_where_it_stopped(
    serve: Serve, engine_for: EngineFor
) -> None:
    """Staged slices are kept: over both runs no window is answered twice."""
    standin = serve(rows=700)
    engine = engine_for(standin, limits="seed,rows=700")

    def stop_after_three(event: Event) -> None:
        if isinstance(event, SliceStaged):
            staged.append(event.span)
            if len(staged) == 3:
                raise KeyboardInterrupt

    staged: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        list(engine.export(NETWORK, [BUSIEST], observer=stop_after_three))
    events: list[Event] = []
    [exported] = engine.export(NETWORK, [BUSIEST], observer=events.append)
    later = [event.span for event in events if isinstance(event, SliceStaged)]
    assert set(staged).isdisjoint(later)
    assert {record.span for record in exported.receipt.slices} == {*staged, *later}
    assert landed(exported.path) == truth(standin, BUSIEST)


def test_nothing_is_seen_before_it_is_whole(serve: Serve, engine_for: EngineFor) -> None:
    """While slices are pulled the lake has no partition, and the old one stays on a refresh."""
    standin = serve(rows=700)
    engine = engine_for(standin, limits="seed,rows=700")
    path = engine.layout.partition_file("network", "demo", BUSIEST)
    seen: list[bytes | None] = []

    def look(event: Event) -> None:
        if isinstance(event, SliceStaged):
            seen.append(path.read_bytes() if path.exists() else None)

    list(engine.export(NETWORK, [BUSIEST], observer=look))
    assert set(seen) == {None}
    seen.clear()
    before = path.read_bytes()
    list(engine.export(NETWORK, [BUSIEST], refresh=True, observer=look))
    assert set(seen) == {before}


def test_a_hunt_that_counts_is_asked_once_for_the_whole_day(
    serve: Serve, engine_for: EngineFor
) -> None:
    """A summarize over half a day is not half of a summarize: one call, with the day's window."""
    standin = serve()
    [exported] = engine_for(standin).export(FAILURES, [QUIET])
    assert exported.receipt.verdict == "keyed"
    assert len(standin.calls) == 1
    events = standin.tenant.table("DeviceLogonEvents")
    times = events.column("Timestamp").cast(pa.int64()).to_pylist()
    actions, devices = (events.column(name).to_pylist() for name in ("ActionType", "DeviceId"))
    expected = Counter(
        device
        for time, action, device in zip(times, actions, devices, strict=True)
        if action == "LogonFailed" and time // NANOSECONDS_PER_TICK in QUIET.window
    )
    found = pq.read_table(exported.path).select(["DeviceId", "n"]).to_pylist()
    assert {row["DeviceId"]: row["n"] for row in found} == expected
    assert expected


def test_a_hunt_that_ranks_and_overflows_fails_and_says_why(
    serve: Serve, engine_for: EngineFor
) -> None:
    """Neither time nor a key divides a ranking without changing it, so nothing lands."""
    standin = serve(rows=20)
    engine = engine_for(standin, limits="seed,rows=20")
    ranked = replace(FAILURES, query=f"{FAILURES.query} | top 50 by n")
    with pytest.raises(CannotSplit, match=r"failures, partition 2026-11-19.*`top` at 1:") as caught:
        list(engine.export(ranked, [QUIET]))
    assert "reached the cap of 20 rows" in str(caught.value)
    assert not engine.layout.partition_file("failures", "demo", QUIET).exists()


def test_a_hunt_that_groups_and_overflows_is_cut_by_its_key(
    serve: Serve, engine_for: EngineFor
) -> None:
    """A hash of what it groups by divides the answer: each group comes once, and whole."""
    [uncut] = engine_for(serve()).export(FAILURES, [QUIET])
    whole = pq.read_table(uncut.path, partitioning=None).select(["DeviceId", "n"]).to_pylist()
    standin = serve(rows=30)
    engine = engine_for(standin, limits="seed,rows=30")
    [exported] = engine.export(FAILURES, [QUIET], refresh=True)
    found = pq.read_table(exported.path, partitioning=None).select(["DeviceId", "n"]).to_pylist()
    assert len(exported.receipt.slices) > 1
    assert {record.span.start.instant for record in exported.receipt.slices} == {QUIET.window.start}
    assert sorted(map(str, found)) == sorted(map(str, whole))


def test_now_is_the_partition_s_end(serve: Serve, engine_for: EngineFor) -> None:
    """A hunt for the last hour, exported for a day long past, brings that day's last hour."""
    standin = serve()
    hunt = replace(NETWORK, name="late", query="DeviceNetworkEvents | where Timestamp > ago(1h)")
    [exported] = engine_for(standin).export(hunt, [BUSIEST])
    hour_before = (BUSIEST.window.end - 3_600 * TICKS_PER_SECOND) * NANOSECONDS_PER_TICK
    times = pq.read_table(exported.path).column("Timestamp").cast(pa.int64()).to_pylist()
    assert len(times) == sum(
        count for row, count in truth(standin, BUSIEST).items() if row[0] > hour_before
    )
    assert times
    assert min(times) > hour_before


def test_the_horizon_is_not_a_quiet_day(
    serve: Serve, engine_for: EngineFor, clock: SimulatedClock
) -> None:
    """What the service has forgotten is refused, and what was landed of it stays as it was."""
    standin = serve(data_age_days=30)
    engine = engine_for(standin)
    [exported] = engine.export(NETWORK, [QUIET])
    before = exported.path.read_bytes()
    clock.sleep(30 * 86_400)
    for refresh in (False, True):
        with pytest.raises(PartitionRefused, match="past the horizon"):
            list(engine.export(NETWORK, [QUIET], refresh=refresh))
    assert exported.path.read_bytes() == before
    assert len(standin.calls) == 1


def test_what_falls_off_the_horizon_midway_is_refused(
    serve: Serve, engine_for: EngineFor, clock: SimulatedClock
) -> None:
    """A long wait between two slices must not make the second one look empty."""
    standin = serve(rows=3_500)
    engine = engine_for(standin, limits="seed,rows=3500")

    def wait_a_month(event: Event) -> None:
        if isinstance(event, SliceStaged):
            clock.sleep(30 * 86_400)

    with pytest.raises(PartitionRefused, match="past the horizon"):
        list(engine.export(NETWORK, [BUSIEST], observer=wait_a_month))
    assert not engine.layout.lake.exists()


def test_a_day_that_is_not_over_is_refused(serve: Serve, engine_for: EngineFor) -> None:
    """Half a day would be taken for a whole one ever after."""
    standin = serve()
    with pytest.raises(PartitionRefused, match="not over yet"):
        list(engine_for(standin).export(NETWORK, [partition_at("daily", MORNING)]))
    assert standin.calls == []


def test_a_snapshot_is_todays_alone(serve: Serve, engine_for: EngineFor) -> None:
    """Current-state tables say nothing of yesterday."""
    standin = serve()
    engine = engine_for(standin)
    [exported] = engine.export(SNAPSHOT, [partition_at("snapshot", TODAY)])
    assert exported.receipt.rows == 1_000
    with pytest.raises(PartitionRefused, match="current state"):
        list(engine.export(SNAPSHOT, [partition("snapshot", "2026-11-19")]))


def test_days_and_hours_of_one_hunt_do_not_mix(serve: Serve, engine_for: EngineFor) -> None:
    """A view over both would show every row twice."""
    engine = engine_for(serve())
    list(engine.export(NETWORK, [QUIET]))
    hour = partition("hourly", "2026-11-19-05:00")
    with pytest.raises(PartitionRefused, match="holds daily ones"):
        list(engine.export(NETWORK, [hour]))


def test_the_service_s_quota_is_never_overrun(serve: Serve, engine_for: EngineFor) -> None:
    """Over a day of forced waits the tenant answers no 429: every wait is our own."""
    standin = serve(rows=120, calls=((5, 60.0),), running=((20.0, 3_600.0),))
    engine = engine_for(standin, limits="seed,rows=120,calls_per_minute=5,running_per_hour=20")
    events: list[Event] = []
    [exported] = engine.export(NETWORK, [BUSIEST], observer=events.append)
    assert landed(exported.path) == truth(standin, BUSIEST)
    assert 429 not in {call.status for call in standin.calls}
    reasons = {event.reason for event in events if isinstance(event, Waiting)}
    assert any("calls a minute" in reason for reason in reasons)
    assert max(call.in_flight for call in standin.calls) == 1


def test_the_events_are_those_that_the_tests_assume() -> None:
    """The empty and the busiest day lie where the stand-in puts them."""
    day = 86_400 * TICKS_PER_SECOND
    assert BUSIEST.window.start == EVENTS.end - 3 * day
    assert EMPTY.window.start == EVENTS.end - 6 * day


def test_two_exports_of_one_partition_pull_it_once(serve: Serve, engine_for: EngineFor) -> None:
    """The second waits for the first, and finds the partition committed."""
    standin = serve(rows=2_500)
    first, second = (engine_for(standin, limits="seed,rows=2500") for _ in range(2))
    waiting, found = threading.Event(), []

    def tell(event: Event) -> None:
        if isinstance(event, Waiting) and "another export" in event.reason:
            waiting.set()

    def other() -> None:
        found.extend(second.export(NETWORK, [BUSIEST], observer=tell))

    thread = threading.Thread(target=other)

    def start_the_other(event: Event) -> None:
        if isinstance(event, SliceStaged) and not thread.is_alive():
            thread.start()
            assert waiting.wait(timeout=30)

    [exported] = first.export(
        NETWORK, [BUSIEST], observer=lambda event: waiting.is_set() or start_the_other(event)
    )
    thread.join(timeout=30)
    assert [each.reused for each in found] == [True]
    answered = [call for call in standin.calls if call.status == 200]
    assert len(answered) == exported.receipt.calls

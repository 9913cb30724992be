"""Exports in which calls fail, over real HTTPS: whole in the end, or an error with what to do."""

from dataclasses import replace

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SchemaClash, SliceFailed
from pipelines.lake import connect, publish
from pipelines.landing import KEPT_ASIDE, read_receipt
from pipelines.landing.schema import arrow_schema, wire_columns
from pipelines.progress import CallFailed, Event, Waiting
from pipelines.standin import Fault
from tests.conftest import NETWORK
from tests.days import BUSIEST, QUIET, EngineFor, Serve, landed, truth


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CALLS_A_MINUTE,
        Fault.CALLS_AN_HOUR,
        Fault.SEND_AGAIN,
        Fault.CPU,
        Fault.RETRY_AFTER,
        Fault.RETRY_AFTER_DATE,
        Fault.TIMED_OUT,
        Fault.SERVER_ERROR,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.GATEWAY_TIMEOUT,
        Fault.TOO_HEAVY,
        Fault.RESET,
        Fault.RESET_MID_BODY,
        Fault.TRUNCATED_GZIP,
        Fault.TRUNCATED_JSON,
        Fault.INVALID_JSON,
        Fault.SLOW_BODY,
        Fault.EXPIRED_TOKEN,
        Fault.ADDED_COLUMN,
    ],
)
def test_a_fault_midway_loses_and_doubles_nothing(
    fault: Fault, serve: Serve, engine_for: EngineFor
) -> None:
    """Whatever goes wrong between two slices, the day ends whole and each row is there once."""
    standin = serve(rows=2_500, calls=(), running=())
    engine = engine_for(standin, limits="seed,rows=2500")
    standin.faults.next(None, fault)
    [exported] = engine.export(NETWORK, [BUSIEST])
    assert landed(exported.path) == truth(standin, BUSIEST)


def test_faults_one_after_another_end_in_a_whole_day_too(
    serve: Serve, engine_for: EngineFor
) -> None:
    """Several kinds in a row, each within its bounds."""
    standin = serve(rows=2_500, calls=(), running=())
    engine = engine_for(standin, limits="seed,rows=2500")
    standin.faults.next(Fault.RESET, Fault.UNAVAILABLE, None, Fault.INVALID_JSON, Fault.CPU)
    events: list[Event] = []
    [exported] = engine.export(NETWORK, [BUSIEST], observer=events.append)
    failed = [event for event in events if isinstance(event, CallFailed)]
    # Waiting for running time takes longer than the token is good for.
    remedies = ["retry", "retry", "retry", "wait", "fresh token"]
    assert [event.remedy for event in failed] == remedies
    assert [event.attempt for event in failed] == [1, 2, 1, 2, 1]
    assert any(isinstance(event, Waiting) and "429" in str(event) for event in events)
    assert landed(exported.path) == truth(standin, BUSIEST)


def test_a_permission_that_is_missing_is_named(serve: Serve, engine_for: EngineFor) -> None:
    """The message says where it failed and what to grant; nothing lands."""
    standin = serve()
    standin.revoke_permission()
    engine = engine_for(standin)
    with pytest.raises(
        SliceFailed, match=r"network, partition 2026-11-19.*ThreatHunting\.Read\.All"
    ):
        list(engine.export(NETWORK, [QUIET]))
    assert len(standin.calls) == 1
    assert not engine.layout.lake.exists()


def test_a_query_that_is_wrong_is_not_tried_again(serve: Serve, engine_for: EngineFor) -> None:
    """Quota spent on a query that can't succeed is wasted."""
    standin = serve()
    hunt = replace(NETWORK, query="DeviceNetworkEvents | where NoSuchColumn == 1")
    with pytest.raises(
        SliceFailed, match="Failed to resolve scalar expression named 'NoSuchColumn'"
    ):
        list(engine_for(standin).export(hunt, [QUIET]))
    assert len(standin.calls) == 1


def test_a_type_that_changes_within_a_day_fails_it(serve: Serve, engine_for: EngineFor) -> None:
    """No silent cast: the day is not committed, and the next run starts it over."""
    standin = serve(rows=2_500)
    engine = engine_for(standin, limits="seed,rows=2500")
    standin.faults.next(None, None, Fault.CHANGED_TYPE)
    with pytest.raises(Exception, match="column DeviceId is"):
        list(engine.export(NETWORK, [BUSIEST]))
    assert read_receipt(engine.layout.partition_file("network", "demo", BUSIEST)) is None
    [exported] = engine.export(NETWORK, [BUSIEST])
    assert landed(exported.path) == truth(standin, BUSIEST)


def test_a_type_that_is_another_one_than_on_other_days_fails_the_day(
    serve: Serve, engine_for: EngineFor
) -> None:
    """What was committed stays, and what was pulled serves once the other days are out of the way.

    Nothing is converted in the view, and nothing is pulled twice.
    """
    standin = serve()
    engine = engine_for(standin)
    [before] = engine.export(NETWORK, [BUSIEST])
    [first] = engine.export(NETWORK, [QUIET])
    content = first.path.read_bytes()
    standin.faults.next(Fault.CHANGED_TYPE)
    said = r"network, partition 2026-11-19: column DeviceId is Int64, and String in partition 2026"
    with pytest.raises(SchemaClash, match=said):
        list(engine.export(NETWORK, [QUIET], refresh=True))
    assert first.path.read_bytes() == content
    before.path.unlink()
    calls = len(standin.calls)
    [again] = engine.export(NETWORK, [QUIET], refresh=True)
    assert len(standin.calls) == calls
    assert again.changes is None


def test_a_type_that_the_service_got_wrong_is_pulled_anew(
    serve: Serve, engine_for: EngineFor
) -> None:
    """What was staged of it fits no better the next time, but another answer may."""
    standin = serve()
    engine = engine_for(standin)
    [_] = engine.export(NETWORK, [BUSIEST])
    standin.faults.next(Fault.CHANGED_TYPE)
    with pytest.raises(SchemaClash):
        list(engine.export(NETWORK, [QUIET]))
    [exported] = engine.export(NETWORK, [QUIET])
    assert landed(exported.path) == truth(standin, QUIET)
    assert exported.changes is not None
    assert not exported.changes


def test_another_tenant_s_columns_keep_nothing_out(serve: Serve, engine_for: EngineFor) -> None:
    """What does not fit together across tenants is there, and only can not be read across them.

    Each tenant's own view has it.
    """
    engine = engine_for(serve())
    [exported] = engine.export(NETWORK, [BUSIEST])
    elsewhere = engine.layout.partition_file("network", "other", BUSIEST)
    elsewhere.parent.mkdir(parents=True)
    columns = {**wire_columns(exported.schema), "DeviceId": "Int64"}
    pq.write_table(arrow_schema(columns).empty_table(), elsewhere)
    [second] = engine.export(NETWORK, [QUIET])
    publish(engine.layout)
    with connect(engine.layout) as lake:
        rows = exported.receipt.rows + second.receipt.rows
        assert lake.sql("SELECT count(DeviceId) FROM demo.network").fetchall() == [(rows,)]
        assert lake.sql("SELECT count(ReportId) FROM network").fetchall() == [(rows,)]
        with pytest.raises(duckdb.Error, match="hold column DeviceId in types"):
            lake.sql("SELECT count(DeviceId) FROM network").fetchall()


def test_a_first_day_without_rows_or_a_schema_harms_no_other(
    serve: Serve, engine_for: EngineFor
) -> None:
    """It has no columns yet; the next empty day has those of the days before it."""
    standin = serve()
    engine = engine_for(standin)
    none = replace(NETWORK, query=f"{NETWORK.query}\n| where RemotePort == -1")
    standin.faults.next(Fault.NO_SCHEMA)
    [empty] = engine.export(none, [BUSIEST])
    assert (empty.receipt.rows, empty.schema.names) == (0, [KEPT_ASIDE])
    with connect(engine.layout) as lake:
        assert lake.sql("SELECT tenant, date, _kept_aside FROM network").fetchall() == []
    [full] = engine.export(NETWORK, [QUIET])
    assert full.changes is None
    with connect(engine.layout) as lake:
        [(rows,)] = lake.sql("SELECT count(DeviceId) FROM network").fetchall()
    assert rows == full.receipt.rows > 0
    standin.faults.next(Fault.NO_SCHEMA)
    [filled] = engine.export(none, [BUSIEST], refresh=True)
    assert filled.schema.equals(full.schema, check_metadata=False)
    assert filled.receipt.rows == 0

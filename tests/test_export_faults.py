"""Exports in which calls fail, over real HTTPS: whole in the end, or an error with what to do."""

from dataclasses import replace

import pytest

from pipelines.errors import SliceFailed
from pipelines.landing import read_receipt
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

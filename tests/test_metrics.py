"""``huntlake.exports``: a row for each attempt to export a partition."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from pipelines.clock import SimulatedClock
from pipelines.engine import Engine
from pipelines.errors import HuntlakeError, LakeUnwritable, QueryRejected, SliceFailed
from pipelines.lake import connect, journal
from pipelines.metrics import own_words
from pipelines.progress import Event, JournalNotKept, PartitionCommitted, SliceStaged
from pipelines.slicing import partition
from pipelines.standin import Fault
from tests.conftest import NETWORK
from tests.days import BUSIEST, QUIET, EngineFor, Serve

DAYS = [partition("daily", f"2026-11-{day}") for day in (16, 17, 18, 19)]


def rows(engine: Engine, columns: str) -> list[tuple[object, ...]]:
    with connect(engine.layout) as lake:
        told = "(FROM huntlake.exports ORDER BY ended_at)"
        return lake.sql(f"SELECT {columns} FROM {told}").fetchall()


def test_a_committed_partition_leaves_a_row_and_a_reused_one_none(
    serve: Serve, engine_for: EngineFor
) -> None:
    """A night that finds a month committed is not thirty attempts."""
    engine = engine_for(serve())
    [exported] = engine.export(NETWORK, [QUIET], run="4711")
    [again] = engine.export(NETWORK, [QUIET])
    told = "tenant, hunt, partition, surface, run, outcome, rows, bytes, calls, error"
    assert rows(engine, told) == [
        (
            "demo", "network", QUIET.key, "graph", "4711", "committed", exported.receipt.rows,
            exported.file_bytes, exported.receipt.calls, None,
        )
    ]  # fmt: skip
    assert exported.attempt is not None
    assert again.attempt is None


def test_calls_of_all_attempts_are_those_that_were_made(
    serve: Serve, engine_for: EngineFor
) -> None:
    """Those of a run that was stopped too, and once each, however many days an answer spans."""
    standin = serve(rows=2_000)
    engine = engine_for(standin, limits="seed,rows=2000")
    staged = 0

    def stop_after_three(event: Event) -> None:
        nonlocal staged
        staged += isinstance(event, SliceStaged)
        if staged == 3:
            raise KeyboardInterrupt

    standin.faults.next(Fault.UNAVAILABLE)
    with pytest.raises(KeyboardInterrupt):
        list(engine.export(NETWORK, DAYS, observer=stop_after_three))
    exported = list(engine.export(NETWORK, DAYS))
    assert rows(engine, "sum(calls), sum(wasted_calls), sum(retries)") == [
        (len(standin.calls), sum(each.receipt.wasted_calls for each in exported), 1)
    ]
    [(seconds,)] = rows(engine, "sum(running_seconds)")
    assert seconds == pytest.approx(sum(each.receipt.running_seconds for each in exported))
    assert {outcome for (outcome,) in rows(engine, "outcome")} == {"committed", "stopped"}
    assert rows(engine, "errors")[0] == ({"ServiceUnavailable": 1},)


def test_waits_are_measured_by_the_clock(
    serve: Serve, engine_for: EngineFor, clock: SimulatedClock
) -> None:
    """All the time that passed while no call was allowed, and none of the calls' own."""
    standin = serve(passes=False, rows=700)
    engine = engine_for(standin, limits="seed,rows=700,calls_per_minute=3")
    started = clock.now_ns()
    [exported] = engine.export(NETWORK, [BUSIEST])
    passed = (clock.now_ns() - started) / 1e9
    [(waited,)] = rows(engine, "wait_seconds")
    assert waited == pytest.approx(passed)
    assert waited > 60
    assert exported.attempt is not None
    assert exported.attempt.wait_seconds == waited


def test_what_fails_says_why_and_quotes_nobody(serve: Serve, engine_for: EngineFor) -> None:
    """A refusal made no call; the words of the service, which may quote a query, are left out."""
    engine = engine_for(serve())
    wrong = replace(NETWORK, name="wrong", query="DeviceNetworkEvents | where Secret == 'x'")
    with pytest.raises(SliceFailed, match="Secret"):
        list(engine.export(wrong, [QUIET]))
    with pytest.raises(HuntlakeError, match="horizon"):
        list(engine.export(NETWORK, [QUIET, partition("daily", "2026-09-01")]))
    list(engine.export(NETWORK, [QUIET]))
    told = rows(engine, "hunt, partition, outcome, rows, calls, errors, error")
    (hunt, key, outcome, landed, calls, errors, why), refused = told[0], told[-1]
    assert (hunt, key, outcome, landed) == ("wrong", QUIET.key, "failed", None)
    assert (calls, errors) == (1, {"QueryRejected": 1})
    assert "wrong, partition 2026-11-19" in str(why)
    assert "Secret" not in str(why)
    assert refused[:5] == ("network", "2026-09-01", "refused", None, 0)
    assert re.search("past the horizon", str(refused[-1]))


def test_own_words_are_huntlake_s_alone() -> None:
    """The request id stays, by which the service's own words can be found."""
    error = QueryRejected("the query is wrong; the service says: no column\n'Secret'")
    failed = SliceFailed(f"logons: {error} (request id 7)")
    assert own_words(failed) == (
        "logons: the query is wrong; the run's log has what the service says (request id 7)"
    )
    assert own_words(ValueError("Secret")) == "ValueError"


def test_a_journal_that_can_not_be_written_loses_no_partition(
    serve: Serve, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is committed and told of, and so is that the row is missing."""
    engine = engine_for(serve())

    def full(*arguments: object, **named: object) -> None:
        raise LakeUnwritable("no space left")

    monkeypatch.setattr(journal, "write_next", full)
    events: list[Event] = []
    [exported] = engine.export(NETWORK, [QUIET], observer=events.append)
    assert exported.path.exists()
    kinds = [type(event) for event in events]
    assert (JournalNotKept, PartitionCommitted) in pairwise(kinds)
    assert "huntlake.exports" in str(events[kinds.index(JournalNotKept)])

"""Commits beside calls: neither waits for the other, and nobody hears of a commit late."""

import threading
from typing import Any

import pytest

from pipelines import committing
from pipelines.api import HuntingClient
from pipelines.committing import PartitionExport
from pipelines.errors import SliceFailed
from pipelines.landing import Staging
from pipelines.progress import Event, PartitionCommitted, SliceStaged, Waiting
from pipelines.slicing import partition
from pipelines.standin import Fault
from tests.conftest import NETWORK
from tests.days import QUIET, EngineFor, Serve, landed, truth

FIRST = partition("daily", "2026-11-18")
# Less than a hang, and far more than any commit or call here takes.
PATIENCE_SECONDS = 60


def test_the_next_answer_is_asked_for_while_one_is_committed(
    serve: Serve, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commit ends only once the next call is under way."""
    begun, asked = threading.Event(), threading.Event()
    commit, stream = committing.commit, HuntingClient.stream

    def held_commit(*args: Any, **more: Any) -> None:
        begun.set()
        assert asked.wait(PATIENCE_SECONDS)
        commit(*args, **more)

    def seen_stream(client: HuntingClient, *args: Any) -> Any:
        if begun.is_set():
            asked.set()
        return stream(client, *args)

    monkeypatch.setattr(committing, "commit", held_commit)
    monkeypatch.setattr(HuntingClient, "stream", seen_stream)
    standin = serve(rows=1_600)
    exports = list(engine_for(standin, limits="seed,rows=1600").export(NETWORK, [FIRST, QUIET]))
    assert [exported.partition for exported in exports] == [FIRST, QUIET]
    for exported in exports:
        assert landed(exported.path) == truth(standin, exported.partition)


def test_a_commit_is_told_of_before_the_next_call_waits(
    serve: Serve, engine_for: EngineFor
) -> None:
    """The wait may last an hour, and what readers see by then is to be green by then."""
    events: list[Event] = []
    standin = serve(rows=1_600)
    engine = engine_for(standin, limits="seed,rows=1600,calls_per_minute=1")
    assert len(list(engine.export(NETWORK, [FIRST, QUIET], observer=events.append))) == 2
    kinds = [type(event) for event in events if isinstance(event, PartitionCommitted | Waiting)]
    assert kinds[-3:] == [PartitionCommitted, Waiting, PartitionCommitted]


def test_a_call_that_fails_takes_no_commit_with_it(serve: Serve, engine_for: EngineFor) -> None:
    """What was being committed is yielded first, and the error comes after it."""
    standin = serve(rows=1_600)
    engine = engine_for(standin, limits="seed,rows=1600")

    def forbid_the_next(event: Event) -> None:
        if isinstance(event, SliceStaged):
            standin.faults.next(Fault.FORBIDDEN_HTML)

    committed: list[PartitionExport] = []
    with pytest.raises(SliceFailed):
        committed.extend(engine.export(NETWORK, [FIRST, QUIET], observer=forbid_the_next))
    assert [exported.partition for exported in committed] == [FIRST]


def test_a_single_answer_is_not_staged(
    serve: Serve, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be written twice, and nothing comes between the two."""

    def refuse(*_: Any) -> None:
        pytest.fail("the answer was staged")

    monkeypatch.setattr(Staging, "put_down", refuse)
    events: list[Event] = []
    [exported] = engine_for(serve()).export(NETWORK, [QUIET], observer=events.append)
    assert exported.receipt.rows == 1_500
    [slice_] = [event for event in events if isinstance(event, SliceStaged)]
    assert slice_.held
    assert "are pulled" in str(slice_)

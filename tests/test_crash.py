"""Kills: real exports under kill -9, and each instant that random kills may miss."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from pipelines import committing
from pipelines.engine import Engine
from pipelines.kql.rewrite import ROWS
from pipelines.lake import connect
from pipelines.progress import Counted, Event, SliceStaged
from pipelines.slicing import partition
from pipelines.standin import Standin
from tests.benchmarks.crash import Outcome, as_table
from tests.benchmarks.killing import Tenant, exports_under_kills
from tests.conftest import NETWORK

BUSIEST = partition("daily", "2026-11-17")
DAY = partition("daily", "2026-11-19")


def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Exports go on after each kill, and pull again what was being pulled at most."""
    # A small day, and nothing that lets an export wait.
    with Tenant(tmp_path, busiest_day_rows=1_100, calls=()) as tenant:
        exports = list(exports_under_kills(tenant, tmp_path, kills=4, seed=1, within_seconds=1.2))
    outcome = Outcome.of(exports)
    assert outcome.holds, as_table(exports)
    assert set(asdict(outcome)) == {
        *("kills", "rows_lost", "rows_doubled"),
        "slices_pulled_again_max",
    }
    assert outcome.kills == 4


def test_a_count_serves_the_next_run_too(
    serve: Callable[..., Standin], engine_for: Callable[..., Engine]
) -> None:
    """It begins with the next whole cell, and what is left with the rest of the one begun."""
    standin = serve(rows=500)
    engine = engine_for(standin, limits="seed,rows=500")

    def stop(event: Event) -> None:
        if isinstance(event, Counted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(engine.export(NETWORK, [BUSIEST], observer=stop))
    [exported] = engine.export(NETWORK, [BUSIEST])
    assert exported.receipt.slices[0].span.end.bucket
    assert exported.receipt.counted_rows == exported.receipt.rows == 6_000
    assert sum(ROWS in call.query for call in standin.calls) == 1


@pytest.fixture
def killed_before_publishing(
    serve: Callable[..., Standin],
    engine_for: Callable[..., Engine],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Standin, Engine]:
    """A day is committed, and the run ends before readers can find it."""
    standin = serve()
    engine = engine_for(standin)

    def die(*what: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(committing, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            list(engine.export(NETWORK, [DAY]))
    assert not engine.layout.catalogue.exists()
    return standin, engine


def test_killed_between_commit_and_publishing(
    killed_before_publishing: tuple[Standin, Engine],
) -> None:
    """The next run pulls nothing again, and readers find what was committed."""
    standin, engine = killed_before_publishing
    [exported] = engine.export(NETWORK, [DAY])
    assert exported.reused
    assert len(standin.calls) == 1
    with connect(engine.layout) as lake:
        assert lake.sql("SELECT count(*) FROM network").fetchall() == [(1_500,)]


def test_a_refresh_after_such_a_kill_pulls_anew(
    killed_before_publishing: tuple[Standin, Engine],
) -> None:
    """What is still staged was committed already: a refresh is to bring what came since."""
    standin, engine = killed_before_publishing
    [exported] = engine.export(NETWORK, [DAY], refresh=True)
    assert not exported.reused
    assert len(standin.calls) == 2


def test_a_refresh_that_was_interrupted_goes_on(
    serve: Callable[..., Standin], engine_for: Callable[..., Engine]
) -> None:
    """Its own slices are not those of the commit before it, and none is pulled twice."""
    standin = serve(rows=700)
    engine = engine_for(standin, limits="seed,rows=700")
    [whole] = engine.export(NETWORK, [DAY])
    made = len(standin.calls)

    def stop(event: Event) -> None:
        if isinstance(event, SliceStaged):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(engine.export(NETWORK, [DAY], refresh=True, observer=stop))
    [again] = engine.export(NETWORK, [DAY], refresh=True)
    assert len(standin.calls) - made == again.receipt.calls
    assert again.receipt.rows == whole.receipt.rows

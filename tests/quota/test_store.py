"""The ledger's record: who waits and is alive, older files, and disks that say no."""

import multiprocessing
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from pipelines.clock import NANOSECONDS_PER_SECOND as S
from pipelines.clock import SimulatedClock
from pipelines.errors import LakeUnwritable
from pipelines.quota import Gate, Ledger, SqliteStore, Turn, Urgency, parse_limits
from tests.files_end import files_end_at

TURN = Turn("network", "2026-11-19", Urgency.NIGHTLY, due_ns=9, expected_seconds=2.5, calls_left=4)


def test_whoever_waits_is_found_with_all_that_was_said(tmp_path: Path) -> None:
    """Until it leaves; other tenants' are not."""
    store = SqliteStore(tmp_path / "ledger.sqlite")
    mine = store.wait("t", TURN, now_ns=5)
    store.wait("other", TURN, now_ns=6)
    assert store.waiting("t", now_ns=7) == [mine]
    assert (mine.turn, mine.since_ns) == (TURN, 5)
    store.leave(mine)
    assert store.waiting("t", now_ns=7) == []


def _wait(path: Path) -> None:
    SqliteStore(path).wait("t", TURN, now_ns=0)
    os._exit(9)


def test_a_process_that_died_waits_no_more(tmp_path: Path) -> None:
    """It can't leave by itself, and would hold up all that come after it."""
    path = tmp_path / "ledger.sqlite"
    waiter = multiprocessing.get_context("spawn").Process(target=_wait, args=(path,))
    waiter.start()
    # Its parent, which we are, need not have asked how it ended.
    os.waitid(os.P_PID, waiter.pid, os.WEXITED | os.WNOWAIT)
    assert SqliteStore(path).waiting("t", now_ns=1) == []
    waiter.join(timeout=60)


def test_whoever_gives_no_sign_of_life_is_passed_over(tmp_path: Path) -> None:
    """A stopped process, or one on a machine that is down; it is back once it looks again."""
    store = SqliteStore(tmp_path / "ledger.sqlite")
    waiter = store.wait("t", TURN, now_ns=0)
    assert store.waiting("t", now_ns=179 * S) == [waiter]
    assert store.waiting("t", now_ns=180 * S) == []
    store.still_waits(waiter, now_ns=200 * S)
    assert store.waiting("t", now_ns=201 * S) == [waiter]


def test_several_begin_on_a_new_ledger_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite may refuse whoever turns its log on while another does: a first backfill's hunts."""
    path, connect, alone = tmp_path / "ledger.sqlite", sqlite3.connect, []

    def noticing(*what: Any, **how: Any) -> sqlite3.Connection:
        another = FileLock(path.with_suffix(".lock"))
        try:
            another.acquire(blocking=False)
            another.release()
            alone.append(False)
        except Timeout:
            alone.append(True)
        return connect(*what, **how)

    monkeypatch.setattr(sqlite3, "connect", noticing)
    SqliteStore(path).tenants()
    assert alone == [True, False]


def test_a_ledger_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """What it counts still counts."""
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE calls (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, hunt TEXT NOT NULL, "
        "started_ns INTEGER NOT NULL, worst_seconds REAL NOT NULL, ended_ns INTEGER, "
        "running_seconds REAL, outcome TEXT)"
    )
    connection.execute("INSERT INTO calls VALUES (1, 't', 'h', 10, 600, 20, 7.5, 'answered')")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    store.reserve("t", TURN, started_ns=30, worst_seconds=600)
    first, second = store.calls("t", since_ns=0)
    assert (first.hunt, first.partition, first.running_seconds) == ("h", "", 7.5)
    assert (second.hunt, second.partition, second.urgency) == ("network", "2026-11-19", 2)


def test_without_room_for_the_ledger_no_call_is_made(tmp_path: Path) -> None:
    """A call that isn't written down could not be counted."""
    clock = SimulatedClock(10**18)
    gate = Gate(
        tenant="t",
        limits=parse_limits("seed"),
        ledger=Ledger.at(tmp_path / "ledger.sqlite"),
        locks=tmp_path,
        clock=clock,
    )
    with (
        files_end_at(0),
        pytest.raises(LakeUnwritable, match=r"ledger\.sqlite can't be written.*make room"),
        gate.call(TURN, pytest.fail),
    ):
        pytest.fail("the call was made")
    with gate.call(TURN, pytest.fail):
        pass


@pytest.mark.parametrize("content", ["no database at all, but text of some length", None])
def test_what_is_no_ledger_is_named(content: str | None, tmp_path: Path) -> None:
    """A file that somebody has overwritten, or a folder in its place."""
    path = tmp_path / "ledger.sqlite"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    with pytest.raises(LakeUnwritable, match=r"the quota ledger .*ledger\.sqlite can't be written"):
        Ledger.at(path)


def test_a_lock_that_can_not_be_taken_is_named(tmp_path: Path) -> None:
    """Nothing of Python's own."""
    ledger = Ledger.at(tmp_path / "ledger.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeUnwritable, match=r"the lock .*tenant-t\.lock can't be taken"):
        Gate(
            tenant="t",
            limits=parse_limits("seed"),
            ledger=ledger,
            locks=tmp_path / "file" / "locks",
            clock=SimulatedClock(0),
        )


def test_kept_open_its_steps_leave_the_log_to_the_end(tmp_path: Path) -> None:
    """Others see each step at once, and when it closes all is in the one file."""
    path = tmp_path / "ledger.sqlite"
    store, log = SqliteStore(path), path.with_name("ledger.sqlite-wal")
    with store.kept_open():
        mine = store.wait("t", TURN, now_ns=5)
        assert log.stat().st_size > 0
        assert SqliteStore(path).waiting("t", now_ns=7) == [mine]
    assert not log.exists()
    assert SqliteStore(path).waiting("t", now_ns=7) == [mine]

"""The ledger's durable record in one SQLite file, which serves every process on a machine.

What belongs here: its tables, and writing and reading them. What does not: what any database must
do for the ledger (``store``).
"""

import os
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import LakeUnwritable
from pipelines.quota.order import Served, Turn, Urgency, Waiter
from pipelines.quota.starts import Outside, Spent, Start
from pipelines.quota.store import LedgerCall

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    hunt TEXT NOT NULL,
    partition TEXT NOT NULL DEFAULT '',
    urgency INTEGER NOT NULL DEFAULT 1,
    started_ns INTEGER NOT NULL,
    expected_seconds REAL,
    worst_seconds REAL NOT NULL,
    ended_ns INTEGER,
    running_seconds REAL,
    outcome TEXT
);
CREATE INDEX IF NOT EXISTS calls_by_start ON calls (tenant, started_ns);
CREATE TABLE IF NOT EXISTS blocks (
    tenant TEXT PRIMARY KEY,
    until_ns INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outside (
    tenant TEXT NOT NULL,
    per_seconds INTEGER NOT NULL,
    amount REAL NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS waiting (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    hunt TEXT NOT NULL,
    partition TEXT NOT NULL,
    urgency INTEGER NOT NULL,
    due_ns INTEGER,
    expected_seconds REAL,
    calls_left INTEGER NOT NULL,
    seconds_left REAL NOT NULL,
    since_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    host TEXT NOT NULL,
    process INTEGER NOT NULL
);
"""
# Columns that a ledger of an earlier version lacks.
_ADDED: Final = {
    "partition": "TEXT NOT NULL DEFAULT ''",
    "urgency": "INTEGER NOT NULL DEFAULT 1",
    "expected_seconds": "REAL",
}

# Whoever waits looks again once a minute at least; one that has not is stopped, or on a machine
# that is down.
_SILENT_NS: Final = 180 * NANOSECONDS_PER_SECOND


class SqliteStore:
    """The record in one SQLite file; see ``LedgerStore``. Raises ``LakeUnwritable``.

    Each step has a connection of its own: threads and forked processes may share this.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        # One after another: whoever turns the log on while another does is refused at once,
        # whatever time-out was set.
        with self._beginning(), self._connection() as connection:
            # Write-ahead logging lets a reader look while a call is written down.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            had = {row[1] for row in connection.execute("PRAGMA table_info(calls)")}
            for column, definition in _ADDED.items():
                if column not in had:
                    connection.execute(f"ALTER TABLE calls ADD COLUMN {column} {definition}")

    @contextmanager
    def _beginning(self) -> Iterator[None]:
        lock = FileLock(self._path.with_suffix(".lock"))
        try:
            lock.acquire(poll_interval=0.01)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Make steps cheaper for a while, in which the process must not fork.

        Who closes the last connection to a file with a write-ahead log folds the log into it, which
        waits for the disk at every step: a connection that nobody uses keeps that for the end.
        """
        try:
            connection = sqlite3.connect(self._path, check_same_thread=False)
            # It is opened by what is read first.
            connection.execute("SELECT count(*) FROM calls").fetchone()
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        with closing(connection):
            yield

    def reserve(self, tenant: str, turn: Turn, *, started_ns: int, worst_seconds: float) -> int:
        """See ``LedgerStore``."""
        with self._connection() as connection:
            cursor = connection.execute(
                "INSERT INTO calls (tenant, hunt, partition, urgency, started_ns, "
                "expected_seconds, worst_seconds) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    tenant,
                    turn.hunt,
                    turn.partition,
                    int(turn.urgency),
                    started_ns,
                    turn.expected_seconds,
                    worst_seconds,
                ),
            )
            call_id = cursor.lastrowid
        assert call_id is not None  # noqa: S101 - sqlite sets it on every INSERT
        return call_id

    def settle(self, call_id: int, *, ended_ns: int, running_seconds: float, outcome: str) -> None:
        """See ``LedgerStore``."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE calls SET ended_ns = ?, running_seconds = ?, outcome = ? WHERE id = ?",
                (ended_ns, running_seconds, outcome, call_id),
            )

    def correct(self, call_id: int, *, running_seconds: float) -> None:
        """See ``LedgerStore``."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE calls SET running_seconds = ? WHERE id = ?", (running_seconds, call_id)
            )

    def calls(self, tenant: str, *, since_ns: int) -> list[LedgerCall]:
        """See ``LedgerStore``."""
        rows = self._read(
            "SELECT hunt, partition, urgency, started_ns, ended_ns, running_seconds, "
            "worst_seconds, outcome FROM calls WHERE tenant = ? AND started_ns > ? "
            "ORDER BY started_ns",
            (tenant, since_ns),
        )
        return [
            LedgerCall(hunt, partition, Urgency(urgency), *rest)
            for hunt, partition, urgency, *rest in rows
        ]

    def spent(self, tenant: str, *, since_ns: int) -> list[Spent]:
        """See ``LedgerStore``."""
        rows = self._read(
            "SELECT started_ns, ended_ns, running_seconds, worst_seconds FROM calls "
            "WHERE tenant = ? AND started_ns > ? ORDER BY started_ns",
            (tenant, since_ns),
        )
        return list(map(Spent._make, rows))

    def tenants(self) -> list[str]:
        """See ``LedgerStore``."""
        return [name for (name,) in self._read("SELECT DISTINCT tenant FROM calls ORDER BY 1", ())]

    def longest_seconds(self, tenant: str, hunt: str, *, of_calls: int) -> float | None:
        """See ``LedgerStore``."""
        [(longest,)] = self._read(
            "SELECT max(running_seconds) FROM (SELECT running_seconds FROM calls "
            "WHERE tenant = ? AND hunt = ? AND outcome = 'answered' ORDER BY id DESC LIMIT ?)",
            (tenant, hunt, of_calls),
        )
        return None if longest is None else float(longest)

    def served(self, tenant: str, *, since_ns: int) -> Mapping[str, Served]:
        """See ``LedgerStore``."""
        rows = self._read(
            "SELECT hunt, total(running_seconds), max(started_ns) FROM calls "
            "WHERE tenant = ? AND started_ns > ? GROUP BY hunt",
            (tenant, since_ns),
        )
        return {hunt: Served(seconds, last_ns) for hunt, seconds, last_ns in rows}

    def block(self, tenant: str, *, until_ns: int, reason: str) -> None:
        """See ``LedgerStore``."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE "
                "SET until_ns = excluded.until_ns, reason = excluded.reason "
                "WHERE excluded.until_ns > until_ns",
                (tenant, until_ns, reason),
            )

    def blocked(self, tenant: str, *, now_ns: int) -> Start | None:
        """See ``LedgerStore``."""
        rows = self._read(
            "SELECT until_ns, reason FROM blocks WHERE tenant = ? AND until_ns > ?",
            (tenant, now_ns),
        )
        return Start(*rows[0]) if rows else None

    def add_outside(self, tenant: str, found: Outside, *, instead: bool) -> None:
        """See ``LedgerStore``."""
        with self._connection() as connection:
            if instead:
                connection.execute(
                    "DELETE FROM outside WHERE tenant = ? AND per_seconds = ?",
                    (tenant, found.per_seconds),
                )
            connection.execute(
                "INSERT INTO outside VALUES (?, ?, ?, ?, ?)",
                (tenant, *astuple(found)),
            )

    def outside(self, tenant: str, *, now_ns: int) -> list[Outside]:
        """See ``LedgerStore``."""
        rows = self._read(
            "SELECT per_seconds, amount, first_ns, last_ns FROM outside "
            "WHERE tenant = ? AND last_ns > ?",
            (tenant, now_ns),
        )
        return [Outside(*row) for row in rows]

    def wait(self, tenant: str, turn: Turn, *, now_ns: int) -> Waiter:
        """See ``LedgerStore``."""
        with self._connection(durable=False) as connection:
            cursor = connection.execute(
                "INSERT INTO waiting (tenant, hunt, partition, urgency, due_ns, expected_seconds, "
                "calls_left, seconds_left, since_ns, seen_ns, host, process) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    tenant,
                    turn.hunt,
                    turn.partition,
                    int(turn.urgency),
                    turn.due_ns,
                    turn.expected_seconds,
                    turn.calls_left,
                    turn.seconds_left,
                    now_ns,
                    now_ns,
                    socket.gethostname(),
                    os.getpid(),
                ),
            )
            waiter_id = cursor.lastrowid
        assert waiter_id is not None  # noqa: S101 - sqlite sets it on every INSERT
        return Waiter(waiter_id, turn, now_ns)

    def still_waits(self, waiter: Waiter, *, now_ns: int) -> None:
        """See ``LedgerStore``."""
        with self._connection(durable=False) as connection:
            connection.execute("UPDATE waiting SET seen_ns = ? WHERE id = ?", (now_ns, waiter.id))

    def leave(self, waiter: Waiter) -> None:
        """See ``LedgerStore``."""
        self._remove(waiter.id)

    def waiting(self, tenant: str, *, now_ns: int) -> list[Waiter]:
        """See ``LedgerStore``. Those of processes that died are struck off."""
        rows = self._read(
            "SELECT id, hunt, partition, urgency, due_ns, expected_seconds, calls_left, "
            "seconds_left, since_ns, seen_ns, host, process FROM waiting WHERE tenant = ? "
            "ORDER BY id",
            (tenant,),
        )
        found = []
        for waiter_id, hunt, partition, urgency, *rest, since_ns, seen_ns, host, process in rows:
            if _is_dead(host, process):
                self._remove(waiter_id)
            elif now_ns - seen_ns < _SILENT_NS:
                due_ns, expected, calls_left, seconds_left = rest
                turn = Turn(
                    hunt,
                    partition,
                    Urgency(urgency),
                    due_ns,
                    expected,
                    calls_left=calls_left,
                    seconds_left=seconds_left,
                )
                found.append(Waiter(waiter_id, turn, since_ns))
        return found

    def _remove(self, waiter_id: int) -> None:
        with self._connection(durable=False) as connection:
            connection.execute("DELETE FROM waiting WHERE id = ?", (waiter_id,))

    def _read(self, query: str, parameters: Sequence[Any]) -> list[Any]:
        with self._connection() as connection:
            return connection.execute(query, parameters).fetchall()

    @contextmanager
    def _connection(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction; one that isn't ``durable`` a power cut may undo."""
        try:
            connection = sqlite3.connect(self._path, timeout=60)
            try:
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> LakeUnwritable:
        return LakeUnwritable(
            f"the quota ledger {self._path} can't be written: {error}. Nothing is called without "
            f"it; make room, see who may write there, or set HUNTLAKE_DATA to a folder of yours"
        )


def _is_dead(host: str, process: int) -> bool:
    """Whether a process of this machine is gone; of another machine's nobody here can say."""
    if host != socket.gethostname():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Whether it has ended and its parent has not asked how: only Linux tells."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]

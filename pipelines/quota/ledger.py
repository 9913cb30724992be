"""The durable record of every call to a tenant, and what it says about the next one.

What belongs here: writing calls down and computing the next start. What does not: waiting for it,
or keeping to one call in flight (``gate``).

One SQLite file serves every process on the machine. A call is written before it is sent, so a
process that dies in mid-call leaves a reservation, counted at the longest that the call can run.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota.limits import CallQuota, Limits, RunningQuota

# The service counts a call when it arrives, some way after we wrote down that it started. Two
# calls a window apart on our side must not arrive less than a window apart on the service's.
_ARRIVAL_GUARD_NS: Final = NANOSECONDS_PER_SECOND // 2

_DEFAULT_EXPECTED_SECONDS: Final = 5.0
_HISTORY_CALLS: Final = 20

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    hunt TEXT NOT NULL,
    started_ns INTEGER NOT NULL,
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
"""


@dataclass(frozen=True, slots=True)
class Start:
    """When the next call may start, and which quota says so (``None``: it may start now)."""

    at_ns: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Used:
    """How much of one quota is used at the moment: calls, or seconds of running time."""

    quota: CallQuota | RunningQuota
    used: float

    @property
    def left(self) -> str:
        """What is left of it, short: ``9 calls/min``, ``540 s/h``."""
        if isinstance(self.quota, CallQuota):
            return f"{max(0, self.quota.calls - self.used):,.0f} calls/{self.quota.unit}"
        return f"{max(0, self.quota.seconds - self.used):,.0f} s/{self.quota.unit}"


@dataclass(frozen=True, slots=True)
class _Spent:
    started_ns: int
    ended_ns: int
    running_seconds: float


class Ledger:
    """Calls, their running time and the service's refusals, for any number of tenants."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            # Write-ahead logging lets a reader look while a call is written down.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def reserve(self, tenant: str, hunt: str, *, started_ns: int, worst_seconds: float) -> int:
        """Write a call down before it is sent; returns its id."""
        with self._connection() as connection:
            cursor = connection.execute(
                "INSERT INTO calls (tenant, hunt, started_ns, worst_seconds) VALUES (?, ?, ?, ?)",
                (tenant, hunt, started_ns, worst_seconds),
            )
            call_id = cursor.lastrowid
        assert call_id is not None  # noqa: S101 - sqlite sets it on every INSERT
        return call_id

    def settle(self, call_id: int, *, ended_ns: int, running_seconds: float, outcome: str) -> None:
        """Replace a reservation by what the call really took. A second settling corrects it."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE calls SET ended_ns = ?, running_seconds = ?, outcome = ? WHERE id = ?",
                (ended_ns, running_seconds, outcome, call_id),
            )

    def correct(self, call_id: int, *, running_seconds: float) -> None:
        """The running time that the service itself reports for a settled call."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE calls SET running_seconds = ? WHERE id = ?", (running_seconds, call_id)
            )

    def block(self, tenant: str, *, until_ns: int, reason: str) -> None:
        """Remember that the service refuses calls until then; the later of two refusals wins."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE "
                "SET until_ns = excluded.until_ns, reason = excluded.reason "
                "WHERE excluded.until_ns > until_ns",
                (tenant, until_ns, reason),
            )

    def expected_seconds(self, tenant: str, hunt: str) -> float:
        """The longest of the hunt's last calls; before its first, a cautious guess."""
        with self._connection() as connection:
            longest = connection.execute(
                "SELECT max(running_seconds) FROM (SELECT running_seconds FROM calls "
                "WHERE tenant = ? AND hunt = ? AND outcome = 'answered' ORDER BY id DESC LIMIT ?)",
                (tenant, hunt, _HISTORY_CALLS),
            ).fetchone()[0]
        return _DEFAULT_EXPECTED_SECONDS if longest is None else float(longest)

    def next_start(
        self, tenant: str, limits: Limits, *, expected_seconds: float, now_ns: int
    ) -> Start:
        """The first instant at which a call of ``expected_seconds`` overruns no quota.

        To be asked only by who holds the tenant's one call: a reservation that isn't settled then
        belongs to a process that died.
        """
        spent, blocked = self._counting(tenant, limits, now_ns)
        return _next_start(spent, blocked, limits, expected_seconds, now_ns)

    def finish_ns(
        self, tenant: str, limits: Limits, *, expected_seconds: Sequence[float], now_ns: int
    ) -> int:
        """When calls of these running times would be done, one after another, if nobody else calls.

        Beside the running time a call is taken to need no time.
        """
        spent, blocked = self._counting(tenant, limits, now_ns)
        reach_ns = _reach_ns(limits)
        for seconds in expected_seconds:
            start_ns = _next_start(spent, blocked, limits, seconds, now_ns).at_ns
            now_ns = start_ns + round(seconds * NANOSECONDS_PER_SECOND)
            spent = [call for call in spent if call.ended_ns > now_ns - reach_ns]
            spent.append(_Spent(start_ns, now_ns, seconds))
        return now_ns

    def _counting(
        self, tenant: str, limits: Limits, now_ns: int
    ) -> tuple[list[_Spent], Start | None]:
        """The calls that may still count against a quota, and the service's own refusal."""
        with self._connection() as connection:
            spent = _spent(connection, tenant, since_ns=now_ns - _reach_ns(limits))
            blocked = connection.execute(
                "SELECT until_ns, reason FROM blocks WHERE tenant = ? AND until_ns > ?",
                (tenant, now_ns),
            ).fetchone()
        return spent, Start(*blocked) if blocked else None

    def used(self, tenant: str, limits: Limits, *, now_ns: int) -> list[Used]:
        """What is used of each quota, in the order of the profile."""
        with self._connection() as connection:
            spent = _spent(connection, tenant, since_ns=now_ns - _reach_ns(limits))
        found = [Used(quota, len(_counted(spent, quota, now_ns))) for quota in limits.calls]
        for quota in limits.running:
            running = sum(call.running_seconds for call in _running(spent, quota, now_ns))
            found.append(Used(quota, running))
        return found

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=60)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                yield connection
        finally:
            connection.close()


def _next_start(
    spent: list[_Spent],
    blocked: Start | None,
    limits: Limits,
    expected_seconds: float,
    now_ns: int,
) -> Start:
    starts = [Start(now_ns, None)]
    starts += [_start_by_calls(spent, quota, now_ns) for quota in limits.calls]
    starts += [
        _start_by_running(spent, quota, expected_seconds, now_ns) for quota in limits.running
    ]
    if blocked is not None:
        starts.append(blocked)
    return max(starts, key=lambda start: start.at_ns)


def _reach_ns(limits: Limits) -> int:
    """How long ago a call may have started and still count: it counts from when it ended."""
    windows = [quota.per_seconds for quota in limits.calls]
    windows += [quota.per_seconds for quota in limits.running]
    seconds = max(windows, default=0) + limits.request_seconds + 1
    return round(seconds * NANOSECONDS_PER_SECOND)


def _spent(connection: sqlite3.Connection, tenant: str, *, since_ns: int) -> list[_Spent]:
    rows = connection.execute(
        "SELECT started_ns, coalesce(ended_ns, started_ns + CAST(worst_seconds * 1e9 AS INTEGER)), "
        "coalesce(running_seconds, worst_seconds) "
        "FROM calls WHERE tenant = ? AND started_ns > ? ORDER BY started_ns",
        (tenant, since_ns),
    )
    return [_Spent(*row) for row in rows]


def _counted(spent: list[_Spent], quota: CallQuota, now_ns: int) -> list[int]:
    """The instants at which the calls that still count against the quota cease to, in order."""
    window_ns = quota.per_seconds * NANOSECONDS_PER_SECOND + _ARRIVAL_GUARD_NS
    return [free for call in spent if (free := call.started_ns + window_ns) > now_ns]


def _running(spent: list[_Spent], quota: RunningQuota, now_ns: int) -> list[_Spent]:
    """The calls whose running time still counts against the quota, the first to leave it first."""
    since_ns = now_ns - quota.per_seconds * NANOSECONDS_PER_SECOND
    counted = [call for call in spent if call.ended_ns > since_ns]
    return sorted(counted, key=lambda call: call.ended_ns)


def _start_by_calls(spent: list[_Spent], quota: CallQuota, now_ns: int) -> Start:
    counted = _counted(spent, quota, now_ns)
    if len(counted) < quota.calls:
        return Start(now_ns, None)
    return Start(counted[-quota.calls], f"{quota} are used")


def _start_by_running(
    spent: list[_Spent], quota: RunningQuota, expected_seconds: float, now_ns: int
) -> Start:
    window_ns = quota.per_seconds * NANOSECONDS_PER_SECOND
    room = quota.seconds - min(expected_seconds, quota.seconds)
    counted = _running(spent, quota, now_ns)
    used = sum(call.running_seconds for call in counted)
    if used <= room:
        return Start(now_ns, None)
    reason = f"{used:,.0f} of {quota} are used"
    for call in counted:
        used -= call.running_seconds
        # Floating point leaves a trace of what was added and taken away again.
        if used <= room + 1e-6:
            return Start(call.ended_ns + window_ns, reason)
    return Start(counted[-1].ended_ns + window_ns, reason)

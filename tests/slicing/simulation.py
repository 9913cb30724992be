"""A tenant and an engine in one process and one simulated time: days of quota in milliseconds.

What belongs here: putting the engine's real parts (client, gate, ledger, landing) before the
stand-in's real service, without a socket between them. What does not: what a test does with them.
"""

import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.api import SURFACES, HuntingClient
from pipelines.clock import SimulatedClock
from pipelines.export import Exporter
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt, SurfaceName
from pipelines.lake import LakeLayout
from pipelines.progress import Observer, unobserved
from pipelines.pull import Tenant
from pipelines.quota import CallQuota, Gate, Ledger, Limits, RunningQuota, SqliteStore
from pipelines.standin import (
    Call,
    Faults,
    InProcessTokens,
    InProcessTransport,
    RunningTimeModel,
    StandinLimits,
)
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.given import Rows
from pipelines.standin.service import Service
from pipelines.standin.signin import SignIn
from pipelines.windows import NANOSECONDS_PER_TICK, parse_instant

# The morning after the days that tests are about.
MORNING = parse_instant("2026-11-20T06:00:00")

_TENANT = "simulated"
_CLIENT = "00000000-0000-4000-8000-00000000d340"


@cache
def _events() -> SyntheticTenant:
    """One database for all simulations of a process: making its tables takes longer than a test."""
    return SyntheticTenant()


class Simulation:
    """A tenant with the events given, an engine's parts before it, and a clock that both share.

    ``events`` has the rows of each table (see ``Rows``); all other tables are empty. Simulations
    share one database, so a new one ends the use of those before it. The engine is told the very
    limits that the tenant enforces, unless it is told others.
    """

    def __init__(
        self,
        folder: Path,
        events: Mapping[str, Rows],
        *,
        limits: StandinLimits | None = None,
        running_time: RunningTimeModel | None = None,
        told: Limits | None = None,
        surface: SurfaceName = "graph",
        now: int = MORNING,
    ) -> None:
        enforced = limits or StandinLimits()
        self.clock = SimulatedClock(now * NANOSECONDS_PER_TICK)
        self.layout = LakeLayout(folder)
        self.events = _refilled(events)
        self._store = QuickStore(self.layout.ledger)
        sign_in = SignIn(_TENANT, _CLIENT, 3_600.0, self.clock)
        self.service = Service(
            tenant=self.events,
            sign_in=sign_in,
            limits=enforced,
            running_time=running_time or RunningTimeModel(passes=True),
            clock=self.clock,
        )
        self.tenant = self._connected(sign_in, surface, told or limits_of(enforced))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.tenant.client.__exit__(kind, error, trace)
        self._store.close()

    @property
    def calls(self) -> list[Call]:
        """Every call so far, as the service saw it."""
        return self.service.calls

    @property
    def faults(self) -> Faults:
        """Where faults are ordered."""
        return self.service.faults

    def exporter(self, hunt: Hunt, observer: Observer = unobserved) -> Exporter:
        """An exporter of the hunt into the simulation's folder."""
        return Exporter(self.at(hunt, observer))

    def at(self, hunt: Hunt, observer: Observer = unobserved) -> HuntInTenant:
        """The hunt in this tenant."""
        return HuntInTenant(hunt, self.tenant, self.layout, self.clock, observer)

    def before_call(self, act: Callable[[str], None]) -> None:
        """Let ``act`` see each query before the tenant answers it, and perhaps add events."""
        self.service.before_call = act

    def _connected(self, sign_in: SignIn, surface: SurfaceName, limits: Limits) -> Tenant:
        tokens = InProcessTokens(sign_in, surface)
        client = HuntingClient(
            SURFACES[surface],
            api_url="https://localhost",
            tokens=tokens,
            tls=_tls(),
            clock=self.clock,
            request_seconds=limits.request_seconds,
            transport=InProcessTransport(self.service),
        )
        gate = Gate(
            tenant=_TENANT,
            limits=limits,
            ledger=Ledger(self._store),
            locks=self.layout.locks,
            clock=self.clock,
        )
        return Tenant(_TENANT, SURFACES[surface], tokens, client, gate, limits)


class QuickStore(SqliteStore):
    """The real record on one connection that doesn't wait for the disk at each step.

    Else that would take most of a call's time; and what survives a power failure is not for a
    simulation to show.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Threads take turns by the lock.
        self._held = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.RLock()
        self._held.execute("PRAGMA synchronous = OFF")
        super().__init__(path)

    @contextmanager
    def _connection(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        del durable
        with self._lock, self._held:
            yield self._held

    def close(self) -> None:
        """Let go of the file."""
        self._held.close()


def limits_of(enforced: StandinLimits) -> Limits:
    """What the engine is to know of the limits that the stand-in enforces."""
    return Limits(
        rows=enforced.rows,
        response_bytes=enforced.response_bytes,
        request_seconds=enforced.request_seconds,
        data_age_days=enforced.data_age_days,
        calls=tuple(CallQuota(amount, int(seconds)) for amount, seconds in enforced.calls),
        running=tuple(RunningQuota(amount, int(seconds)) for amount, seconds in enforced.running),
    )


@cache
def _tls() -> ssl.SSLContext:
    """Asked for and never used: reading the machine's certificates anew would take longest."""
    return ssl.create_default_context()


_filled: set[str] = set()


def _refilled(events: Mapping[str, Rows]) -> SyntheticTenant:
    tenant = _events()
    for table in _filled:
        tenant.clear(table)
    _filled.clear()
    for table, rows in events.items():
        tenant.insert(table, rows)
        _filled.add(table)
    return tenant

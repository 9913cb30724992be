"""A local tenant that speaks the service's protocol, for the demo and the tests.

Real msal and real httpx use it unchanged, over HTTPS, and it really runs the KQL that it is sent.
Nothing of the engine imports it.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock, now_ticks
from pipelines.errors import HuntlakeError
from pipelines.hunts import SurfaceName
from pipelines.kql import tables
from pipelines.standin import given, store, synthetic, vocabulary
from pipelines.standin.authority import Authority, make_client_certificate
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.faults import Fault, Faults
from pipelines.standin.inprocess import InProcessTokens, InProcessTransport
from pipelines.standin.limits import RunningTimeModel, StandinLimits
from pipelines.standin.server import StandinServer
from pipelines.standin.service import Call, Service
from pipelines.standin.signin import SignIn
from pipelines.standin.synthetic import SyntheticSettings, build
from pipelines.windows import TICKS_PER_SECOND, Window

__all__ = [
    "Call",
    "Fault",
    "Faults",
    "InProcessTokens",
    "InProcessTransport",
    "RunningTimeModel",
    "Standin",
    "StandinLimits",
    "SyntheticSettings",
]

_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
# Older events begin to fall off the horizon of what a demo exports.
_REUSE_DAYS: Final = 20
_CLIENT_ID: Final = "00000000-0000-4000-8000-00000000d340"
_DATABASE: Final = "events.duckdb"
_MADE_FROM: Final = "events.json"


class Standin:
    """The stand-in, running while it is entered; it listens on loopback alone.

    ``data`` is what its events are made from; without it the folder's events serve on while they
    are young enough, so that what was exported of them yesterday is still true today.
    """

    def __init__(  # noqa: PLR0913 - knobs, each by name and with a default
        self,
        directory: Path,
        *,
        data: SyntheticSettings | None = None,
        limits: StandinLimits | None = None,
        running_time: RunningTimeModel | None = None,
        clock: Clock | None = None,
        port: int = 0,
        tenant_id: str = "demo",
        token_seconds: float = 3_600.0,
        call_log: Path | None = None,
    ) -> None:
        self._directory = directory
        self._clock = clock or SystemClock()
        self._authority = Authority(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.data = data or _settings_of(directory, self._clock)
        _build_once(directory, self.data)
        self.tenant = _open(directory / _DATABASE)
        self.sign_in = SignIn(tenant_id, _CLIENT_ID, token_seconds, self._clock)
        self._service = Service(
            tenant=self.tenant,
            sign_in=self.sign_in,
            limits=limits or StandinLimits(),
            running_time=running_time or RunningTimeModel(),
            clock=self._clock,
            call_log=call_log,
        )
        self._server = self._listen(port)
        self.sign_in.own_url = self.url
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.tenant.close()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return self._server.url

    @property
    def ca_bundle(self) -> Path:
        """The certificate of its authority (PEM)."""
        return self._authority.bundle

    @property
    def calls(self) -> list[Call]:
        """Every hunting call so far, in the order in which they were answered."""
        return self._service.calls

    @property
    def faults(self) -> Faults:
        """Where faults are ordered."""
        return self._service.faults

    def environment(self, surface: SurfaceName = "graph") -> Mapping[str, str]:
        """The settings with which huntlake uses this stand-in."""
        return {
            "AZURE_TENANT_ID": self.sign_in.tenant_id,
            "AZURE_CLIENT_ID": self.sign_in.client_id,
            "AZURE_CLIENT_SECRET": self.sign_in.client_secret,
            "AZURE_AUTHORITY_HOST": self.url,
            "HUNTLAKE_API_URL": self.url,
            "HUNTLAKE_CA_BUNDLE": str(self.ca_bundle),
            "HUNTLAKE_SURFACE": surface,
            # Where a file names tenants, these are the ones that are not meant.
            "HUNTLAKE_TENANTS": "none",
        }

    def client_certificate(self) -> Path:
        """A new key and certificate (PEM) that the application may sign in with."""
        path = self._directory / "client.pem"
        self.sign_in.certificates.append(make_client_certificate(path, _today()))
        return path

    def expire_tokens(self) -> None:
        """Make every token that was issued worthless."""
        self.sign_in.expire_all()

    def revoke_permission(self) -> None:
        """Answer every call from now on that the application lacks a permission."""
        self._service.permitted = False

    def add_late(self, share: float, *, seed: int | None = None) -> int:
        """Let events of the past days arrive only now; how many they are.

        ``share`` is of the minutes of those days, for each table; the events stay in the folder.
        """
        window = Window(self.data.end - self.data.days * _DAY_TICKS, self.data.end)
        chosen = self._clock.now_ns() if seed is None else seed
        return sum(
            self.tenant.add_late_in_bins(
                table, window, bin_ticks=60 * TICKS_PER_SECOND, share=share, seed=chosen
            )
            for table in store.EVENT_TABLES
        )

    def wait(self) -> None:
        """Return at Ctrl-C."""
        try:
            self._thread.join()
        except KeyboardInterrupt:
            return

    def _listen(self, port: int) -> StandinServer:
        context = self._authority.server_context(_today())
        try:
            return StandinServer(
                port,
                context,
                service=self._service,
                sign_in=self.sign_in,
                clock=self._clock,
            )
        except OSError as error:
            self.tenant.close()
            raise HuntlakeError(
                f"the stand-in can't listen on port {port}: {error.strerror}; give it another "
                f"with --port, or 0 for any that is free"
            ) from error


def _today() -> datetime:
    """The machine's time, whatever the stand-in's own clock says: TLS goes by it on both ends."""
    return datetime.fromtimestamp(SystemClock().now_ns() // NANOSECONDS_PER_SECOND, UTC)


def _open(database: Path) -> SyntheticTenant:
    try:
        return SyntheticTenant(database)
    except duckdb.IOException as error:
        raise HuntlakeError(
            f"{database} can't be opened; most likely another stand-in serves from that folder: "
            f"stop it, or give this one another with --directory"
        ) from error


def _settings_of(directory: Path, clock: Clock) -> SyntheticSettings:
    """What the folder's events were made from; while they are too old or none, the default."""
    today = now_ticks(clock) // _DAY_TICKS * _DAY_TICKS
    try:
        made_from = SyntheticSettings(
            **json.loads((directory / _MADE_FROM).read_text())["settings"]
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return SyntheticSettings(end=today)
    young = today - _REUSE_DAYS * _DAY_TICKS <= made_from.end <= today
    return made_from if young else SyntheticSettings(end=today)


def _build_once(directory: Path, data: SyntheticSettings) -> None:
    made_from = directory / _MADE_FROM
    text = json.dumps({"settings": asdict(data), "recipe": _recipe()})
    if made_from.exists() and made_from.read_text() == text and (directory / _DATABASE).exists():
        return
    made_from.unlink(missing_ok=True)
    build(directory / _DATABASE, data)
    made_from.write_text(text)


def _recipe() -> str:
    """Changes with the code that makes the events, so that an upgrade never serves older ones."""
    sources = (module.__file__ for module in (tables, store, given, synthetic, vocabulary))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(Path(source or "").read_bytes())
    return digest.hexdigest()

"""``huntlake check``: is everything in place for an export, and if not, what to do.

What belongs here: one function a line of the report. What does not: printing it (``cli``).
"""

import tempfile
from collections.abc import Callable, Iterator

from pipelines.api import caller
from pipelines.check_identity import about_identity, how_to_grant
from pipelines.clock import Clock
from pipelines.engine import Engine
from pipelines.errors import Forbidden, HuntlakeError
from pipelines.finding import Finding
from pipelines.hunt_files import load_hunts
from pipelines.hunts import Hunt
from pipelines.quota import Turn, Wait
from pipelines.settings import Settings, load_paths, load_settings

# Costs one call and next to no running time; reads no table, so it needs no licence.
_PROBE = Hunt(name="check", query="print Reachable = 1")


def check(clock: Clock) -> Iterator[Finding]:
    """Look at hunts, settings, the data folder, identity, sign-in and service, in this order.

    Later lines need the settings and the folder; where those are wrong, the report ends.
    """
    yield from _hunts()
    try:
        settings = load_settings()
    except HuntlakeError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"tenant {settings.tenant_id}, surface {settings.surface}")
    data = _data_folder(settings)
    yield data
    if not data.passed:
        return
    # What is wrong with it shows here with more than the service would say, so both are shown.
    yield from about_identity(settings, clock)
    with Engine(settings, clock) as engine:
        yield _passes(settings, "sign-in", lambda: _sign_in(engine))
        yield _passes(settings, "service", lambda: _service(engine))


def _hunts() -> Iterator[Finding]:
    paths = load_paths()
    catalogue = load_hunts(paths.hunts)
    for error in catalogue.errors:
        yield Finding("hunts", False, str(error))
    count = len(catalogue.hunts)
    yield Finding("hunts", count > 0, f"{count} hunts in {paths.hunts} can be exported")


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("data", True, f"{folder} can be written")
    except OSError as error:
        remedy = "set HUNTLAKE_DATA to a folder of yours"
        return Finding("data", False, f"{folder} can't be written: {error.strerror}; {remedy}")


def _passes(settings: Settings, subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except Forbidden as error:
        return Finding(subject, False, f"{error}. {how_to_grant(settings)}")
    except HuntlakeError as error:
        return Finding(subject, False, str(error))


def _sign_in(engine: Engine) -> str:
    tenant = engine.tenant_for(_PROBE)
    tenant.tokens.token()
    return f"a token for {tenant.surface.name} was had as {caller(engine.settings)}"


def _watch_nothing(wait: Wait) -> None:
    del wait


def _service(engine: Engine) -> str:
    tenant = engine.tenant_for(_PROBE)
    with tenant.gate.call(Turn(_PROBE.name), _watch_nothing):
        answer = tenant.client.run(_PROBE.query)
    return f"{tenant.surface.name} answered a query in {answer.wire_seconds:.1f} s"

"""``huntlake check``: is everything in place for an export, and if not, what to do.

What belongs here: one function a line of the report. What does not: printing it (``cli``).
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from pipelines.api import caller
from pipelines.check_identity import about_identity, how_to_grant
from pipelines.clock import Clock
from pipelines.engine import Engine
from pipelines.errors import Forbidden, HuntlakeError
from pipelines.finding import Finding
from pipelines.hunt_files import Catalogue, load_hunts
from pipelines.hunts import Hunt
from pipelines.quota import Turn, Wait
from pipelines.settings import Settings, load_paths
from pipelines.tenants import ConfiguredTenant, Tenants, load_tenants

# Costs one call and next to no running time; reads no table, so it needs no licence.
_PROBE = Hunt(name="check", query="print Reachable = 1")


def check(clock: Clock, tenant: str | None = None) -> Iterator[Finding]:
    """Look at hunts and the data folder; then at each tenant, or at the one named.

    Of a tenant: which hunts are its own, its settings, surface, identity, sign-in and service, each
    where those before let it. Raises ``TenantsFileError`` and ``TenantNotFound``.
    """
    tenants = load_tenants()
    asked = tenants.tenants.values() if tenant is None else [tenants.tenant(tenant)]
    paths = load_paths()
    catalogue = load_hunts(paths.hunts)
    yield from _hunts(tenants, catalogue, paths.hunts)
    data = _data_folder(paths.data)
    yield data
    if tenant is None:
        for name, error in tenants.failed.items():
            yield Finding("tenant", False, str(error), tenant=name)
    if data.passed:
        for each in asked:
            of = None if tenants.file is None else each.name
            for found in chain(_own_hunts(each, catalogue), _tenant(each, catalogue, clock)):
                yield replace(found, tenant=of)


def _hunts(tenants: Tenants, catalogue: Catalogue, folder: Path) -> Iterator[Finding]:
    for error in (*catalogue.errors, *(each.error for each in tenants.misdirected(catalogue))):
        yield Finding("hunts", False, str(error))
    count = len(catalogue.hunts)
    yield Finding("hunts", count > 0, f"{count} hunts in {folder} can be exported")


def _own_hunts(tenant: ConfiguredTenant, catalogue: Catalogue) -> Iterator[Finding]:
    """What a tenant chooses that there is not, or that it has less than all."""
    theirs = tenant.hunts(catalogue)
    for name, error in theirs.failed.items():
        if name not in catalogue.failed:
            yield Finding("hunts", False, str(error))
    if len(theirs.hunts) < len(catalogue.hunts):
        yield Finding("hunts", bool(theirs.hunts), f"{len(theirs.hunts)} of them are its own")


def _tenant(tenant: ConfiguredTenant, catalogue: Catalogue, clock: Clock) -> Iterator[Finding]:
    try:
        settings = tenant.settings()
    except HuntlakeError as error:
        yield Finding("settings", False, str(error))
        return
    called = "" if settings.tenant == settings.tenant_id else f" ({settings.tenant_id})"
    words = f"tenant {settings.tenant}{called}, surface {settings.surface}"
    yield Finding("settings", True, words)
    # What is wrong with it shows here with more than the service would say, so both are shown.
    yield from about_identity(settings, clock)
    with Engine(settings, clock) as engine:
        yield from _surfaces(engine, tenant.hunts(catalogue), clock)
        ends = engine.retiring(_PROBE)
        if ends is None or not ends.is_over(clock.now_ns()):
            yield _passes(settings, "sign-in", lambda: _sign_in(engine))
            yield _passes(settings, "service", lambda: _service(engine))


def _surfaces(engine: Engine, theirs: Catalogue, clock: Clock) -> Iterator[Finding]:
    """What is to be changed since a surface ends: the tenant's own, and those that hunts choose."""
    ending = {engine.retiring(hunt): None for hunt in (_PROBE, *theirs.hunts.values())}
    for ends in ending:
        if ends is not None:
            is_over = ends.is_over(clock.now_ns())
            yield Finding("surface", not is_over, ends.warning, warns=not is_over)


def _data_folder(folder: Path) -> Finding:
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

"""What ``huntlake check`` says about what signs in, before anything is sent.

What belongs here: one function for each kind. What does not: trying it (``check``).
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes

from pipelines.api import (
    SURFACES,
    caller,
    certificate,
    federated_claims,
    kept_login,
    managed_endpoint,
)
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.errors import HuntlakeError
from pipelines.finding import Finding
from pipelines.identity import (
    Certificate,
    ClientSecret,
    DeviceCode,
    ManagedIdentity,
    WorkloadIdentity,
)
from pipelines.settings import Settings

_WARN_BEFORE: Final = timedelta(days=30)
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SUBJECT: Final = "identity"


def about_identity(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """What there is to say about it: at least one line."""
    now = datetime.fromtimestamp(clock.now_ns() / NANOSECONDS_PER_SECOND, UTC)
    try:
        for each in _about(settings, now):
            yield replace(each, text=settings.names.said(each.text))
    except HuntlakeError as error:
        yield _fails(settings.names.said(str(error)))


def how_to_grant(settings: Settings) -> str:
    """How the permission that is missing is granted to who signs in."""
    surface = SURFACES[settings.surface].called_by(settings.identity)
    if isinstance(settings.identity, ManagedIdentity):
        return (
            f"The portal can't grant {surface.application_permission} to a managed identity: "
            f"docs/sign-in.md has the commands"
        )
    if isinstance(settings.identity, DeviceCode):
        return (
            f"Add {surface.permission} to application {settings.client_id} under API permissions, "
            f"grant consent, and give the user a role that may hunt (Security Reader, for one)"
        )
    return (
        f"Add {surface.permission} to application {settings.client_id} under API permissions, and "
        f"grant admin consent"
    )


def _about(settings: Settings, now: datetime) -> Iterator[Finding]:
    match settings.identity:
        case ClientSecret() as secret:
            yield _about_secret(settings, secret)
        case Certificate() as chosen:
            yield from _about_certificate(chosen, now)
        case ManagedIdentity():
            yield _passes(f"{caller(settings)}, from {managed_endpoint()}")
        case WorkloadIdentity() as chosen:
            yield _about_federated(chosen, now)
        case DeviceCode() as chosen:
            yield from _about_person(settings, chosen)


def _about_secret(settings: Settings, identity: ClientSecret) -> Finding:
    # A secret's value is never a GUID; its id, which stands beside it in the portal, is.
    if _GUID.fullmatch(identity.secret):
        return _fails(
            "AZURE_CLIENT_SECRET looks like the secret's id: its value is the longer text beside "
            "it, shown only when the secret is made"
        )
    return _passes(f"a client secret of {caller(settings)}; the service alone knows until when")


def _about_certificate(identity: Certificate, now: datetime) -> Iterator[Finding]:
    found = certificate(identity)
    first, last = found.not_valid_before_utc, found.not_valid_after_utc
    thumbprint = found.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - the portal shows it
    text = f"certificate {thumbprint} in {identity.path}"
    renew = "make a new one, upload it, and set AZURE_CLIENT_CERTIFICATE_PATH"
    if now < first:
        yield _fails(f"{text} is not valid before {_day(first)}: use the one before until then")
    elif now >= last:
        yield _fails(f"{text} expired on {_day(last)}: {renew}")
    elif now >= last - _WARN_BEFORE:
        yield _warns(f"{text} expires on {_day(last)}: {renew} before (docs/sign-in.md says how)")
    else:
        yield _passes(f"{text}, good until {_day(last)}")
    yield from _open_to_others(identity.path)


def _about_federated(identity: WorkloadIdentity, now: datetime) -> Finding:
    claims = federated_claims(identity)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    text = (
        f"{identity.token_file} has a token of issuer {claims.get('iss')} for subject "
        f"{claims.get('sub')} and audience {', '.join(map(str, audiences))}; a federated "
        f"credential of the application must have these three"
    )
    expires = claims.get("exp")
    if isinstance(expires, int) and expires <= now.timestamp():
        return _fails(
            f"{text}. It expired at {_instant(expires)}: the platform no longer renews it"
        )
    return _passes(text)


def _about_person(settings: Settings, identity: DeviceCode) -> Iterator[Finding]:
    login = kept_login(settings, identity)
    if login is None:
        yield _fails(
            f"nobody is logged in to tenant {settings.tenant_id}: run `huntlake login`, as the "
            f"user that huntlake runs as"
        )
        return
    yield _passes(f"{login.username} is logged in; their tokens are kept in {identity.logins}")
    yield _warns(
        f"{login.username} sees only the device groups that they may see, so that an export may "
        f"lack rows without anybody noticing: let an application sign in for exports that count"
    )


def _open_to_others(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield _warns(f"others may read the key in {path}: run `chmod 600 {path}`")


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _passes(text: str) -> Finding:
    return Finding(_SUBJECT, True, text)


def _warns(text: str) -> Finding:
    return Finding(_SUBJECT, True, text, warns=True)


def _fails(text: str) -> Finding:
    return Finding(_SUBJECT, False, text)

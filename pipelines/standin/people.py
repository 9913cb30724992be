"""The stand-in's people: codes that they enter, and tokens that renew what they got.

What belongs here: device codes (RFC 8628) and refresh tokens. What does not: access tokens
(``signin``), or HTTP (``server``). Nobody has a password here: to open the page with a code is to
sign in, and a test may also approve or decline by itself.

A refresh token renews once, which is stricter than Microsoft: two processes that use the same one
would not be noticed otherwise.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.standin.refused import SignInRefused

_INTERVAL_SECONDS: Final = 5
# Without those that look alike.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_ANYBODY: Final = "demo@standin.example"


@dataclass(slots=True)
class _Code:
    user_code: str
    scope: str
    until_ns: int
    # Of who has approved it; empty where they declined.
    username: str | None = None


@dataclass(slots=True)
class People:
    """Who is about to sign in, and who has."""

    clock: Clock
    code_seconds: int = 900
    _codes: dict[str, _Code] = field(default_factory=dict)
    # Who is behind each refresh token that is still good.
    renewals: dict[str, str] = field(default_factory=dict)

    def invite(self, page: str, scope: str) -> Mapping[str, Any]:
        """A code to enter on the page, as the device authorization endpoint answers."""
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device_code = secrets.token_urlsafe(32)
        until_ns = self.clock.now_ns() + self.code_seconds * NANOSECONDS_PER_SECOND
        self._codes[device_code] = _Code(user_code, scope, until_ns)
        return {
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": self.code_seconds,
            "interval": _INTERVAL_SECONDS,
            "message": f"To sign in, use a web browser to open the page {page}?code={user_code} "
            f"(or {page}, and enter the code {user_code}) to authenticate.",
        }

    def approve(self, user_code: str | None = None, username: str = _ANYBODY) -> bool:
        """Sign somebody in with a code, or with every one; whether there was any."""
        waiting = [c for c in list(self._codes.values()) if user_code in (None, c.user_code)]
        for code in waiting:
            code.username = username
        return bool(waiting)

    def decline(self) -> None:
        """Decline every code."""
        self.approve(username="")

    def revoke(self) -> None:
        """Make every refresh token worthless, as a changed password does."""
        self.renewals.clear()

    def behind(self, form: Mapping[str, str]) -> tuple[str, str]:
        """Who stands behind a device code or a refresh token, and for which scope.

        Raises ``SignInRefused``.
        """
        if "refresh_token" in form:
            return self._renewed(form["refresh_token"]), form.get("scope", "")
        code = self._codes.get(form.get("device_code", ""))
        if code is None:
            raise SignInRefused("bad_verification_code", 70018, "Bad verification code.")
        if code.until_ns <= self.clock.now_ns():
            raise SignInRefused(
                "expired_token",
                70020,
                "The provided value for the input parameter 'device_code' is not valid. This "
                "device code has expired.",
            )
        if code.username is None:
            raise SignInRefused(
                "authorization_pending",
                70016,
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
            )
        if not code.username:
            raise SignInRefused("authorization_declined", 65004, "User declined to consent.")
        del self._codes[form["device_code"]]
        return code.username, code.scope

    def identity(self, username: str, client_id: str, tenant_id: str) -> Mapping[str, Any]:
        """What an answer says of a person, and what renews it."""
        renewal = secrets.token_urlsafe(32)
        self.renewals[renewal] = username
        person = str(uuid.uuid5(uuid.NAMESPACE_URL, username))
        claims = {
            "aud": client_id,
            "tid": tenant_id,
            "oid": person,
            "sub": person,
            "preferred_username": username,
        }
        return {
            "refresh_token": renewal,
            # msal reads what it says and checks no signature, having had it over TLS.
            "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}.",
            "client_info": _part({"uid": person, "utid": tenant_id}),
        }

    def _renewed(self, refresh_token: str) -> str:
        username = self.renewals.pop(refresh_token, None)
        if username is None:
            raise SignInRefused(
                "invalid_grant",
                50173,
                "The provided grant has expired due to it being revoked, a fresh auth token is "
                "needed.",
            )
        return username


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

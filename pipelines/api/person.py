"""Signing in as a person, who enters a code in a browser on whichever machine they like.

What belongs here: logging in, and tokens from what a login left. What does not: the file that it
leaves (``logins``). Nothing here prints, stores elsewhere or raises a token.

Nobody waits for a person at night: tokens come from the login that is there, or an error says that
there is none.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msal

from pipelines.api.authority import at_authority, http_to_authority
from pipelines.api.logins import Login, LoginFile
from pipelines.api.msal_http import HttpForMsal
from pipelines.api.signin_failures import MSAL_RAISES, not_had, presentable, refused, token_of
from pipelines.api.surfaces import Surface
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.errors import SettingsError, SignInError, SignInUnavailable
from pipelines.identity import DeviceCode, kind_of
from pipelines.settings import Settings

# What RFC 8628 names for an answer that doesn't say.
_USUAL_INTERVAL_SECONDS: Final = 5
_PENDING: Final = ("authorization_pending", "slow_down")


class PersonTokens:
    """A person's tokens, renewed by what their login left, in one process at a time."""

    def __init__(self, settings: Settings, identity: DeviceCode, scope: str) -> None:
        self._settings = settings
        self._scope = scope
        self._file = LoginFile(settings, identity)
        self._http = http_to_authority(settings)
        self._cache = msal.SerializableTokenCache()
        self._application: msal.PublicClientApplication | None = None
        self._refused = False

    def token(self) -> str:
        """See ``TokenSource``."""
        # What another process renewed is read first, and it waits for what this one renews: the
        # service may take a token that renews for stolen where two use it.
        with self._file.locked():
            login = self._file.read()
            if login is None:
                raise SignInError(
                    f"nobody is logged in to tenant {self._settings.tenant_id}: run `huntlake "
                    f"login`, as the user that huntlake runs as"
                )
            self._cache.deserialize(login.tokens)
            answer = self._silently()
            if self._cache.has_state_changed:
                self._file.write(replace(login, tokens=self._cache.serialize()))
        if answer is None:
            raise SignInError(
                f"the login of {login.username} can't be renewed any more: run `huntlake login` "
                f"again"
            )
        token = token_of(self._settings, answer)
        self._refused = False
        return token

    def discard(self) -> None:
        """See ``TokenSource``."""
        self._refused = True

    def close(self) -> None:
        """See ``TokenSource``."""
        self._http.close()

    def _silently(self) -> dict[str, Any] | None:
        try:
            if self._application is None:
                self._application = _application(self._settings, self._http, self._cache)
            account = next(iter(self._application.get_accounts()), None)
            if account is None:
                return None
            answer: dict[str, Any] | None = self._application.acquire_token_silent_with_error(
                [self._scope], account, force_refresh=self._refused
            )
        except MSAL_RAISES as error:
            raise not_had(self._settings, error) from error
        return answer


def log_in(settings: Settings, surface: Surface, clock: Clock, show: Callable[[str], None]) -> str:
    """Have a person sign in, keep their tokens, and return who it is.

    ``show`` is told where to enter which code. Raises ``SignInError`` when they decline, or don't
    come before the code expires, and ``SettingsError`` where the settings mean an application.
    """
    identity = _person_of(settings)
    scope = surface.called_by(identity).scope(settings.api_url)
    file = LoginFile(settings, identity)
    with file.locked():
        # Before anybody is sent to a browser: a folder that can't be used is told of by now.
        pass
    cache = msal.SerializableTokenCache()
    http = http_to_authority(settings)
    try:
        application = _application(settings, http, cache)
        answer = _by_code(settings, application, scope, clock, show)
        token_of(settings, answer)
        account = next(iter(application.get_accounts()), None)
    except MSAL_RAISES as error:
        raise not_had(settings, error) from error
    finally:
        http.close()
    if account is None:
        raise SignInError(
            f"the sign-in service didn't say who signed in, so that the login can't be renewed: "
            f"check {settings.names.authority_host}"
        )
    username = str(account.get("username") or "somebody")
    with file.locked():
        file.write(Login(username, cache.serialize()))
    return username


def forget_login(settings: Settings) -> bool:
    """Remove what the login left; whether there was one. Raises ``SettingsError``."""
    file = LoginFile(settings, _person_of(settings))
    with file.locked():
        return file.forget()


def kept_login(settings: Settings, identity: DeviceCode) -> Login | None:
    """The login that is there, if any. Raises as ``LoginFile`` does."""
    return LoginFile(settings, identity).read()


def _person_of(settings: Settings) -> DeviceCode:
    if isinstance(settings.identity, DeviceCode):
        return settings.identity
    raise SettingsError(
        f"the settings sign in by {kind_of(settings.identity)}, which needs no login: set "
        f"{settings.names.sign_in} to device-code to sign in as a person"
    )


def _application(
    settings: Settings, http: HttpForMsal, cache: msal.SerializableTokenCache
) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        settings.client_id, token_cache=cache, http_client=http, **at_authority(settings)
    )


def _by_code(
    settings: Settings,
    application: msal.PublicClientApplication,
    scope: str,
    clock: Clock,
    show: Callable[[str], None],
) -> dict[str, Any]:
    flow = application.initiate_device_flow(scopes=[scope])
    if "user_code" not in flow or "device_code" not in flow:
        raise refused(settings, flow)
    show(presentable(str(flow.get("message") or _invitation(flow))))
    until_ns = clock.now_ns() + flow["expires_in"] * NANOSECONDS_PER_SECOND
    while True:
        # Without a pause msal would ask again and again, without a chance to leave.
        flow["interval"] = max(flow["interval"], 1)
        clock.sleep(flow["interval"])
        answer = _ask_once(settings, application, flow)
        if answer.get("error") not in _PENDING:
            return answer
        if clock.now_ns() >= until_ns:
            return {"error": "expired_token"}


def _ask_once(
    settings: Settings, application: msal.PublicClientApplication, flow: dict[str, Any]
) -> dict[str, Any]:
    # msal measures the pause by a clock of its own, and waits by it too unless told to leave.
    flow.pop("latest_attempt_at", None)
    try:
        answer: dict[str, Any] = application.acquire_token_by_device_flow(
            flow, exit_condition=lambda _: True
        )
    except MSAL_RAISES as error:
        failed = not_had(settings, error)
        if not isinstance(failed, SignInUnavailable):
            raise failed from error
        # The code stays good while the network is gone for a moment.
        return {"error": "authorization_pending"}
    return answer


def _invitation(flow: dict[str, Any]) -> str:
    return f"To sign in, open {flow.get('verification_uri')} and enter the code {flow['user_code']}"

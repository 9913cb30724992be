"""Tokens, from msal.

What belongs here: signing in as an application, and telling why it failed. What does not: what a
token is used for (``client``). Nothing here prints, stores or raises a token or a secret.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import httpx
import msal
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from pipelines.api.connection import open_connection
from pipelines.api.credential import credential
from pipelines.api.surfaces import Surface
from pipelines.api.tls import tls_context
from pipelines.errors import SignInError, SignInUnavailable
from pipelines.settings import Settings

_SIGN_IN_SECONDS: Final = 30.0
_CODE: Final = re.compile(r"AADSTS(\d+)")
_TOKEN: Final = re.compile(r"[!-~]+")
# ValueError is msal's for a tenant that isn't there; LookupError and TypeError are what it runs
# into where an answer lacks a key, or has another kind of value for it.
_MSAL_RAISES: Final = (
    httpx.HTTPError,
    msal.exceptions.MsalError,
    ValueError,
    LookupError,
    TypeError,
)

_REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "7000215": "AZURE_CLIENT_SECRET is wrong: copy the secret's value, not its id",
        "7000222": "the client secret has expired: make a new one and set AZURE_CLIENT_SECRET",
        "700016": "AZURE_CLIENT_ID is no application of that tenant: check both, or grant consent",
        "90002": "AZURE_TENANT_ID is no tenant of this cloud: check it and AZURE_AUTHORITY_HOST",
        "700027": "the certificate isn't registered with the application: upload it there",
        "53003": "a conditional access policy blocks the application: exempt it",
    }
)
# "A transient error has occurred": the documentation says to try again.
_PASSING_CODES: Final = frozenset({"90033"})
# Those of OAuth's own errors (RFC 6749) that pass.
_PASSING_ERRORS: Final = frozenset({"temporarily_unavailable", "server_error"})


class TokenSource(Protocol):
    """Where a client has its tokens from."""

    def token(self) -> str:
        """A token that is good for a while. Raises ``SignInError``."""
        ...

    def discard(self) -> None:
        """Forget the token that was refused, so that the next one is fresh."""
        ...

    def close(self) -> None:
        """Close the connection to the sign-in service."""
        ...


def token_source(settings: Settings, surface: Surface) -> TokenSource:
    """Signs in as the application of the settings, for the surface's audience."""
    return _ApplicationTokens(settings, surface.scope(settings.api_url))


class _ApplicationTokens:
    """An application's tokens. msal keeps them in memory and renews them before they expire."""

    def __init__(self, settings: Settings, scope: str) -> None:
        self._settings = settings
        self._scope = scope
        self._http = _HttpForMsal(tls_context(settings))
        self._application: msal.ConfidentialClientApplication | None = None

    def token(self) -> str:
        try:
            answer = self._signed_in().acquire_token_for_client(scopes=[self._scope])
        except _MSAL_RAISES as error:
            raise self._not_had(error) from error
        token = answer.get("access_token")
        # A token that is no token must not get as far as the error that an HTTP library, which
        # can't send it, would write about it.
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise self._refused(answer)
        return token

    def discard(self) -> None:
        # msal's own way to forget asks Microsoft's hosts for their aliases first, and may fail. A
        # new application signs in anew, with the certificate as it is by then.
        self._application = None

    def close(self) -> None:
        self._http.close()

    def _signed_in(self) -> msal.ConfidentialClientApplication:
        if self._application is None:
            host = self._settings.authority_host
            self._application = msal.ConfidentialClientApplication(
                self._settings.client_id,
                client_credential=credential(self._settings.identity),
                authority=f"https://{host}/{self._settings.tenant_id}",
                # Discovery asks Microsoft whether the host is one of its own, and sends it the
                # tenant: right for its hosts, impossible for a private one.
                instance_discovery=host in WELL_KNOWN_AUTHORITY_HOSTS,
                http_client=self._http,
            )
        return self._application

    def _refused(self, answer: Mapping[str, Any]) -> SignInError:
        description = str(answer.get("error_description") or answer.get("error") or "no reason")
        found = _CODE.search(description)
        code = found.group(1) if found else None
        remedy = _REMEDIES.get(code or "", "look the code up, or ask who runs the tenant")
        correlation_id = answer.get("correlation_id")
        passes = code in _PASSING_CODES or str(answer.get("error")) in _PASSING_ERRORS
        kind = SignInUnavailable if passes else SignInError
        return kind(
            f"sign-in to tenant {self._settings.tenant_id} as {self._settings.client_id} was "
            f"refused: {remedy}. The service says: {description.splitlines()[0]} "
            f"(correlation id {correlation_id})",
            code=f"AADSTS{code}" if code else str(answer.get("error")),
            request_id=str(correlation_id) if correlation_id else None,
        )

    def _not_had(self, error: Exception) -> SignInError:
        # msal's own words for a refused tenant are long; the service's are behind them.
        found = _CODE.search(f"{error} {error.__context__}")
        code = found.group(1) if found else None
        remedy = _REMEDIES.get(
            code or "",
            "check AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, HTTPS_PROXY and HUNTLAKE_CA_BUNDLE",
        )
        # What msal raises, in place of what it returns, is a 5xx.
        passes = isinstance(error, (httpx.HTTPError, msal.exceptions.MsalServiceError))
        passes = passes and code is None
        kind = SignInUnavailable if passes or code in _PASSING_CODES else SignInError
        return kind(
            f"sign-in at https://{self._settings.authority_host}/{self._settings.tenant_id} did "
            f"not work: {remedy} ({type(error).__name__}: {error})",
            code=f"AADSTS{code}" if code else None,
        )


class _HttpForMsal:
    """What msal needs of an HTTP client, over httpx and our own TLS context.

    msal's default is requests, for which REQUESTS_CA_BUNDLE in the environment silently wins over
    the authorities that it was told to trust.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._client = open_connection(context, httpx.Timeout(_SIGN_IN_SECONDS))

    def get(self, url: str, **arguments: Any) -> httpx.Response:
        return self._send(self._client.get, url, arguments)

    def post(self, url: str, **arguments: Any) -> httpx.Response:
        return self._send(self._client.post, url, arguments)

    def close(self) -> None:
        self._client.close()

    def _send(
        self, send: Callable[..., httpx.Response], url: str, arguments: Mapping[str, Any]
    ) -> httpx.Response:
        wanted = ("params", "data", "headers")
        given = {key: value for key, value in arguments.items() if key in wanted and value}
        if isinstance(given.get("data"), Mapping):
            # msal signs its assertions as bytes, whose repr httpx would send.
            form = given["data"].items()
            given["data"] = {k: v.decode() if isinstance(v, bytes) else v for k, v in form}
        response = send(url, **given)
        # msal takes any answer for a JSON object, and writes one that is none to its log, whole.
        if not isinstance(_parsed(response), dict):
            raise httpx.DecodingError(
                f"HTTP {response.status_code} from {response.url.host} without a JSON object"
            )
        return response


def _parsed(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None

"""What a sign-in that failed means.

What belongs here: from what msal returns or raises to a ``SignInError``, with what to do about it.
What does not: signing in (``signin``, ``person``, ``managed``). No message holds a secret or a
token, whatever the service wrote in its own.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import httpx
import msal

from pipelines.errors import SignInError, SignInUnavailable
from pipelines.identity import DeviceCode, ManagedIdentity
from pipelines.settings import Settings

# ValueError is msal's for a tenant that isn't there; LookupError and TypeError are what it runs
# into where an answer lacks a key, or has another kind of value for it. OSError: the key file by
# which Azure Arc makes sure that the caller may read it.
MSAL_RAISES: Final = (
    httpx.HTTPError,
    msal.exceptions.MsalError,
    ValueError,
    LookupError,
    TypeError,
    OSError,
)

_CODE: Final = re.compile(r"AADSTS(\d+)")
_TOKEN: Final = re.compile(r"[!-~]+")
# What must not be shown, with its value. Some of msal's descriptions are whole answers.
_SECRETS: Final = re.compile(
    r"(?:access_token|refresh_token|id_token|client_secret|client_assertion|device_code)"
    r"""["']?\s*[:=]"""
)

_LOG_IN: Final = "run `huntlake login` again"
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # The application, whatever it signs in with.
        "700016": "AZURE_CLIENT_ID is no application of that tenant: check both, or grant consent",
        "90002": "AZURE_TENANT_ID is no tenant of this cloud: check it and AZURE_AUTHORITY_HOST",
        "900023": "AZURE_TENANT_ID is no tenant of this cloud: check it and AZURE_AUTHORITY_HOST",
        "500011": "the tenant doesn't know the surface's API: check that it has Defender, and "
        "HUNTLAKE_SURFACE, HUNTLAKE_API_URL and AZURE_AUTHORITY_HOST",
        "7000112": "the application is disabled: enable it under Enterprise applications",
        "53003": "a conditional access policy blocks the sign-in: exempt the application, or the "
        "place that it signs in from",
        # Secrets and certificates.
        "7000215": "AZURE_CLIENT_SECRET is wrong: copy the secret's value, not its id",
        "7000222": "the client secret has expired: make a new one and set AZURE_CLIENT_SECRET",
        "700027": "the certificate isn't registered with the application: upload it there",
        # A federated token, or an assertion that a certificate signed.
        "700024": "what signed in was not valid at that time: check this machine's clock, and that "
        "the platform still renews AZURE_FEDERATED_TOKEN_FILE",
        "70021": "no federated credential of the application fits the token: `huntlake check` "
        "shows its issuer, subject and audience",
        "700211": "no federated credential of the application has the token's issuer: `huntlake "
        "check` shows it; the two must agree to the last slash",
        "700212": "no federated credential of the application has the token's audience: `huntlake "
        "check` shows it; it is usually api://AzureADTokenExchange",
        "700213": "no federated credential of the application has the token's subject: `huntlake "
        "check` shows it; letter case counts",
        # A person.
        "7000218": "the application may not be used by a person like this: under Authentication, "
        "allow public client flows",
        "50034": "no such user in that tenant: sign in with an account of AZURE_TENANT_ID",
        "50020": "that account is of another tenant: sign in with an account of AZURE_TENANT_ID, "
        "or invite it there",
        "50057": "the account is disabled: ask who runs the tenant",
        "50105": "the user isn't assigned to the application: assign them under Enterprise "
        "applications",
        "50076": f"the tenant wants a second factor now: {_LOG_IN}",
        "50078": f"the second factor has expired: {_LOG_IN}",
        "50079": f"the tenant wants a second factor to be set up: {_LOG_IN}",
        "50173": f"the password was changed or the sessions were revoked: {_LOG_IN}",
        "65001": "nobody has consented to the permission: have an administrator grant consent to "
        "it under API permissions",
        "90094": "only an administrator may consent to the permission: have one grant it under "
        "API permissions",
        "65004": f"the consent was declined: {_LOG_IN} and accept it",
        "70008": f"the login has expired or was revoked: {_LOG_IN}",
        "70043": f"the tenant's sign-in frequency has ended the login: {_LOG_IN}",
        "700082": f"the login was not used for too long and has expired: {_LOG_IN}",
        "70016": "nobody has entered the code yet",
        "70018": f"the code was not accepted: {_LOG_IN}",
        "70019": f"the code has expired before it was entered: {_LOG_IN}",
        "70020": f"the code has expired before it was entered: {_LOG_IN}",
    }
)
# OAuth's own words of the same, where the answer has no code of Microsoft's (RFC 6749, RFC 8628).
_REMEDIES_BY_ERROR: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authorization_declined": f"the sign-in was declined: {_LOG_IN} and accept it",
        "access_denied": f"the sign-in was declined: {_LOG_IN} and accept it",
        "expired_token": f"the code has expired before it was entered: {_LOG_IN}",
    }
)
_UNREACHED: Final = (
    "check AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, HTTPS_PROXY and HUNTLAKE_CA_BUNDLE"
)
_NO_IDENTITY: Final = (
    "see that the Azure resource has that identity (AZURE_CLIENT_ID names a user-assigned one, and "
    "is unset for its own)"
)
# "A transient error has occurred": the documentation says to try again.
_PASSING_CODES: Final = frozenset({"90033"})
# Those of OAuth's own errors (RFC 6749) that pass.
_PASSING_ERRORS: Final = frozenset({"temporarily_unavailable", "server_error"})


def caller(settings: Settings) -> str:
    """Who signs in, in words."""
    match settings.identity:
        case ManagedIdentity(client_id=None):
            return "this machine's managed identity"
        case ManagedIdentity(client_id=client_id):
            return f"the managed identity {client_id}"
        case DeviceCode():
            return f"a person by application {settings.client_id}"
    return f"application {settings.client_id}"


def token_of(settings: Settings, answer: Mapping[str, Any], *, passing: bool = False) -> str:
    """The token of an answer. Raises ``SignInError`` where it has none.

    ``passing`` is whether the answer's status says that the failure passes.
    """
    token = answer.get("access_token")
    # A token that is no token must not get as far as the error that an HTTP library, which can't
    # send it, would write about it.
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise refused(settings, answer, passing=passing)
    return token


def refused(settings: Settings, answer: Mapping[str, Any], *, passing: bool = False) -> SignInError:
    """The error that an answer without a token is."""
    error = str(answer.get("error"))
    description = str(answer.get("error_description") or answer.get("error") or "no reason")
    found = _CODE.search(description)
    code = found.group(1) if found else None
    remedy = _REMEDIES.get(code or "") or _REMEDIES_BY_ERROR.get(error)
    if remedy is None and isinstance(settings.identity, ManagedIdentity):
        remedy = _NO_IDENTITY
    correlation_id = answer.get("correlation_id")
    passes = passing or code in _PASSING_CODES or error in _PASSING_ERRORS
    kind = SignInUnavailable if passes else SignInError
    remedy = settings.names.said(remedy or "look the code up, or ask who runs the tenant")
    return kind(
        f"sign-in to {settings.tenant_words} as {caller(settings)} was refused: {remedy}. "
        f"The service says: "
        f"{presentable(description)} (correlation id {correlation_id})",
        code=f"AADSTS{code}" if code else error,
        request_id=str(correlation_id) if correlation_id else None,
    )


def not_had(settings: Settings, error: Exception) -> SignInError:
    """The error that something which msal raised is."""
    # msal's own words for a refused tenant are long; the service's are behind them.
    found = _CODE.search(f"{error} {error.__context__}")
    code = found.group(1) if found else None
    remedy = _REMEDIES.get(code or "", _UNREACHED)
    place = f"to {settings.tenant_words} at https://{settings.authority_host}"
    if isinstance(settings.identity, ManagedIdentity):
        remedy, place = _NO_IDENTITY, f"as {caller(settings)}"
    # What msal raises, in place of what it returns, is a 5xx.
    passes = isinstance(error, (httpx.HTTPError, msal.exceptions.MsalServiceError))
    passes = passes and code is None
    kind = SignInUnavailable if passes or code in _PASSING_CODES else SignInError
    return kind(
        f"sign-in {place} did not work: {settings.names.said(remedy)} "
        f"({type(error).__name__}: {presentable(str(error))})",
        code=f"AADSTS{code}" if code else None,
    )


def presentable(text: str) -> str:
    """The first line of what a service wrote, unless it holds what nobody may see."""
    if _SECRETS.search(text):
        return "an answer that isn't shown, since it may hold a token"
    return "".join(c if c.isprintable() else " " for c in text.partition("\n")[0]).strip()

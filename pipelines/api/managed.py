"""Signing in as the Azure resource that huntlake runs on.

What belongs here: the managed identity's tokens, and which endpoint of this machine has them. What
does not: the endpoints' protocols, which are msal's. Nothing here prints, stores or raises a token.

The endpoints are on the machine or a hop away and most speak plain HTTP, by Azure's design: so no
proxy is asked, and plain HTTP goes to addresses that never leave the host or its network.
"""

import ipaddress
import os
import re
from http import HTTPStatus
from typing import Final

import httpx
import jwt
import msal
from msal import managed_identity as endpoints

from pipelines.api.connection import open_connection
from pipelines.api.msal_http import HttpForMsal
from pipelines.api.signin_failures import MSAL_RAISES, caller, not_had, token_of
from pipelines.api.tls import tls_context
from pipelines.errors import SettingsError, SignInError
from pipelines.identity import ManagedIdentity
from pipelines.settings import Settings

# A machine that is none of Azure's has no such address: most let the attempt hang.
_CONNECT_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 30.0
# As the metadata service's documentation has it: 410 while it is being updated.
_PASSING: Final = (HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS)
_SERVER_FAILS: Final = HTTPStatus.INTERNAL_SERVER_ERROR
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_ENDPOINTS: Final = {
    endpoints.APP_SERVICE: "the endpoint of App Service, Functions, Container Apps or Automation "
    "(IDENTITY_ENDPOINT)",
    endpoints.MACHINE_LEARNING: "the endpoint of Machine Learning (MSI_ENDPOINT)",
    endpoints.AZURE_ARC: "the agent of Azure Arc",
    endpoints.DEFAULT_TO_VM: "the metadata service of Azure's virtual machines (169.254.169.254)",
}


class ManagedIdentityTokens:
    """The resource's tokens. msal keeps them in memory and renews them before they expire."""

    def __init__(self, settings: Settings, identity: ManagedIdentity, scope: str) -> None:
        self._settings = settings
        self._identity = identity
        # These endpoints are asked for the resource, not for a scope of it.
        self._resource = scope.removesuffix("/.default")
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        connection = open_connection(tls_context(settings), timeout, proxied=False)
        self._http = HttpForMsal(connection, _permit)
        self._client: msal.ManagedIdentityClient | None = None

    def token(self) -> str:
        """See ``TokenSource``."""
        asked = endpoint()
        try:
            answer = self._signed_in().acquire_token_for_client(resource=self._resource)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise SignInError(
                f"no managed identity answers on this machine: {asked} can't be reached "
                f"({type(error).__name__}). Run huntlake on an Azure resource that has an "
                f"identity, or choose another {self._settings.names.sign_in}"
            ) from error
        except MSAL_RAISES as error:
            raise not_had(self._settings, error) from error
        passing = self._http.status in _PASSING or self._http.status >= _SERVER_FAILS
        token = token_of(self._settings, answer, passing=passing)
        self._require_tenant(token)
        return token

    def discard(self) -> None:
        """See ``TokenSource``."""
        self._client = None

    def close(self) -> None:
        """See ``TokenSource``."""
        self._http.close()

    def _signed_in(self) -> msal.ManagedIdentityClient:
        if self._client is None:
            client_id = self._identity.client_id
            self._client = msal.ManagedIdentityClient(
                msal.UserAssignedManagedIdentity(client_id=client_id)
                if client_id
                else msal.SystemAssignedManagedIdentity(),
                http_client=self._http,
            )
        return self._client

    def _require_tenant(self, token: str) -> None:
        """A resource signs in to its own tenant, whatever the settings say.

        Another tenant's rows would land under this one's name. A token is for the service to read,
        so one that can't be read here is nobody's fault; nor is a tenant named by its domain.
        """
        try:
            found = str(jwt.decode(token, options={"verify_signature": False}).get("tid", ""))
        except jwt.InvalidTokenError:
            return
        wanted = self._settings.tenant_id
        comparable = _GUID.fullmatch(found) and _GUID.fullmatch(wanted)
        if comparable and found.lower() != wanted.lower():
            raise SignInError(
                f"{caller(self._settings)} belongs to tenant {found}, and "
                f"{self._settings.names.tenant_id} is {wanted}: set it to the former, or sign in "
                f"to the latter in another way (a managed identity can't)"
            )


def endpoint() -> str:
    """Which endpoint msal will ask, by what the environment shows; in words.

    Raises ``SettingsError`` for the two platforms whose identities huntlake can't use.
    """
    source = endpoints.get_managed_identity_source()
    if source is endpoints.SERVICE_FABRIC:
        raise SettingsError(
            "HUNTLAKE_SIGN_IN: the managed identities of Service Fabric can't be used: choose "
            "another kind of sign-in"
        )
    if source is endpoints.CLOUD_SHELL:
        raise SettingsError(
            "HUNTLAKE_SIGN_IN: Cloud Shell signs in as you and has no managed identity: choose "
            "device-code"
        )
    return _ENDPOINTS[source]


def _permit(url: httpx.URL) -> SettingsError | None:
    if url.scheme == "https" or _stays_near(url.host):
        return None
    names = [n for n in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT") if url.host in os.environ.get(n, "")]
    return SettingsError(
        f"{names[0] if names else 'AZURE_POD_IDENTITY_AUTHORITY_HOST'}: a token would be fetched "
        f"from {url.host} over plain HTTP, and that is no address of this machine or its network"
    )


def _stays_near(host: str) -> bool:
    try:
        # Private ones hold loopback and link-local addresses too.
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"

"""The way to the sign-in service: where it is, and that nothing is sent elsewhere.

What belongs here: what applications and persons have in common before they sign in. What does not:
signing in.
"""

from typing import Any, Final

import httpx
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from pipelines.api.connection import open_connection
from pipelines.api.msal_http import HttpForMsal
from pipelines.api.tls import tls_context
from pipelines.errors import SignInError
from pipelines.settings import Settings

_SIGN_IN_SECONDS: Final = 30.0


def at_authority(settings: Settings) -> dict[str, Any]:
    """The arguments by which msal's applications find the sign-in service."""
    host = settings.authority_host
    return {
        "authority": f"https://{host}/{settings.tenant_id}",
        # Discovery asks Microsoft whether the host is one of its own, and sends it the tenant:
        # right for its hosts, impossible for a private one.
        "instance_discovery": host in WELL_KNOWN_AUTHORITY_HOSTS,
    }


def http_to_authority(settings: Settings) -> HttpForMsal:
    """An HTTP client for msal that reaches the sign-in service alone, over TLS.

    Where it posts to is what the service itself says of its endpoints, so a secret could be sent
    wherever a forged or broken answer points.
    """
    host = settings.authority_host
    trusted = WELL_KNOWN_AUTHORITY_HOSTS if host in WELL_KNOWN_AUTHORITY_HOSTS else {host}

    def permit(url: httpx.URL) -> SignInError | None:
        if url.scheme == "https" and url.netloc.decode("ascii") in trusted:
            return None
        return SignInError(
            f"the sign-in service https://{host} points to {url.scheme}://{url.host}, which "
            f"AZURE_AUTHORITY_HOST doesn't name, so nothing is sent there: check that setting, and "
            f"what stands between huntlake and the service"
        )

    client = open_connection(tls_context(settings), httpx.Timeout(_SIGN_IN_SECONDS))
    return HttpForMsal(client, permit)

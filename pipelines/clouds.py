"""Microsoft's own hosts: which cloud and which surfaces each of them serves.

What belongs here: telling hosts apart, so that settings that can't work together are named before
anything is sent. What does not: where a surface is called (``api.surfaces``). A host that is not
here (a proxy, the stand-in) is nobody's business but its owner's.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pipelines.hunts import SurfaceName

_GRAPH: Final = ("graph.microsoft.com", "graph.microsoft.us")
# mde answers at xdr's host names too, and the other way round is not excluded.
_DEFENDER: Final = (
    ".security.microsoft.com",
    ".security.microsoft.us",
    ".securitycenter.microsoft.com",
    ".securitycenter.microsoft.us",
)

# GCC High and DoD, which sign in at a host of their own. GCC signs in with everybody else.
_US_AUTHORITY: Final = "login.microsoftonline.us"
_US_HOSTS: Final = frozenset(
    {
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "api-gov.security.microsoft.us",
        "api-gov.securitycenter.microsoft.us",
    }
)
_GCC_HOSTS: Final = frozenset(
    {"api-gcc.security.microsoft.us", "api-gcc.securitycenter.microsoft.us"}
)


def own_resource(host: str) -> str | None:
    """What a token for this host is asked for, where the host is an audience of its own.

    Each national cloud's host is. Regions (us., eu., ...) take their surface's commercial audience.
    """
    return f"https://{host}" if host in _US_HOSTS | _GCC_HOSTS else None


def contradictions(surface: SurfaceName, api_url: str | None, authority_host: str) -> Iterator[str]:
    """Why these can't work together: one sentence each, with what to set."""
    host = (urlsplit(api_url).hostname if api_url else None) or ""
    if surface == "graph" and host.endswith(_DEFENDER):
        yield (
            f"HUNTLAKE_API_URL: {host} does not serve the surface graph: unset it, or set "
            f"HUNTLAKE_SURFACE to xdr or mde"
        )
    if surface != "graph" and host.endswith(_GRAPH):
        yield (
            f"HUNTLAKE_API_URL: {host} does not serve the surface {surface}: unset it, or set "
            f"HUNTLAKE_SURFACE to graph"
        )
    if host in _US_HOSTS and authority_host == "login.microsoftonline.com":
        yield (
            f"AZURE_AUTHORITY_HOST: {host} takes tokens of its own cloud: set it to {_US_AUTHORITY}"
        )
    commercial = not host or host.endswith(".microsoft.com") or host in _GCC_HOSTS
    if authority_host == _US_AUTHORITY and commercial:
        yield (
            f"AZURE_AUTHORITY_HOST: {_US_AUTHORITY} signs in to the US government's cloud: set "
            f"HUNTLAKE_API_URL to your surface's host there, such as https://graph.microsoft.us"
        )

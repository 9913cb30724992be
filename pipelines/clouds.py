"""Microsoft's clouds: which host each surface has in each of them, and where one signs in.

What belongs here: the hosts, and telling them apart, so that settings that can't work together are
named before anything is sent. What does not: what is sent to a surface (``api.surfaces``). A host
that is not here (a proxy, the stand-in) is nobody's business but its owner's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit

from pipelines.hunts import SurfaceName
from pipelines.setting_names import ENVIRONMENT_NAMES, Names

Cloud = Literal["commercial", "gcc", "gcc-high", "dod"]
# Where the commercial xdr keeps a tenant's data; graph finds that by itself.
Region = Literal["us", "eu", "uk", "au", "swa", "ina", "aea"]

_COMMERCIAL_AUTHORITY: Final = "login.microsoftonline.com"
_US_AUTHORITY: Final = "login.microsoftonline.us"


@dataclass(frozen=True, slots=True)
class Hosts:
    """One cloud's hosts: where one signs in, and where each surface is called."""

    authority: str
    surfaces: Mapping[SurfaceName, str]


CLOUDS: Final[Mapping[Cloud, Hosts]] = MappingProxyType(
    {
        "commercial": Hosts(
            _COMMERCIAL_AUTHORITY,
            {
                "graph": "graph.microsoft.com",
                "xdr": "api.security.microsoft.com",
                "mde": "api.securitycenter.microsoft.com",
            },
        ),
        # GCC signs in, and reaches Graph, with everybody else.
        "gcc": Hosts(
            _COMMERCIAL_AUTHORITY,
            {
                "graph": "graph.microsoft.com",
                "xdr": "api-gcc.security.microsoft.us",
                "mde": "api-gcc.securitycenter.microsoft.us",
            },
        ),
        "gcc-high": Hosts(
            _US_AUTHORITY,
            {
                "graph": "graph.microsoft.us",
                "xdr": "api-gov.security.microsoft.us",
                "mde": "api-gov.securitycenter.microsoft.us",
            },
        ),
        "dod": Hosts(
            _US_AUTHORITY,
            {
                "graph": "dod-graph.microsoft.us",
                "xdr": "api-gov.security.microsoft.us",
                "mde": "api-gov.securitycenter.microsoft.us",
            },
        ),
    }
)

_GRAPH: Final = ("graph.microsoft.com", "graph.microsoft.us")
# mde answers at xdr's host names too, and the other way round is not excluded.
_DEFENDER: Final = (
    ".security.microsoft.com",
    ".security.microsoft.us",
    ".securitycenter.microsoft.com",
    ".securitycenter.microsoft.us",
)

_COMMERCIAL_HOSTS: Final = frozenset(CLOUDS["commercial"].surfaces.values())
_GCC_HOSTS: Final = frozenset(CLOUDS["gcc"].surfaces.values()) - _COMMERCIAL_HOSTS
_US_HOSTS: Final = frozenset(
    host for cloud in ("gcc-high", "dod") for host in CLOUDS[cloud].surfaces.values()
)


def surface_url(surface: SurfaceName, cloud: Cloud, region: Region | None) -> str:
    """Where a surface is called in a cloud; ``region`` is for the commercial xdr, and no other."""
    host = CLOUDS[cloud].surfaces[surface]
    regional = region is not None and surface == "xdr" and cloud == "commercial"
    return f"https://{region}.{host}" if regional else f"https://{host}"


def own_resource(host: str) -> str | None:
    """What a token for this host is asked for, where the host is an audience of its own.

    Each national cloud's host is. Regions (us., eu., ...) take their surface's commercial audience.
    """
    return f"https://{host}" if host in _US_HOSTS | _GCC_HOSTS else None


def contradictions(
    surface: SurfaceName, api_url: str | None, authority_host: str, names: Names = ENVIRONMENT_NAMES
) -> Iterator[str]:
    """Why these can't work together: one sentence each, with what to set."""
    host = (urlsplit(api_url).hostname if api_url else None) or ""
    if surface == "graph" and host.endswith(_DEFENDER):
        yield (
            f"{names.api_url}: {host} does not serve the surface graph: unset it, or set "
            f"{names.surface} to xdr or mde"
        )
    if surface != "graph" and host.endswith(_GRAPH):
        yield (
            f"{names.api_url}: {host} does not serve the surface {surface}: unset it, or set "
            f"{names.surface} to graph"
        )
    if host in _US_HOSTS and authority_host == _COMMERCIAL_AUTHORITY:
        yield (
            f"{names.authority_host}: {host} takes tokens of its own cloud: set it to "
            f"{_US_AUTHORITY}"
        )
    commercial = not host or host.endswith(".microsoft.com") or host in _GCC_HOSTS
    if authority_host == _US_AUTHORITY and commercial:
        yield (
            f"{names.authority_host}: {_US_AUTHORITY} signs in to the US government's cloud: set "
            f"{names.api_url} to your surface's host there, such as https://graph.microsoft.us"
        )

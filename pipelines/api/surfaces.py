"""The three ways to advanced hunting: what differs between them, as data.

What belongs here: URLs, scopes, permissions, the names of keys. What does not: limits, which differ
by contract (``quota.limits``), and any behaviour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit

from pipelines.clouds import own_resource
from pipelines.hunts import SurfaceName

# How answers are written: OData with its annotations, or plain.
Dialect = Literal["odata", "plain"]


@dataclass(frozen=True, slots=True)
class Surface:
    """One surface. ``resource`` is what a token is asked for; ``retires`` when it stops working."""

    name: SurfaceName
    host: str
    path: str
    resource: str
    dialect: Dialect
    application_permission: str
    retires: date | None = None

    def endpoint(self, api_url: str | None) -> str:
        """Where queries are posted: this surface's own host, or another in its place."""
        base = api_url or f"https://{self.host}"
        return f"{base}{self.path}"

    def scope(self, api_url: str | None) -> str:
        """The scope of a token for that host.

        Each national cloud has an audience of its own. A host that isn't Microsoft's (a proxy, the
        stand-in) passes on what the commercial cloud takes.
        """
        host = (urlsplit(api_url).hostname or "") if api_url else self.host
        return f"{own_resource(host) or self.resource}/.default"


_RETIREMENT: Final = date(2027, 2, 1)

SURFACES: Final[Mapping[SurfaceName, Surface]] = MappingProxyType(
    {
        "graph": Surface(
            name="graph",
            host="graph.microsoft.com",
            path="/v1.0/security/runHuntingQuery",
            resource="https://graph.microsoft.com",
            dialect="odata",
            application_permission="ThreatHunting.Read.All",
        ),
        "xdr": Surface(
            name="xdr",
            host="api.security.microsoft.com",
            path="/api/advancedhunting/run",
            resource="https://api.security.microsoft.com",
            dialect="plain",
            application_permission="AdvancedHunting.Read.All",
            retires=_RETIREMENT,
        ),
        "mde": Surface(
            name="mde",
            host="api.securitycenter.microsoft.com",
            path="/api/advancedqueries/run",
            # The audience stays this one where a newer host name is used.
            resource="https://api.securitycenter.microsoft.com",
            dialect="plain",
            application_permission="AdvancedQuery.Read.All",
            retires=_RETIREMENT,
        ),
    }
)

"""The three ways to advanced hunting: what differs between them, as data.

What belongs here: URLs, scopes, permissions, the names of keys. What does not: limits, which differ
by contract (``quota.limits``), and any behaviour. A person has other permissions than an
application, so a surface knows which of the two calls it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pipelines.clouds import own_resource
from pipelines.hunts import SurfaceName
from pipelines.identity import DeviceCode, Identity

# How answers are written: OData with its annotations, or plain.
Dialect = Literal["odata", "plain"]


@dataclass(frozen=True, slots=True)
class Surface:
    """One surface. ``resource`` is what a token is asked for; ``retires`` when it stops working.

    ``delegated`` is whether a person calls it instead of an application.
    """

    name: SurfaceName
    host: str
    path: str
    resource: str
    dialect: Dialect
    application_permission: str
    delegated_permission: str
    retires: date | None = None
    delegated: bool = False

    def called_by(self, identity: Identity) -> Self:
        """The surface as it is for who signs in."""
        return replace(self, delegated=isinstance(identity, DeviceCode))

    @property
    def permission(self) -> str:
        """What the caller has to be granted, in words."""
        if self.delegated:
            return f"the delegated permission {self.delegated_permission}"
        return f"the application permission {self.application_permission}"

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
        # A person consents to one permission; an application has been granted what it has.
        asked = self.delegated_permission if self.delegated else ".default"
        return f"{own_resource(host) or self.resource}/{asked}"


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
            delegated_permission="ThreatHunting.Read.All",
        ),
        "xdr": Surface(
            name="xdr",
            host="api.security.microsoft.com",
            path="/api/advancedhunting/run",
            resource="https://api.security.microsoft.com",
            dialect="plain",
            application_permission="AdvancedHunting.Read.All",
            delegated_permission="AdvancedHunting.Read",
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
            delegated_permission="AdvancedQuery.Read",
            retires=_RETIREMENT,
        ),
    }
)

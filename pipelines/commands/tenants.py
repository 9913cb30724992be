"""``--tenant``, and what a command then has at hand.

What belongs here: from a name to a tenant's settings and hunts. What does not: any command.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import click

from pipelines.hunt_files import Catalogue, load_hunts
from pipelines.hunts import Hunt
from pipelines.settings import Settings
from pipelines.tenants import ConfiguredTenant, Tenants, load_tenants

tenant_option = click.option(
    "--tenant",
    metavar="NAME",
    help="Which tenant, where there are several (docs/tenants.md).  [default: the only one]",
)


@dataclass(frozen=True, slots=True)
class TenantAtHand:
    """One tenant's settings, secrets too, and the hunts that there are."""

    tenants: Tenants
    tenant: ConfiguredTenant
    settings: Settings
    catalogue: Catalogue

    @classmethod
    def named(cls, name: str | None) -> Self:
        """The tenant of that name, or the only one. Raises ``TenantNotFound``."""
        tenants = load_tenants()
        tenant = tenants.tenant(name)
        settings = tenant.settings()
        return cls(tenants, tenant, settings, load_hunts(settings.hunts))

    @property
    def hunts(self) -> Sequence[Hunt]:
        """All of the tenant's hunts."""
        return list(self.tenant.hunts(self.catalogue).hunts.values())

    def hunt(self, name: str) -> Hunt:
        """One of the tenant's hunts. Raises ``HuntNotFound``."""
        return self.tenants.hunt(self.tenant, name, self.catalogue)

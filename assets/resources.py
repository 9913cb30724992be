"""The resource through which assets reach the engine.

What belongs here: opening the engine for one run. What does not: settings (``pipelines.tenants``),
which are read when a run starts, so that definitions load without any secret, and one that a tenant
lacks is the trouble of its own runs.
"""

import dagster as dg

from pipelines.clock import Clock, SystemClock
from pipelines.engine import Engine
from pipelines.quota import Limits
from pipelines.tenants import load_tenants


class EngineResource(dg.ConfigurableResource[Engine]):
    """Opens the engine with the settings of one tenant."""

    def open(self, tenant: str) -> Engine:
        """An engine for a tenant by its name, to be used as a context manager.

        Raises ``TenantNotFound`` and ``SettingsError``.
        """
        return Engine(load_tenants().tenant(tenant).settings(), self.clock())

    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    def limits(self, tenant: str) -> Limits:
        """What the service allows a tenant, which takes no sign-in. Raises as ``open`` does."""
        return load_tenants().tenant(tenant).limits()

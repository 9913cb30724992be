"""The tenants of a deployment: one from the environment, or many from a file.

What belongs here: who they are, which hunts are theirs, and the settings of each. What does not:
signing in (``api``), and what an export does (``export``).

A tenant has a name and an id. The service, the quota's ledger and the gate go by the id; folders,
views, assets and ``--tenant`` by the name. A tenant from the environment is called by its id.
"""

from pipelines.tenants.deployment import ConfiguredTenant, Tenants, load_tenants
from pipelines.tenants.file import plain_name
from pipelines.tenants.selection import Misdirected

__all__ = ["ConfiguredTenant", "Misdirected", "Tenants", "load_tenants", "plain_name"]

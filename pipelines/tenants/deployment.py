"""The tenants that this deployment has, and the settings of each when they are needed.

What belongs here: finding the tenants file, and one way to either kind of tenant. What does not:
what the file may say (``file``, ``keys``).

A tenant's secrets are read when its settings are asked for, which its own runs do: to list tenants
and hunts takes none, and one that is missing is the trouble of one tenant.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from pipelines.environment import PROJECT, Environment
from pipelines.errors import HuntNotFound, TenantNotFound, TenantsFileError
from pipelines.hunt_files import Catalogue
from pipelines.hunts import Hunt, SurfaceName
from pipelines.quota import Limits
from pipelines.setting_names import ENVIRONMENT_NAMES
from pipelines.settings import Settings, load_limits, load_paths, load_settings, load_surface
from pipelines.tenants.entry import TenantEntry
from pipelines.tenants.file import read_tenants
from pipelines.tenants.selection import (
    Misdirected,
    hunts_of_entry,
    hunts_of_only,
    misdirected,
)
from pipelines.tenants.settings_of import settings_of

_DEFAULT_FILE: Final = "tenants.yaml"
# Says that the environment's tenant is meant, whatever file there is: the stand-in's, for one.
NO_FILE: Final = "none"


class ConfiguredTenant(Protocol):
    """One tenant, whether from the environment or from the file."""

    @property
    def name(self) -> str:
        """What it is called in folders, views, assets and on the command line."""
        ...

    @property
    def id(self) -> str:
        """What it is to the service, the ledger and the gate."""
        ...

    @property
    def surface(self) -> SurfaceName:
        """The surface of hunts that choose none."""
        ...

    @property
    def surface_setting(self) -> str:
        """What that was set by, for messages."""
        ...

    def limits(self) -> Limits:
        """What the service allows it, which takes no secret. Raises ``SettingsError``."""
        ...

    def settings(self) -> Settings:
        """All of its settings, secrets too. Raises one ``SettingsError`` of what is missing."""
        ...

    def hunts(self, catalogue: Catalogue) -> Catalogue:
        """Those of the catalogue that are its hunts."""
        ...


@dataclass(frozen=True, slots=True)
class _OnlyTenant:
    """The tenant of the environment."""

    id: str
    environ: Mapping[str, str] | None = field(repr=False)
    root: Path

    @property
    def name(self) -> str:
        return self.id

    @property
    def surface(self) -> SurfaceName:
        return load_surface(self.environ, root=self.root)

    @property
    def surface_setting(self) -> str:
        return ENVIRONMENT_NAMES.surface

    def limits(self) -> Limits:
        return load_limits(self.environ, root=self.root)

    def settings(self) -> Settings:
        return load_settings(self.environ, root=self.root)

    def hunts(self, catalogue: Catalogue) -> Catalogue:
        return hunts_of_only(self.id, catalogue)


@dataclass(frozen=True, slots=True)
class _FileTenant:
    """A tenant of the file."""

    entry: TenantEntry
    environ: Mapping[str, str] | None = field(repr=False)
    root: Path

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def surface(self) -> SurfaceName:
        return self.entry.surface

    @property
    def surface_setting(self) -> str:
        return self.entry.names.surface

    def limits(self) -> Limits:
        return self.entry.limits

    def settings(self) -> Settings:
        return settings_of(self.entry, self.environ, self.root)

    def hunts(self, catalogue: Catalogue) -> Catalogue:
        return hunts_of_entry(self.entry, catalogue)


@dataclass(frozen=True, slots=True)
class Tenants:
    """All tenants by name, and what is wrong with entries that are none.

    ``file`` is None where the environment says who the only tenant is.
    """

    tenants: Mapping[str, ConfiguredTenant]
    failed: Mapping[str, TenantsFileError] = field(default_factory=dict)
    file: Path | None = None

    def tenant(self, name: str | None = None) -> ConfiguredTenant:
        """The tenant of that name or id, or the only one. Raises ``TenantNotFound``."""
        if name is None:
            return self._only()
        for each in self.tenants.values():
            if name in (each.name, each.id):
                return each
        if name in self.failed:
            raise TenantNotFound(f"the tenant {name} could not be loaded: {self.failed[name]}")
        near = difflib.get_close_matches(name, self.tenants, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {self._listed()}"
        raise TenantNotFound(f"there is no tenant {name}; {hint}")

    def hunt(self, tenant: ConfiguredTenant, name: str, catalogue: Catalogue) -> Hunt:
        """One of a tenant's hunts. Raises ``HuntNotFound``."""
        theirs = tenant.hunts(catalogue)
        if name in catalogue.hunts and name not in theirs.hunts:
            raise HuntNotFound(
                f"the hunt {name} is none of tenant {tenant.name}'s: the tenant's `hunts:` leave "
                f"it out, or the hunt's own `tenants:` name others; change which of them is wrong"
            )
        return theirs.hunt(name)

    def misdirected(self, catalogue: Catalogue) -> tuple[Misdirected, ...]:
        """Hunts whose files name a tenant that there is not."""
        return tuple(
            misdirected(
                {*self.tenants, *self.failed},
                {each.id for each in self.tenants.values()},
                catalogue,
                has_file=self.file is not None,
            )
        )

    def _only(self) -> ConfiguredTenant:
        if len(self.tenants) == 1 and not self.failed:
            return next(iter(self.tenants.values()))
        raise TenantNotFound(f"say which tenant, with --tenant: {self._listed()}")

    def _listed(self) -> str:
        return ", ".join(sorted({*self.tenants, *self.failed}))


def load_tenants(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Tenants:
    """The tenants of the file that HUNTLAKE_TENANTS names, of `tenants.yaml`, or the environment's.

    Raises ``SettingsError`` where the file that is named is not there, and ``TenantsFileError``
    where it can't be read as a whole.
    """
    path = _file(environ, root)
    if path is None:
        only = _OnlyTenant(load_paths(environ, root=root).tenant_id, environ, root)
        return Tenants(MappingProxyType({only.name: only}))
    found = read_tenants(path)
    tenants = {name: _FileTenant(entry, environ, root) for name, entry in found.entries.items()}
    return Tenants(MappingProxyType(tenants), found.failed, path)


def _file(environ: Mapping[str, str] | None, root: Path) -> Path | None:
    environment = Environment(environ, root)
    said = environment.optional("HUNTLAKE_TENANTS", str)
    if said == NO_FILE:
        return None
    if said is not None:
        path = environment.optional("HUNTLAKE_TENANTS", environment.file)
        environment.raise_problems()
        return path
    path = environment.path(_DEFAULT_FILE)
    return path if path.is_file() else None

"""The settings of one tenant, and reading them from the environment and ``.env``.

What belongs here: what settings there are, their names and defaults. What does not: those of one
hunt (``hunts``), or of several tenants, which stand in a file (``tenants``).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from pipelines import setting_texts as texts
from pipelines.clouds import (
    CLOUDS,
    Cloud,
    Region,
    contradictions,
    surface_url,
)
from pipelines.environment import PROJECT, Environment
from pipelines.errors import SettingsError
from pipelines.hunts import SurfaceName
from pipelines.identity import ENVIRONMENT, ClientSecret, DeviceCode, Identity, SignInParts
from pipelines.quota import Limits, parse_limits
from pipelines.setting_names import ENVIRONMENT_NAMES, Names

_AUTHORITY_HOST: Final = CLOUDS["commercial"].authority
# The stand-in's tenant, whose assets are shown while no tenant is configured.
_DEMO_TENANT: Final = "demo"


@dataclass(frozen=True, slots=True)
class Paths:
    """What can be known without a sign-in: enough to list hunts and to query the lake."""

    tenant_id: str
    data: Path
    hunts: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an export needs. Its ``repr`` shows no secret.

    ``tenant`` is what the tenant is called here, ``tenant_id`` what it is to the service.
    ``client_id`` is empty where an Azure resource signs in as itself, which needs none. ``api_url``
    stands in the place of every surface's own host in the ``cloud``; ``names`` are what such
    settings are called where they were set, for messages.
    """

    tenant: str
    tenant_id: str
    client_id: str
    authority_host: str
    surface: SurfaceName
    data: Path
    hunts: Path
    limits: Limits
    identity: Identity
    api_url: str | None = None
    ca_bundle: Path | None = None
    cloud: Cloud = "commercial"
    region: Region | None = None
    names: Names = ENVIRONMENT_NAMES

    @property
    def tenant_words(self) -> str:
        """The tenant for a message: its name here, and its id where that is another."""
        if self.tenant == self.tenant_id:
            return f"tenant {self.tenant}"
        return f"tenant {self.tenant} ({self.tenant_id})"

    def at(self, surface: SurfaceName) -> Self:
        """The settings of hunts that choose this surface.

        Raises ``SettingsError`` where the hosts that are set don't serve it.
        """
        url = self.api_url or surface_url(surface, self.cloud, self.region)
        problems = contradictions(surface, url, self.authority_host, self.names)
        if problem := next(problems, None):
            raise SettingsError(problem)
        return replace(self, surface=surface, api_url=url)


def default_logins() -> Path:
    """Where a person's tokens are kept unless HUNTLAKE_LOGINS says otherwise.

    Never in the data folder, which is copied and shared with the lake.
    """
    return user_state() / "logins"


def user_state() -> Path:
    """Where what is of a person and not of the lake is kept.

    It is no absolute path for a user without a home, as some containers have it.
    """
    # By the XDG convention a relative path there counts as unset.
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else Path(os.path.expanduser("~/.local/state"))  # noqa: PTH111 - raises nothing
    return base / "huntlake"


def load_paths(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Paths:
    """The tenant and the folders. Raises ``SettingsError`` for a tenant that can't be one."""
    reader = Environment(environ, root)
    paths = paths_of(reader, reader.optional("AZURE_TENANT_ID", texts.tenant_id) or _DEMO_TENANT)
    reader.raise_problems()
    return paths


def load_limits(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Limits:
    """What the service allows, which takes no sign-in. Raises ``SettingsError``."""
    reader = Environment(environ, root)
    limits = _limits(reader)
    reader.raise_problems()
    return limits


def load_surface(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> SurfaceName:
    """The surface of hunts that choose none; `graph` too where the setting is wrong.

    Who needs it for more than showing it loads all settings, which then says what is wrong.
    """
    return Environment(environ, root).optional("HUNTLAKE_SURFACE", texts.surface) or "graph"


def load_settings(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Settings:
    """All settings. Raises one ``SettingsError`` that names everything missing or contradictory."""
    reader = Environment(environ, root)
    tenant_id = reader.required("AZURE_TENANT_ID", "your tenant's id or domain", texts.tenant_id)
    identity = _identity(reader)
    paths = paths_of(reader, tenant_id or _DEMO_TENANT)
    settings = Settings(
        tenant=paths.tenant_id,
        tenant_id=paths.tenant_id,
        client_id=reader.optional("AZURE_CLIENT_ID", str) or "",
        # The empty one never leaves this function: what is missing is raised below.
        identity=identity or ClientSecret(""),
        authority_host=reader.optional("AZURE_AUTHORITY_HOST", texts.host) or _AUTHORITY_HOST,
        surface=reader.optional("HUNTLAKE_SURFACE", texts.surface) or "graph",
        api_url=reader.optional("HUNTLAKE_API_URL", texts.https_url),
        ca_bundle=ca_bundle_of(reader),
        data=paths.data,
        hunts=paths.hunts,
        limits=_limits(reader),
    )
    for problem in contradictions(settings.surface, settings.api_url, settings.authority_host):
        reader.problem(problem)
    refuse_logins_in(reader, identity, paths.data, "HUNTLAKE_LOGINS")
    reader.raise_problems()
    return settings


def paths_of(reader: Environment, tenant_id: str) -> Paths:
    """The folders, which all tenants share."""
    return Paths(
        tenant_id=tenant_id,
        data=reader.optional("HUNTLAKE_DATA", reader.path) or reader.path("data"),
        hunts=reader.optional("HUNTLAKE_HUNTS", reader.path) or reader.path("assets/hunts"),
    )


def refuse_logins_in(reader: Environment, identity: Identity | None, data: Path, name: str) -> None:
    """Tell the reader where a person's tokens would be copied with the lake."""
    if isinstance(identity, DeviceCode) and identity.logins.is_relative_to(data):
        reader.problem(
            f"{name}: {identity.logins} lies in the data folder, which is copied and shared; a "
            f"person's tokens must not be"
        )


def ca_bundle_of(reader: Environment) -> Path | None:
    """Whom to trust beside the usual authorities."""
    return reader.optional("HUNTLAKE_CA_BUNDLE", reader.file)


def _limits(reader: Environment) -> Limits:
    return reader.optional("HUNTLAKE_LIMITS", parse_limits) or parse_limits("seed")


def _identity(reader: Environment) -> Identity | None:
    given = {part: reader.optional(name, str) for part, name in ENVIRONMENT.items()}
    parts = SignInParts(
        {part: text for part, text in given.items() if text is not None},
        reader.problem,
        file=reader.file,
        folder=reader.path,
        default_logins=default_logins(),
    )
    return parts.identity()

"""Settings, from the environment and the project's ``.env`` file.

What belongs here: names, defaults, and saying everything that is wrong at once. What does not: the
settings of one hunt (``hunts``). The environment wins over ``.env``, as it does for Dagster.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, get_args

from dotenv import dotenv_values

from pipelines.clouds import contradictions
from pipelines.errors import SettingsError
from pipelines.hunts import SurfaceName
from pipelines.identity import ENVIRONMENT, ClientSecret, DeviceCode, Identity, SignInParts
from pipelines.quota import Limits, parse_limits

PROJECT: Final = Path(__file__).resolve().parent.parent

DEFAULT_AUTHORITY_HOST: Final = "login.microsoftonline.com"
# The stand-in's tenant, whose assets are shown while no tenant is configured.
_DEMO_TENANT: Final = "demo"

_SURFACES: Final[Mapping[str, SurfaceName]] = {name: name for name in get_args(SurfaceName)}
_SLUG: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
# Under these the sign-in service takes whoever comes, from any tenant.
_NO_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
# A host and perhaps a port: no user or password, which would end in messages.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Paths:
    """What can be known without a sign-in: enough to list hunts and to query the lake."""

    tenant_id: str
    data: Path
    hunts: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an export needs. Its ``repr`` shows no secret.

    ``client_id`` is empty where an Azure resource signs in as itself, which needs none.
    """

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


def default_logins() -> Path:
    """Where a person's tokens are kept unless HUNTLAKE_LOGINS says otherwise.

    Never in the data folder, which is copied and shared with the lake. It is no absolute path for a
    user without a home, as some containers have it.
    """
    # By the XDG convention a relative path there counts as unset.
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else Path(os.path.expanduser("~/.local/state"))  # noqa: PTH111 - raises nothing
    return base / "huntlake" / "logins"


def load_paths(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Paths:
    """The tenant and the folders. Raises ``SettingsError`` for a tenant that can't be one."""
    reader = _Reader(environ, root)
    paths = _paths(reader, reader.optional("AZURE_TENANT_ID", _slug) or _DEMO_TENANT)
    reader.raise_problems()
    return paths


def load_limits(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Limits:
    """What the service allows, which takes no sign-in. Raises ``SettingsError``."""
    reader = _Reader(environ, root)
    limits = _limits(reader)
    reader.raise_problems()
    return limits


def load_settings(environ: Mapping[str, str] | None = None, *, root: Path = PROJECT) -> Settings:
    """All settings. Raises one ``SettingsError`` that names everything missing or contradictory."""
    reader = _Reader(environ, root)
    tenant_id = reader.required("AZURE_TENANT_ID", "your tenant's id or domain", _slug)
    identity = _identity(reader)
    paths = _paths(reader, tenant_id or _DEMO_TENANT)
    settings = Settings(
        tenant_id=paths.tenant_id,
        client_id=reader.optional("AZURE_CLIENT_ID", str) or "",
        # The empty one never leaves this function: what is missing is raised below.
        identity=identity or ClientSecret(""),
        authority_host=reader.optional("AZURE_AUTHORITY_HOST", _host) or DEFAULT_AUTHORITY_HOST,
        surface=reader.optional("HUNTLAKE_SURFACE", _surface) or "graph",
        api_url=reader.optional("HUNTLAKE_API_URL", _https_url),
        ca_bundle=reader.optional("HUNTLAKE_CA_BUNDLE", reader.file),
        data=paths.data,
        hunts=paths.hunts,
        limits=_limits(reader),
    )
    for problem in contradictions(settings.surface, settings.api_url, settings.authority_host):
        reader.problem(problem)
    if isinstance(identity, DeviceCode) and identity.logins.is_relative_to(paths.data):
        reader.problem(
            f"HUNTLAKE_LOGINS: {identity.logins} lies in the data folder, which is copied and "
            f"shared; a person's tokens must not be"
        )
    reader.raise_problems()
    return settings


class _Reader:
    """Reads settings one by one and keeps what is wrong with them for the end."""

    def __init__(self, environ: Mapping[str, str] | None, root: Path) -> None:
        self._root = root
        self._values = _values(environ, root)
        self._problems: list[str] = []

    def optional(self, name: str, parse: Callable[[str], _T]) -> _T | None:
        text = self._values.get(name, "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.problem(f"{name}: {error}")
            return None

    def required(self, name: str, what: str, parse: Callable[[str], str] = str) -> str | None:
        if not self._values.get(name, "").strip():
            self.problem(f"{name} is not set: {what}")
            return None
        return self.optional(name, parse)

    def path(self, text: str) -> Path:
        # Relative to the project, not to wherever a command or a daemon was started.
        return (self._root / Path(text).expanduser()).absolute()

    def file(self, text: str) -> Path:
        path = self.path(text)
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
        return path

    def problem(self, text: str) -> None:
        self._problems.append(text)

    def raise_problems(self) -> None:
        if self._problems:
            lines = "\n".join(f"  - {problem}" for problem in self._problems)
            raise SettingsError(
                f"settings are missing or wrong; set them in the environment or in "
                f"{self._root / '.env'} (see .env.example):\n{lines}"
            )


def _values(environ: Mapping[str, str] | None, root: Path) -> Mapping[str, str]:
    try:
        found = dotenv_values(root / ".env")
    except UnicodeDecodeError as error:
        # Without its cause, which would quote the file.
        raise SettingsError(
            f"{root / '.env'} is not written in UTF-8 ({error.reason}): save it anew as UTF-8"
        ) from None
    from_file = {key: value for key, value in found.items() if value}
    return {**from_file, **(os.environ if environ is None else environ)}


def _paths(reader: _Reader, tenant_id: str) -> Paths:
    return Paths(
        tenant_id=tenant_id,
        data=reader.optional("HUNTLAKE_DATA", reader.path) or reader.path("data"),
        hunts=reader.optional("HUNTLAKE_HUNTS", reader.path) or reader.path("assets/hunts"),
    )


def _limits(reader: _Reader) -> Limits:
    return reader.optional("HUNTLAKE_LIMITS", parse_limits) or parse_limits("seed")


def _identity(reader: _Reader) -> Identity | None:
    texts = {part: reader.optional(name, str) for part, name in ENVIRONMENT.items()}
    parts = SignInParts(
        {part: text for part, text in texts.items() if text is not None},
        reader.problem,
        file=reader.file,
        folder=reader.path,
        default_logins=default_logins(),
    )
    return parts.identity()


def _slug(text: str) -> str:
    # It becomes a part of paths and of the sign-in's URL.
    if _SLUG.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is neither a tenant id (a GUID) nor a domain such as contoso.com"
        )
    if text.lower() in _NO_TENANTS:
        raise ValueError(f"{text!r} names no tenant, and rows of different ones must not mix")
    return text


def _surface(text: str) -> SurfaceName:
    if text not in _SURFACES:
        raise ValueError(f"{text!r} is no surface; there are {', '.join(_SURFACES)}")
    return _SURFACES[text]


def _host(text: str) -> str:
    host = text.removeprefix("https://").rstrip("/").lower()
    if _HOST.fullmatch(host) is None:
        raise ValueError(f"{text!r} is no host such as {DEFAULT_AUTHORITY_HOST}, over https")
    return host


def _https_url(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("it must begin with https://, since a token is sent there")
    url = text.rstrip("/")
    host, slash, path = url.removeprefix("https://").partition("/")
    if _HOST.fullmatch(host) is None or _PATH.fullmatch(slash + path) is None:
        raise ValueError("it must be https:// and a host, and perhaps a port and a path")
    return url

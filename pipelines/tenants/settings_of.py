"""The settings of a tenant of the file: its entry, and the secrets that it names.

What belongs here: looking its secrets up, in the environment, in ``.env`` and in files. What does
not: choosing a sign-in (``identity``). No message shows a secret.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelines.clouds import CLOUDS
from pipelines.environment import Environment
from pipelines.identity import PARTS, ClientSecret, Identity, Part, SignInParts
from pipelines.settings import (
    Settings,
    ca_bundle_of,
    default_logins,
    paths_of,
    refuse_logins_in,
)
from pipelines.tenants.entry import SignInEntry, TenantEntry

_PLAIN: Final[tuple[Part, ...]] = (
    "client_id",
    "certificate_path",
    "federated_token_file",
    "logins",
)
_SECRETS: Final[Mapping[Part, str]] = {
    "client_secret": "a client secret of the app registration",
    "certificate_password": "the password of the certificate's key",
}


def settings_of(entry: TenantEntry, environ: Mapping[str, str] | None, root: Path) -> Settings:
    """All settings of a tenant. Raises one ``SettingsError`` that names all that is missing."""
    environment = Environment(environ, root, whose=f"tenant {entry.name} ({entry.where}): ")
    paths = paths_of(environment, entry.id)
    identity = _identity(entry.sign_in, environment)
    settings = Settings(
        tenant=entry.name,
        tenant_id=entry.id,
        client_id=entry.sign_in.given.get("client_id", ""),
        # The empty one never leaves this function: what is missing is raised below.
        identity=identity or ClientSecret(""),
        authority_host=entry.authority_host or CLOUDS[entry.cloud].authority,
        surface=entry.surface,
        api_url=entry.api_url,
        ca_bundle=ca_bundle_of(environment),
        data=paths.data,
        hunts=paths.hunts,
        limits=entry.limits,
        cloud=entry.cloud,
        region=entry.region,
        names=entry.names,
    )
    refuse_logins_in(environment, identity, paths.data, f"`logins:` ({entry.sign_in.where})")
    environment.raise_problems()
    return settings


def _identity(sign_in: SignInEntry, environment: Environment) -> Identity | None:
    texts: dict[Part, str] = {"sign_in": sign_in.kind}
    for part in _PLAIN:
        if part in sign_in.given:
            texts[part] = sign_in.given[part]
    for part, what in _SECRETS.items():
        secret = _secret(part, what, sign_in, environment)
        if secret is not None:
            texts[part] = secret
    if _lacks_secret(sign_in, texts):
        # What is missing was told, by the name of the variable or the file.
        return None
    parts = SignInParts(
        texts,
        environment.problem,
        file=environment.file,
        folder=environment.path,
        default_logins=default_logins(),
        names={part: sign_in.name_of(part) for part in PARTS},
    )
    return parts.identity()


def _secret(part: Part, what: str, sign_in: SignInEntry, environment: Environment) -> str | None:
    if variable := sign_in.given.get(f"{part}_env"):
        return environment.required(variable, what)
    if file := sign_in.given.get(f"{part}_file"):
        return _content(f"`{part}_file:` ({sign_in.where})", file, environment)
    return None


def _content(name: str, file: str, environment: Environment) -> str | None:
    try:
        content = environment.file(file).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        # Without its cause, which would quote the file.
        environment.problem(f"{name}: {file} is not written in UTF-8; save it anew as UTF-8")
        return None
    except (OSError, ValueError) as error:
        environment.problem(f"{name}: {error}")
        return None
    if not content:
        environment.problem(f"{name}: {file} is empty")
    return content or None


def _lacks_secret(sign_in: SignInEntry, texts: Mapping[Part, str]) -> bool:
    return any(
        part not in texts and (f"{part}_env" in sign_in.given or f"{part}_file" in sign_in.given)
        for part in _SECRETS
    )

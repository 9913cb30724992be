"""What the tenants file says of one tenant, checked; never a secret.

What belongs here: the values. What does not: reading the file (``file``), or what follows from an
entry (``deployment``, ``selection``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pipelines.clouds import Cloud, Region
from pipelines.hunts import SurfaceName
from pipelines.identity import Kind, Part
from pipelines.quota import Limits
from pipelines.setting_names import Names

# What a sign-in of each kind may be given. A secret stands elsewhere: `_env` names a variable of
# the environment, `_file` a file that has nothing else in it.
SIGN_IN_KEYS: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "secret": ("client_id", "client_secret_env", "client_secret_file"),
        "certificate": (
            "client_id",
            "certificate_path",
            "certificate_password_env",
            "certificate_password_file",
        ),
        "managed-identity": ("client_id",),
        "workload-identity": ("client_id", "federated_token_file"),
        "device-code": ("client_id", "logins"),
    }
)


# The parts that are secrets.
SECRETS: Final[tuple[Part, ...]] = ("client_secret", "certificate_password")


@dataclass(frozen=True, slots=True)
class SignInEntry:
    """How one signs in to a tenant: the kind, and by key what it needs or where that is."""

    kind: Kind
    given: Mapping[str, str]
    where: str

    def name_of(self, part: Part) -> str:
        """What a part of it is called, for messages: its key, and where that stands."""
        key = "kind" if part == "sign_in" else str(part)
        if part in SECRETS:
            # Where the secret is, which is not in the file.
            key = f"{part}_file" if f"{part}_file" in self.given else f"{part}_env"
            key = f"{key}: {self.given[key]}" if key in self.given else f"{key}:"
            return f"`{key}` ({self.where})"
        return f"`{key}:` ({self.where})"


@dataclass(frozen=True, slots=True)
class TenantEntry:
    """One tenant of the file. ``hunts`` choose among the catalogue's; none: all of them.

    ``where`` is the entry's file and line, ``hunts_where`` that of its choice of hunts.
    """

    name: str
    id: str
    sign_in: SignInEntry
    limits: Limits
    where: str
    surface: SurfaceName = "graph"
    cloud: Cloud = "commercial"
    region: Region | None = None
    api_url: str | None = None
    authority_host: str | None = None
    hunts: tuple[str, ...] = ()
    hunts_where: str = ""
    names: Names = field(default_factory=Names)

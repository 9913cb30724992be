"""What huntlake signs in with: one value for each kind of credential.

What belongs here: the values; their ``repr`` shows no secret. What does not: reading them from
settings (``settings``, ``tenants``), or signing in (``api.signin``).
"""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret of the app registration."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key with its certificate, in PEM or PKCS 12, and the password that opens it, if any."""

    path: Path
    password: str | None = field(default=None, repr=False)


Identity = ClientSecret | Certificate

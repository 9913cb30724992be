"""What a tenant's settings are called: in the environment, or in the tenants file.

What belongs here: the names, and putting those that were used into a message. What does not: the
settings (``settings``), or reading either (``environment``, ``tenants``).
"""

import re
from dataclasses import astuple, dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Names:
    """What a tenant's settings are called where they were set, for messages."""

    surface: str = "HUNTLAKE_SURFACE"
    api_url: str = "HUNTLAKE_API_URL"
    authority_host: str = "AZURE_AUTHORITY_HOST"
    tenant_id: str = "AZURE_TENANT_ID"
    sign_in: str = "HUNTLAKE_SIGN_IN"
    client_id: str = "AZURE_CLIENT_ID"
    client_secret: str = "AZURE_CLIENT_SECRET"  # noqa: S105 - a name
    certificate_path: str = "AZURE_CLIENT_CERTIFICATE_PATH"
    certificate_password: str = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - a name
    federated_token_file: str = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 - a name
    logins: str = "HUNTLAKE_LOGINS"

    def said(self, text: str) -> str:
        """A message that names settings as the environment does, with the names that were used."""
        used = dict(zip(astuple(ENVIRONMENT_NAMES), astuple(self), strict=True))
        return _VARIABLE.sub(lambda found: used.get(found[0], found[0]), text)


ENVIRONMENT_NAMES: Final = Names()
_VARIABLE: Final = re.compile(r"\b(?:AZURE|HUNTLAKE)_[A-Z_]+\b")

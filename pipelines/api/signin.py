"""Where a client has its tokens from.

What belongs here: what every kind of sign-in offers, and choosing the kind. What does not: signing
in as an application (``application``), as an Azure resource (``managed``) or as a person
(``person``); what a token is used for (``client``).
"""

from typing import Protocol

from pipelines.api.application import ApplicationTokens
from pipelines.api.managed import ManagedIdentityTokens
from pipelines.api.person import PersonTokens
from pipelines.api.surfaces import Surface
from pipelines.identity import DeviceCode, ManagedIdentity
from pipelines.settings import Settings


class TokenSource(Protocol):
    """Where a client has its tokens from."""

    def token(self) -> str:
        """A token that is good for a while. Raises ``SignInError``."""
        ...

    def discard(self) -> None:
        """Forget the token that was refused, so that the next one is fresh."""
        ...

    def close(self) -> None:
        """Close the connection to the sign-in service."""
        ...


def token_source(settings: Settings, surface: Surface) -> TokenSource:
    """Signs in as the settings say, for the surface's audience."""
    identity = settings.identity
    scope = surface.called_by(identity).scope(settings.api_url)
    if isinstance(identity, ManagedIdentity):
        return ManagedIdentityTokens(settings, identity, scope)
    if isinstance(identity, DeviceCode):
        return PersonTokens(settings, identity, scope)
    return ApplicationTokens(settings, identity, scope)

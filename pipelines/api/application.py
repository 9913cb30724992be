"""Signing in as an application: with a secret, a certificate, or another issuer's token.

What belongs here: the application's tokens. What does not: what it signs in with (``credential``),
and what a failure means (``signin_failures``). Nothing here prints, stores or raises a token.

The tokens live in memory alone. They last an hour or more and a process needs one for each surface,
so a file would spare one request a process, and be one more place where tokens lie.
"""

import msal

from pipelines.api.authority import at_authority, http_to_authority
from pipelines.api.credential import Credential, credential
from pipelines.api.signin_failures import MSAL_RAISES, not_had, token_of
from pipelines.errors import SettingsError
from pipelines.settings import Settings


class ApplicationTokens:
    """An application's tokens. msal keeps them in memory and renews them before they expire."""

    def __init__(self, settings: Settings, identity: Credential, scope: str) -> None:
        self._settings = settings
        self._identity = identity
        self._scope = scope
        self._http = http_to_authority(settings)
        self._application: msal.ConfidentialClientApplication | None = None

    def token(self) -> str:
        """See ``TokenSource``."""
        try:
            answer = self._signed_in().acquire_token_for_client(scopes=[self._scope])
        except SettingsError as error:
            raise SettingsError(self._settings.names.said(str(error))) from error
        except MSAL_RAISES as error:
            raise not_had(self._settings, error) from error
        return token_of(self._settings, answer)

    def discard(self) -> None:
        """See ``TokenSource``."""
        # msal's own way to forget asks Microsoft's hosts for their aliases first, and may fail. A
        # new application signs in anew, with the certificate as it is by then.
        self._application = None

    def close(self) -> None:
        """See ``TokenSource``."""
        self._http.close()

    def _signed_in(self) -> msal.ConfidentialClientApplication:
        if self._application is None:
            self._application = msal.ConfidentialClientApplication(
                self._settings.client_id,
                client_credential=credential(self._identity),
                http_client=self._http,
                **at_authority(self._settings),
            )
        return self._application

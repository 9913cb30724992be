"""The one TLS context: the usual authorities, and a private one beside them.

What belongs here: trust. What does not: connections.
"""

import os
import ssl

import httpx

from pipelines.errors import SettingsError
from pipelines.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A context for both sign-in and queries. Raises ``SettingsError`` for a bad bundle.

    It is handed to httpx whole. SSL_CERT_FILE may replace the usual authorities, as it does for
    other programs; no variable of the environment can replace HUNTLAKE_CA_BUNDLE.
    """
    try:
        context = httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"SSL_CERT_FILE: {os.environ.get('SSL_CERT_FILE')} holds no certificates in PEM "
            f"({error}); unset it, or see HUNTLAKE_CA_BUNDLE"
        ) from error
    if settings.ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"HUNTLAKE_CA_BUNDLE: {settings.ca_bundle} holds no certificates in PEM ({error})"
            ) from error
    return context

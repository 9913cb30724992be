"""The one TLS context: the usual authorities, and a private one beside them.

What belongs here: trust. What does not: connections.
"""

import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpx

from pipelines.errors import SettingsError
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class _Bundle:
    """A file of authorities, as it was when it was looked at."""

    path: Path
    written_ns: int
    size: int


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A context for both sign-in and queries. Raises ``SettingsError`` for a bad bundle.

    It is handed to httpx whole. SSL_CERT_FILE may replace the usual authorities, as it does for
    other programs; no variable of the environment can replace HUNTLAKE_CA_BUNDLE.
    """
    return _trusting(_as_it_is(settings.ca_bundle), os.environ.get("SSL_CERT_FILE"))


# Reading the authorities takes as long as many a query, and a process may serve a hundred tenants.
@lru_cache(maxsize=16)
def _trusting(bundle: _Bundle | None, usual: str | None) -> ssl.SSLContext:
    try:
        context = httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"SSL_CERT_FILE: {usual} holds no certificates in PEM ({error}); unset it, or see "
            f"HUNTLAKE_CA_BUNDLE"
        ) from error
    if bundle is not None:
        try:
            context.load_verify_locations(cafile=bundle.path)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"HUNTLAKE_CA_BUNDLE: {bundle.path} holds no certificates in PEM ({error})"
            ) from error
    return context


def _as_it_is(path: Path | None) -> _Bundle | None:
    """The bundle, another one once it was written anew."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return _Bundle(path, 0, 0)
    return _Bundle(path, status.st_mtime_ns, status.st_size)

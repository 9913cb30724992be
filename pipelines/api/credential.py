"""What the application signs in with, in msal's form.

What belongs here: reading a certificate, and telling what is wrong with it before anything is sent:
msal would tell of it in the same breath as of a network that fails. What does not: signing in.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificate

from pipelines.errors import SettingsError
from pipelines.identity import Certificate, ClientSecret, Identity, kind_of

_PFX_SUFFIXES: Final = (".pfx", ".p12")


def credential(identity: Identity) -> str | Mapping[str, Any]:
    """The secret or the certificate. Raises ``SettingsError`` for a file that is no certificate."""
    if isinstance(identity, ClientSecret):
        return identity.secret
    if not isinstance(identity, Certificate):
        raise SettingsError(f"no sign-in by {kind_of(identity)} yet: set a secret or a certificate")
    path, password = identity.path, identity.password
    passphrase = {"passphrase": password} if password else {}
    if path.suffix.lower() in _PFX_SUFFIXES:
        _read(path, password, _check_pfx)
        return {"private_key_pfx_path": str(path), **passphrase}
    text = _read(path, password, _check_pem).decode("utf-8", "replace")
    # msal computes the thumbprint by which the tenant knows the certificate.
    return {"private_key": text, "public_certificate": text, **passphrase}


def _read(path: Path, password: str | None, check: Callable[[bytes, bytes | None], None]) -> bytes:
    try:
        content = path.read_bytes()
        check(content, password.encode() if password else None)
    # TypeError: a password where none is wanted, or none where one is.
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"AZURE_CLIENT_CERTIFICATE_PATH: {path} is no key with its certificate, in PEM or (by "
            f"its name, .pfx or .p12) PKCS 12, that AZURE_CLIENT_CERTIFICATE_PASSWORD opens: "
            f"{error}"
        ) from error
    return content


def _check_pem(content: bytes, password: bytes | None) -> None:
    load_pem_x509_certificate(content)
    load_pem_private_key(content, password)


def _check_pfx(content: bytes, password: bytes | None) -> None:
    key, certificate, _ = pkcs12.load_key_and_certificates(content, password)
    if key is None or certificate is None:
        raise ValueError("it lacks one of the two")

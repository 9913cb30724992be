"""What an application signs in with, in msal's form.

What belongs here: reading a certificate or another issuer's token, and telling what is wrong with
it before anything is sent: msal would tell of it in the same breath as of a network that fails.
What does not: signing in.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509 import Certificate as X509Certificate
from cryptography.x509 import load_pem_x509_certificate

from pipelines.errors import SettingsError
from pipelines.identity import Certificate, ClientSecret, WorkloadIdentity

Credential = ClientSecret | Certificate | WorkloadIdentity

_PFX_SUFFIXES: Final = (".pfx", ".p12")
# A signed JWT. Whatever else lies in a file that was named by mistake is not sent anywhere.
_SIGNED_TOKEN: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def credential(identity: Credential) -> str | Mapping[str, Any]:
    """What msal signs in with. Raises ``SettingsError`` for a file that isn't what it should be."""
    if isinstance(identity, ClientSecret):
        return identity.secret
    if isinstance(identity, WorkloadIdentity):
        # Asked for at each sign-in: the platform renews the file while this process runs.
        return {"client_assertion": lambda: federated_token(identity)}
    passphrase = {"passphrase": identity.password} if identity.password else {}
    content, _ = _read(identity)
    if _is_pfx(identity.path):
        return {"private_key_pfx_path": str(identity.path), **passphrase}
    text = content.decode("utf-8", "replace")
    # msal computes the thumbprint by which the tenant knows the certificate.
    return {"private_key": text, "public_certificate": text, **passphrase}


def certificate(identity: Certificate) -> X509Certificate:
    """The certificate, without its key. Raises ``SettingsError`` as ``credential`` does."""
    return _read(identity)[1]


def federated_token(identity: WorkloadIdentity) -> str:
    """The token as it is now. Raises ``SettingsError`` for a file that holds none."""
    path = identity.token_file
    try:
        text = path.read_text("ascii").strip()
    # UnicodeDecodeError would quote what it could not read.
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it isn't text"
        raise SettingsError(f"AZURE_FEDERATED_TOKEN_FILE: {path} can't be read: {said}") from None
    if _SIGNED_TOKEN.fullmatch(text) is None:
        raise SettingsError(
            f"AZURE_FEDERATED_TOKEN_FILE: {path} holds no signed token (JWT): see that the "
            f"platform has written one there"
        )
    return text


def federated_claims(identity: WorkloadIdentity) -> Mapping[str, Any]:
    """What the token says of itself, unproven: it is for looking at, and the tenant proves it."""
    try:
        claims: Mapping[str, Any] = jwt.decode(
            federated_token(identity), options={"verify_signature": False}
        )
    except jwt.InvalidTokenError:
        raise SettingsError(
            f"AZURE_FEDERATED_TOKEN_FILE: {identity.token_file} holds no signed token (JWT): see "
            f"that the platform has written one there"
        ) from None
    return claims


def _is_pfx(path: Path) -> bool:
    return path.suffix.lower() in _PFX_SUFFIXES


def _read(identity: Certificate) -> tuple[bytes, X509Certificate]:
    path, password = identity.path, identity.password
    read: Callable[[bytes, bytes | None], X509Certificate] = _of_pfx if _is_pfx(path) else _of_pem
    try:
        content = path.read_bytes()
        return content, read(content, password.encode() if password else None)
    # TypeError: a password where none is wanted, or none where one is.
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"AZURE_CLIENT_CERTIFICATE_PATH: {path} is no key with its certificate, in PEM or (by "
            f"its name, .pfx or .p12) PKCS 12, that AZURE_CLIENT_CERTIFICATE_PASSWORD opens: "
            f"{error}"
        ) from error


def _of_pem(content: bytes, password: bytes | None) -> X509Certificate:
    load_pem_private_key(content, password)
    return load_pem_x509_certificate(content)


def _of_pfx(content: bytes, password: bytes | None) -> X509Certificate:
    key, found, _ = pkcs12.load_key_and_certificates(content, password)
    if key is None or found is None:
        raise ValueError("it lacks one of the two")
    return found

"""The stand-in's throw-away certificate authority.

What belongs here: certificates and keys on disk. What does not: who trusts them. They are good for
localhost alone and for a year; keys are readable by their owner only.
"""

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_YEAR: Final = timedelta(days=365)
_RENEW_BEFORE: Final = timedelta(days=30)
_RSA_BITS: Final = 2048
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A folder with the authority's certificate, and the server's with its key."""

    folder: Path

    @property
    def bundle(self) -> Path:
        """The authority's certificate, for those who are to trust it (PEM)."""
        return self.folder / "ca.pem"

    def server_context(self, now: datetime) -> ssl.SSLContext:
        """TLS for a server on localhost; certificates are made when missing or nearly over."""
        if not self._is_current(now):
            self._make(now)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server)
        return context

    @property
    def _server(self) -> Path:
        return self.folder / "server.pem"

    def _is_current(self, now: datetime) -> bool:
        if not self.bundle.exists() or not self._server.exists():
            return False
        certificate = x509.load_pem_x509_certificate(self.bundle.read_bytes())
        first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return first <= now < last - _RENEW_BEFORE

    def _make(self, now: datetime) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Written last, so that an interrupt never leaves a pair that doesn't match.
        self._server.unlink(missing_ok=True)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _named("huntlake stand-in authority")
        authority_certificate = (
            _certificate(authority, authority, authority_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(_key_id(authority_key), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        server_key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        server_certificate = (
            _certificate(_named("localhost"), authority, server_key.public_key(), now)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                critical=False,
            )
            .sign(authority_key, hashes.SHA256())
        )
        self.bundle.write_bytes(_pem(authority_certificate))
        write_private(self._server, _pem(server_key) + _pem(server_certificate))


def make_client_certificate(path: Path, now: datetime) -> x509.Certificate:
    """A key and a self-signed certificate in one PEM file, as an application signs in with."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    name = _named("huntlake test application")
    certificate = _certificate(name, name, key.public_key(), now).sign(key, hashes.SHA256())
    write_private(path, _pem(key) + _pem(certificate))
    return certificate


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A clock that is a little behind must not find it not valid yet.
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + _YEAR)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(thing: x509.Certificate | _PrivateKey) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

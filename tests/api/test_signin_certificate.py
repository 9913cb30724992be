"""Sign-in with a certificate: each form of file, and what is wrong with one."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from pipelines.errors import SettingsError, SignInError
from pipelines.identity import Certificate
from pipelines.settings import Settings
from pipelines.standin import Standin
from tests.api.test_signin import settings, standin, tokens_for

__all__ = ["settings", "standin"]


def test_a_certificate_signs_in(standin: Standin, settings: Settings) -> None:
    """A PEM file with key and certificate, known to the tenant."""
    by_certificate = replace(settings, identity=Certificate(standin.client_certificate()))
    with tokens_for(by_certificate) as tokens:
        assert standin.sign_in.find(tokens.token()) is not None


PASSWORD = b"the-password"


def a_file(source: Path, kind: str) -> Path:
    """The stand-in's certificate and key in another form of file."""
    content = source.read_bytes()
    certificate = load_pem_x509_certificate(content)
    key = load_pem_private_key(content, None)
    assert isinstance(key, RSAPrivateKey)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = BestAvailableEncryption(PASSWORD)
    public = certificate.public_bytes(Encoding.PEM)
    made = {
        "locked.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked) + public,
        "certificate-first.pem": public + plain,
        "locked.pfx": pkcs12.serialize_key_and_certificates(b"n", key, certificate, None, locked),
        "no-key.pem": public,
        "no-certificate.pem": plain,
        "no-certificate.p12": pkcs12.serialize_key_and_certificates(
            b"n", key, None, None, NoEncryption()
        ),
        "text.pem": b"text",
        "text.pfx": b"text",
    }
    path = source.with_name(kind)
    path.write_bytes(made[kind])
    return path


@pytest.mark.parametrize("kind", ["locked.pem", "certificate-first.pem", "locked.pfx"])
def test_each_form_of_certificate_signs_in(standin: Standin, settings: Settings, kind: str) -> None:
    """PEM or PKCS 12, with a password where it has one."""
    path = a_file(standin.client_certificate(), kind)
    password = PASSWORD.decode() if "locked" in kind else None
    by_certificate = replace(settings, identity=Certificate(path, password))
    with tokens_for(by_certificate) as tokens:
        assert standin.sign_in.find(tokens.token()) is not None


@pytest.mark.parametrize(
    ("kind", "password"),
    [
        ("locked.pem", None),
        ("locked.pem", "wrong-word"),
        ("locked.pfx", None),
        ("locked.pfx", "wrong-word"),
        ("certificate-first.pem", "not-wanted"),
        ("no-key.pem", None),
        ("no-certificate.pem", None),
        ("no-certificate.p12", None),
        ("text.pem", None),
        ("text.pfx", None),
        (None, None),
    ],
)
def test_a_certificate_that_is_no_good_is_a_setting_to_mend(
    standin: Standin, settings: Settings, kind: str | None, password: str | None
) -> None:
    """Nobody is asked for a token with it, and neither key nor password is shown."""
    path = standin.client_certificate()
    path = a_file(path, kind) if kind else path.with_name("gone.pem")
    by_certificate = replace(settings, identity=Certificate(path, password))
    with (
        tokens_for(by_certificate) as tokens,
        pytest.raises(SettingsError, match="AZURE_CLIENT_CERTIFICATE_PATH") as caught,
    ):
        tokens.token()
    assert "PRIVATE KEY" not in str(caught.value)
    assert password is None or password not in str(caught.value)


def test_a_certificate_that_nobody_registered_is_refused(
    standin: Standin, settings: Settings
) -> None:
    """The remedy is to upload it."""
    path = standin.client_certificate()
    standin.sign_in.certificates.clear()
    by_certificate = replace(settings, identity=Certificate(path))
    with tokens_for(by_certificate) as tokens, pytest.raises(SignInError, match="upload it"):
        tokens.token()

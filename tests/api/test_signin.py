"""Sign-in with real msal against the stand-in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.api import SURFACES, TokenSource, token_source
from pipelines.errors import SettingsError, SignInError
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin

Serve = Callable[..., Standin]


@contextmanager
def tokens_for(settings: Settings) -> Iterator[TokenSource]:
    tokens = token_source(settings, SURFACES[settings.surface])
    try:
        yield tokens
    finally:
        tokens.close()


@pytest.fixture
def standin(serve: Serve) -> Standin:
    return serve()


@pytest.fixture
def settings(standin: Standin, tmp_path: Path) -> Settings:
    return load_settings(standin.environment("xdr"), root=tmp_path)


def test_a_secret_gets_a_token_for_the_surface_s_audience(
    standin: Standin, settings: Settings
) -> None:
    """The token is good for the surface's resource, and is kept until it is discarded."""
    with tokens_for(settings) as tokens:
        first, second = tokens.token(), tokens.token()
        tokens.discard()
        third = tokens.token()
    assert first == second != third
    found = standin.sign_in.find(first)
    assert found is not None
    assert found.resource == "https://api.security.microsoft.com"


def test_a_certificate_signs_in(standin: Standin, settings: Settings) -> None:
    """A PEM file with key and certificate, known to the tenant."""
    by_certificate = replace(
        settings, client_secret=None, certificate_path=standin.client_certificate()
    )
    with tokens_for(by_certificate) as tokens:
        assert standin.sign_in.find(tokens.token()) is not None


def test_a_certificate_that_nobody_registered_is_refused(
    standin: Standin, settings: Settings
) -> None:
    """The remedy is to upload it."""
    path = standin.client_certificate()
    standin.sign_in.certificates.clear()
    by_certificate = replace(settings, client_secret=None, certificate_path=path)
    with tokens_for(by_certificate) as tokens, pytest.raises(SignInError, match="upload it"):
        tokens.token()


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"client_secret": "wrong-secret"}, "AZURE_CLIENT_SECRET is wrong"),
        (
            {"client_id": "11111111-0000-4000-8000-000000000000"},
            "AZURE_CLIENT_ID is no application",
        ),
        ({"tenant_id": "elsewhere.example"}, "AZURE_TENANT_ID"),
        ({"authority_host": "localhost:1"}, "AZURE_AUTHORITY_HOST"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(
    settings: Settings, change: dict[str, str], remedy: str
) -> None:
    """msal's dictionaries and exceptions become one error, without the secret."""
    with (
        tokens_for(replace(settings, **change)) as tokens,
        pytest.raises(SignInError, match=remedy) as caught,
    ):
        tokens.token()
    assert "wrong-secret" not in str(caught.value)
    assert settings.client_secret is not None
    assert settings.client_secret not in str(caught.value)


def test_a_refusal_keeps_the_correlation_id(settings: Settings) -> None:
    """It is what Microsoft's support asks for."""
    with (
        tokens_for(replace(settings, client_secret="no")) as tokens,
        pytest.raises(SignInError) as caught,
    ):
        tokens.token()
    assert caught.value.code == "AADSTS7000215"
    assert caught.value.request_id
    assert caught.value.request_id in str(caught.value)


def test_an_unknown_authority_is_not_trusted(settings: Settings) -> None:
    """Without HUNTLAKE_CA_BUNDLE the stand-in's certificate is refused."""
    with (
        tokens_for(replace(settings, ca_bundle=None)) as tokens,
        pytest.raises(SignInError, match="HUNTLAKE_CA_BUNDLE"),
    ):
        tokens.token()


def test_the_environment_s_authorities_do_not_replace_ours(
    standin: Standin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corporate machines set these, and requests would believe them before us."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nonexistent.pem")
    with tokens_for(settings) as tokens:
        assert standin.sign_in.find(tokens.token()) is not None


def test_a_bundle_that_is_none_is_named(settings: Settings, tmp_path: Path) -> None:
    """A wrong file is a setting to be mended, not a failed connection."""
    path = tmp_path / "bundle.pem"
    path.write_text("no certificate")
    with pytest.raises(SettingsError, match="HUNTLAKE_CA_BUNDLE"):
        token_source(replace(settings, ca_bundle=path), SURFACES["xdr"])


@pytest.mark.parametrize(
    ("surface", "api_url", "scope"),
    [
        ("graph", None, "https://graph.microsoft.com/.default"),
        ("graph", "https://graph.microsoft.us", "https://graph.microsoft.us/.default"),
        (
            "xdr",
            "https://eu.api.security.microsoft.com",
            "https://api.security.microsoft.com/.default",
        ),
        (
            "xdr",
            "https://api-gov.security.microsoft.us",
            "https://api-gov.security.microsoft.us/.default",
        ),
        ("mde", "https://proxy.example", "https://api.securitycenter.microsoft.com/.default"),
    ],
)
def test_the_scope_follows_the_cloud(surface: str, api_url: str | None, scope: str) -> None:
    """Each national cloud has its own audience; regions and proxies have the commercial one."""
    assert SURFACES[surface].scope(api_url) == scope

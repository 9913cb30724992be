"""Sign-in with real msal against the stand-in."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest

from pipelines.api import SURFACES, TokenSource, token_source
from pipelines.api.signin_failures import refused
from pipelines.errors import SettingsError, SignInError, SignInUnavailable
from pipelines.identity import ClientSecret
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


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"identity": ClientSecret("wrong-secret")}, "AZURE_CLIENT_SECRET is wrong"),
        (
            {"client_id": "11111111-0000-4000-8000-000000000000"},
            "AZURE_CLIENT_ID is no application",
        ),
        ({"tenant_id": "elsewhere.example"}, "AZURE_TENANT_ID is no tenant of this cloud"),
        ({"authority_host": "localhost:1"}, "AZURE_AUTHORITY_HOST"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(
    settings: Settings, change: dict[str, Any], remedy: str
) -> None:
    """msal's dictionaries and exceptions become one error, without the secret."""
    with (
        tokens_for(replace(settings, **change)) as tokens,
        pytest.raises(SignInError, match=remedy) as caught,
    ):
        tokens.token()
    assert "wrong-secret" not in str(caught.value)
    assert isinstance(settings.identity, ClientSecret)
    assert settings.identity.secret not in str(caught.value)


def test_a_refusal_keeps_the_correlation_id(settings: Settings) -> None:
    """It is what Microsoft's support asks for."""
    with (
        tokens_for(replace(settings, identity=ClientSecret("no"))) as tokens,
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


@pytest.mark.parametrize(
    ("status", "content"), [(500, b"broken"), (503, b"{}"), (200, b"<html>portal"), (200, b"")]
)
def test_a_sign_in_service_that_fails_is_one_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int, content: bytes
) -> None:
    """msal raises errors of four libraries; whichever it is, the command tells what to check."""

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with tokens_for(settings) as tokens, pytest.raises(SignInError, match="AZURE_AUTHORITY_HOST"):
        tokens.token()


def test_a_sign_in_that_fails_after_discovery_is_one_error(
    standin: Standin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token's own request meets a broken service."""
    with tokens_for(settings) as tokens:
        tokens.token()
        tokens.discard()

        def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            return httpx.Response(502, content=b"bad gateway")

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
        with pytest.raises(SignInError, match="AZURE_AUTHORITY_HOST"):
            tokens.token()


@pytest.mark.parametrize(
    ("host", "looked_up"),
    [
        ("login.microsoftonline.com", True),
        ("login.microsoftonline.us", True),
        ("login.example", False),
        ("localhost:1", False),
    ],
)
def test_only_hosts_of_microsoft_s_are_looked_up_with_microsoft(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, host: str, looked_up: bool
) -> None:
    """msal's instance discovery would send a private host's name there, and then refuse it."""
    asked: list[dict[str, object]] = []

    class Application:
        def __init__(self, client_id: str, **arguments: object) -> None:
            asked.append(arguments)

        def acquire_token_for_client(self, scopes: list[str]) -> dict[str, str]:
            return {"access_token": "a-token"}

    monkeypatch.setattr(msal, "ConfidentialClientApplication", Application)
    with tokens_for(replace(settings, authority_host=host)) as tokens:
        assert tokens.token() == "a-token"
    [arguments] = asked
    assert arguments["instance_discovery"] is looked_up
    assert arguments["authority"] == f"https://{host}/{settings.tenant_id}"


def test_to_discard_a_token_asks_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that fails just then is the next sign-in's error, which has a name."""
    host = "login.microsoftonline.com"
    reachable = True

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if not reachable:
            raise httpx.ConnectError("gone")
        base = f"https://{host}/{settings.tenant_id}"
        discovery = {"authorization_endpoint": f"{base}/a", "token_endpoint": f"{base}/t"}
        token = {"access_token": "a-token", "expires_in": 3600}
        return httpx.Response(200, json={"issuer": base, **discovery, **token})

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with tokens_for(replace(settings, authority_host=host)) as tokens:
        tokens.token()
        reachable = False
        tokens.discard()
        with pytest.raises(SignInUnavailable, match="gone"):
            tokens.token()


DISCOVERY = {
    "issuer": "https://localhost:1/contoso.com/v2.0",
    "authorization_endpoint": "https://localhost:1/authorize",
    "token_endpoint": "https://localhost:1/token",
}
DISCOVERED = httpx.Response(200, json=DISCOVERY)


@pytest.mark.parametrize(
    ("status", "content", "passes"),
    [
        (503, b"<h1>Service Unavailable</h1>", True),
        (500, b'{"error": "server_error"}', True),
        (400, b'{"error": "temporarily_unavailable"}', True),
        (400, b'{"error": "x", "error_description": "AADSTS90033: A transient error"}', True),
        (401, b'{"error": "invalid_client", "error_description": "AADSTS7000215: no"}', False),
        (400, b'{"error": "invalid_scope"}', False),
    ],
)
def test_a_sign_in_that_may_pass_is_told_from_one_that_won_t(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int, content: bytes, passes: bool
) -> None:
    """An export of hours renews its token in the middle; that must survive a minute's trouble."""
    answers = iter([DISCOVERED, httpx.Response(status, content=content)])

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return next(answers)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with (
        tokens_for(replace(settings, authority_host="localhost:1")) as tokens,
        pytest.raises(SignInError) as caught,
    ):
        tokens.token()
    assert isinstance(caught.value, SignInUnavailable) is passes


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("before", [(), (DISCOVERED,)], ids=["discovery", "token"])
@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b"<html>",
        b'{"access_token": 5}',
        b'{"access_token": "a-token\\n"}',
        b'{"access_token": "a-t\xc3\xb6ken"}',
        b'{"access_token": "a-token"} and more',
        b'{"access_token": "a-token", "expires_in": {}}',
        b'{"access_token": "a-token", "expires_in": "soon"}',
        b'{"access_token": "a-token", "id_token": "none"}',
        b'{"error": {"code": 1}}',
        b'{"error": "x", "error_description": null}',
        b'{"error": "x", "error_description": ""}',
    ],
)
def test_an_answer_that_makes_no_sense_is_one_error(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    before: tuple[httpx.Response, ...],
    content: bytes,
    status: int,
) -> None:
    """A portal or a broken gateway in between; msal would fail over it, or log a token whole."""
    answers = iter([*before, httpx.Response(status, content=content)])

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return next(answers)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "an-application",
        "AZURE_CLIENT_SECRET": "the-secret",
        "AZURE_AUTHORITY_HOST": "localhost:1",
    }
    settings = load_settings(environment, root=Path("/nowhere"))
    caplog.set_level(logging.DEBUG)
    with tokens_for(settings) as tokens, pytest.raises(SignInError) as caught:
        tokens.token()
    for hidden in ("a-token", "the-secret"):
        assert hidden not in str(caught.value) + caplog.text


def test_no_repr_shows_the_secret_or_a_token(settings: Settings) -> None:
    """Neither of the settings nor of what signs in with them."""
    with tokens_for(settings) as tokens:
        assert isinstance(settings.identity, ClientSecret)
        hidden = (tokens.token(), settings.identity.secret)
        shown = repr(settings) + repr(tokens)
    assert not any(word in shown for word in hidden if word)


@pytest.mark.parametrize(
    ("host", "endpoint", "trusted"),
    [
        ("localhost:1", "https://localhost:1/token", True),
        ("localhost:1", "https://localhost:2/token", False),
        ("localhost:1", "http://localhost:1/token", False),
        ("localhost:1", "https://login.microsoftonline.com/token/x", False),
        ("login.microsoftonline.com", "https://login.microsoftonline.com/x/token", True),
        ("login.microsoftonline.com", "https://login.windows.net/x/token", True),
        ("login.microsoftonline.com", "https://login.microsoftonline.com.evil.example/x", False),
    ],
)
def test_a_secret_goes_nowhere_but_to_the_authority(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    endpoint: str,
    trusted: bool,
) -> None:
    """Wherever discovery points to: a forged answer would else have the secret sent there."""
    sent: list[str] = []

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        token = {"access_token": "a-token", "expires_in": 3600}
        return httpx.Response(200, json={**DISCOVERY, "token_endpoint": endpoint, **token})

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with tokens_for(replace(settings, authority_host=host)) as tokens:
        if trusted:
            assert tokens.token() == "a-token"
        else:
            # In plain HTTP msal itself goes nowhere.
            with pytest.raises(SignInError, match=r"so nothing is sent there|an https url"):
                tokens.token()
    assert sent == (["GET", "POST"] if trusted else ["GET"])


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("AADSTS7000218: must contain the parameter: 'client_assertion' or 'x'.\r\nTrace", True),
        ("{'access_token': 'hidden-word', 'x': 1}", False),
        ('{"refresh_token":"hidden-word"}', False),
        ("client_secret=hidden-word", False),
    ],
)
def test_a_description_that_holds_a_token_is_not_shown(
    settings: Settings, description: str, shown: bool
) -> None:
    """What the service writes is quoted, but for what nobody may see."""
    error = refused(settings, {"error": "x", "error_description": description})
    assert "hidden-word" not in str(error)
    assert ("must contain" in str(error)) is shown
    assert "Trace" not in str(error)

"""Managed identities, with real msal against the stand-in's endpoints."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import jwt
import pytest

from pipelines.api import SURFACES, TokenSource, token_source
from pipelines.errors import SettingsError, SignInError, SignInUnavailable
from pipelines.identity import ManagedIdentity
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin

Serve = Callable[..., Standin]
USER_ASSIGNED = "22222222-0000-4000-8000-000000000000"
TENANT = "aaaaaaaa-0000-4000-8000-000000000000"
PLATFORM = (
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "AZUREPS_HOST_ENVIRONMENT",
)


@pytest.fixture
def standin(serve: Serve) -> Standin:
    return serve()


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run, it shows no platform."""
    for name in PLATFORM:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["App Service", "virtual machine"])
def platform(
    request: pytest.FixtureRequest, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of the platforms, which the stand-in plays, behind a proxy that reaches nothing."""
    if request.param == "App Service":
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{standin.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", standin.sign_in.managed.header)
    else:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", standin.url)
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")


@pytest.fixture
def settings(standin: Standin, tmp_path: Path) -> Settings:
    environment = {
        **standin.environment("graph"),
        "HUNTLAKE_SIGN_IN": "managed-identity",
        "AZURE_CLIENT_ID": "",
    }
    return load_settings(environment, root=tmp_path)


def opened(settings: Settings) -> TokenSource:
    return token_source(settings, SURFACES[settings.surface])


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("client_id", [None, USER_ASSIGNED])
def test_the_resource_gets_a_token_for_the_surface(
    standin: Standin, settings: Settings, client_id: str | None
) -> None:
    """As itself or as the identity that it was given; a proxy isn't asked for what is near."""
    # It has the one that is asked for, and not the other.
    standin.sign_in.managed.has_own = client_id is None
    standin.sign_in.managed.assigned.add(USER_ASSIGNED)
    tokens = opened(replace(settings, identity=ManagedIdentity(client_id)))
    first, second = tokens.token(), tokens.token()
    tokens.discard()
    third = tokens.token()
    tokens.close()
    assert first == second != third
    found = standin.sign_in.find(first)
    assert found is not None
    assert found.resource == "https://graph.microsoft.com"


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("client_id", "named"),
    [(None, "this machine's managed identity"), (USER_ASSIGNED, USER_ASSIGNED)],
)
def test_an_identity_that_is_not_there_is_named(
    standin: Standin, settings: Settings, client_id: str | None, named: str
) -> None:
    """With which setting chose it."""
    standin.sign_in.managed.has_own = False
    tokens = opened(replace(settings, identity=ManagedIdentity(client_id)))
    with pytest.raises(SignInError, match="AZURE_CLIENT_ID names a user-assigned") as caught:
        tokens.token()
    assert named in str(caught.value)
    assert not isinstance(caught.value, SignInUnavailable)


def test_a_machine_without_an_endpoint_is_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was tried, and that another kind can be chosen."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    with pytest.raises(SignInError, match="no managed identity answers on this machine") as caught:
        opened(settings).token()
    assert "HUNTLAKE_SIGN_IN" in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"IDENTITY_ENDPOINT": "http://far.example/token", "IDENTITY_HEADER": "hidden"}, "plain"),
        ({"IDENTITY_ENDPOINT": "http://8.8.8.8/token", "IDENTITY_HEADER": "hidden"}, "plain HTTP"),
        ({"MSI_ENDPOINT": "http://far.example/token", "MSI_SECRET": "hidden"}, "MSI_ENDPOINT"),
        (
            {
                "IDENTITY_ENDPOINT": "https://localhost:1",
                "IDENTITY_HEADER": "hidden",
                "IDENTITY_SERVER_THUMBPRINT": "0",
            },
            "Service Fabric",
        ),
        ({"AZUREPS_HOST_ENVIRONMENT": "cloud-shell/1.0"}, "device-code"),
    ],
)
def test_an_endpoint_that_can_t_be_used_is_a_setting_to_mend(
    settings: Settings,
    environment: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A far one over plain HTTP above all: neither header nor token goes there."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: pytest.fail("sent"))
    with pytest.raises(SettingsError, match=message) as caught:
        opened(settings).token()
    assert "hidden" not in str(caught.value)


TOKEN = "eyJ-a-token"


# Status, body, and whether trying again may help.
FAILURES = [
    (500, b'{"statusCode": 500, "message": "broken"}', True),
    (429, b'{"statusCode": 429, "message": "slower"}', True),
    (400, b'{"statusCode": 400, "message": "no"}', False),
    (404, b"<h1>nothing here</h1>", True),
    (200, b"", True),
    (401, b"who are you?", False),
    # Of this msal's description may be the whole of it.
    (200, b'{"access_token": "eyJ-a-token", "expires_on": "", "expires_in": "soon"}', False),
]
SHOWN_BY: dict[str, dict[str, str]] = {
    "App Service": {"IDENTITY_ENDPOINT": "http://127.0.0.1:1", "IDENTITY_HEADER": "the-header"},
    "Machine Learning": {"MSI_ENDPOINT": "http://127.0.0.1:1", "MSI_SECRET": "the-header"},
    "Arc": {"IDENTITY_ENDPOINT": "http://127.0.0.1:1", "IMDS_ENDPOINT": "http://127.0.0.1:1"},
    "virtual machine": {},
}


@pytest.mark.parametrize("failing", FAILURES)
@pytest.mark.parametrize("platform_name", SHOWN_BY)
def test_a_failing_endpoint_is_one_error_without_a_token(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    platform_name: str,
    failing: tuple[int, bytes, bool],
) -> None:
    """Whichever platform it is, and whatever msal makes of the answer."""
    for name, value in SHOWN_BY[platform_name].items():
        monkeypatch.setenv(name, value)
    status, content, passes = failing
    headers = {"WWW-Authenticate": "Basic realm=/none/such.key"} if status == 401 else {}
    answer = httpx.Response(status, content=content, headers=headers)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: answer)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SignInError) as caught:
        opened(settings).token()
    assert isinstance(caught.value, SignInUnavailable) is passes
    for hidden in (TOKEN, "the-header"):
        assert hidden not in f"{caught.value} {caplog.text}"


@pytest.mark.parametrize(
    ("token", "fits"),
    [
        (jwt.encode({"tid": TENANT.upper()}, "k" * 32, "HS256"), True),
        (jwt.encode({"tid": USER_ASSIGNED}, "k" * 32, "HS256"), False),
        (jwt.encode({"tid": "contoso.com"}, "k" * 32, "HS256"), True),
        (jwt.encode({}, "k" * 32, "HS256"), True),
        ("opaque", True),
    ],
)
def test_another_tenant_s_identity_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, token: str, fits: bool
) -> None:
    """It would fill this tenant's partitions with another's rows. What can't be told is let be."""
    body = {"access_token": token, "expires_in": "3600"}
    monkeypatch.setattr(
        httpx.HTTPTransport, "handle_request", lambda *_: httpx.Response(200, json=body)
    )
    tokens = opened(replace(settings, tenant_id=TENANT))
    if fits:
        assert tokens.token() == token
        return
    with pytest.raises(SignInError, match=f"belongs to tenant {USER_ASSIGNED}"):
        tokens.token()

"""Workload identity federation, with real msal against the stand-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.api import SURFACES, TokenSource, token_source
from pipelines.clock import SimulatedClock
from pipelines.errors import SettingsError, SignInError
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin

Serve = Callable[..., Standin]


@pytest.fixture
def standin(serve: Serve) -> Standin:
    return serve()


@pytest.fixture
def token_file(standin: Standin, tmp_path: Path) -> Path:
    path = tmp_path / "token"
    # As Kubernetes writes it, or a script with its newline.
    path.write_text(standin.sign_in.federation.token() + "\n")
    return path


@pytest.fixture
def settings(standin: Standin, token_file: Path, tmp_path: Path) -> Settings:
    environment = {
        **standin.environment("graph"),
        "AZURE_CLIENT_SECRET": "",
        "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
    }
    return load_settings(environment, root=tmp_path)


def opened(settings: Settings) -> TokenSource:
    return token_source(settings, SURFACES[settings.surface])


def test_another_issuer_s_token_signs_in(standin: Standin, settings: Settings) -> None:
    """The one that is in the file, for the surface's audience."""
    found = standin.sign_in.find(opened(settings).token())
    assert found is not None
    assert found.resource == "https://graph.microsoft.com"


def test_the_file_is_read_anew_for_each_sign_in(
    standin: Standin, settings: Settings, token_file: Path, clock: SimulatedClock
) -> None:
    """The platform renews it in its place while an export of hours runs."""
    tokens = opened(settings)
    first = tokens.token()
    clock.sleep(3_600)
    tokens.discard()
    with pytest.raises(SignInError, match="renews AZURE_FEDERATED_TOKEN_FILE"):
        tokens.token()
    token_file.write_text(standin.sign_in.federation.token())
    tokens.discard()
    assert tokens.token() != first


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"iss": "https://issuer.example/cluster/"}, "to the last slash"),
        ({"sub": "system:serviceaccount:Hunting:huntlake"}, "letter case counts"),
        ({"aud": "https://kubernetes.default.svc"}, "api://AzureADTokenExchange"),
    ],
)
def test_what_does_not_fit_the_credential_is_told_apart(
    standin: Standin, settings: Settings, token_file: Path, claims: dict[str, Any], named: str
) -> None:
    """Issuer, subject or audience; the token itself is not shown."""
    token = standin.sign_in.federation.token(**claims)
    token_file.write_text(token)
    with pytest.raises(SignInError, match=named) as caught:
        opened(settings).token()
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\n", b"text", b"-----BEGIN PRIVATE KEY-----\nhidden\n", b"a.b", b"\xffhidden"],
)
def test_a_file_without_a_token_is_a_setting_to_mend(
    settings: Settings, token_file: Path, content: bytes | None
) -> None:
    """Nothing of it is sent or shown, whatever file was named by mistake."""
    if content is None:
        token_file.unlink()
    else:
        token_file.write_bytes(content)
    with pytest.raises(SettingsError, match="AZURE_FEDERATED_TOKEN_FILE") as caught:
        opened(settings).token()
    assert "hidden" not in str(caught.value)

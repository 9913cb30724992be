"""Settings: names, precedence, and everything that is wrong at once."""

import os
from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.identity import DeviceCode
from pipelines.settings import load_limits, load_paths, load_settings

GOOD = {
    "AZURE_TENANT_ID": "contoso.onmicrosoft.com",
    "AZURE_CLIENT_ID": "5f0c0de0-0000-4000-8000-000000000000",
    "AZURE_CLIENT_SECRET": "the-secret",
}


def test_three_settings_are_enough(tmp_path: Path) -> None:
    """Graph, the seed contract, and folders of the project are the defaults."""
    settings = load_settings(GOOD, root=tmp_path)
    assert (settings.tenant_id, settings.surface) == ("contoso.onmicrosoft.com", "graph")
    assert settings.authority_host == "login.microsoftonline.com"
    assert settings.data == tmp_path / "data"
    assert settings.hunts == tmp_path / "assets" / "hunts"
    assert settings.limits.calls[0].calls == 15


def test_everything_missing_is_named_at_once(tmp_path: Path) -> None:
    """One run of the command tells all that is to be set, and where."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"HUNTLAKE_SURFACE": "soap", "HUNTLAKE_LIMITS": "sead"}, root=tmp_path)
    for name in (*GOOD, "HUNTLAKE_SURFACE", "HUNTLAKE_LIMITS", ".env"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"HUNTLAKE_API_URL": "http://localhost:1"}, "must begin with https://"),
        ({"HUNTLAKE_API_URL": "https://"}, "HUNTLAKE_API_URL: it must be https:// and a host"),
        ({"HUNTLAKE_API_URL": "https://a b"}, "HUNTLAKE_API_URL: it must be"),
        ({"HUNTLAKE_API_URL": "https://h:port"}, "HUNTLAKE_API_URL: it must be"),
        ({"HUNTLAKE_API_URL": "https://u:p@h"}, "HUNTLAKE_API_URL: it must be"),
        ({"HUNTLAKE_API_URL": "https://h/?q=1"}, "HUNTLAKE_API_URL: it must be"),
        ({"AZURE_AUTHORITY_HOST": "http://login.example"}, "is no host"),
        ({"AZURE_AUTHORITY_HOST": "login.example?x"}, "is no host"),
        ({"HUNTLAKE_CA_BUNDLE": "/no/such/file"}, "there is no file /no/such/file"),
        ({"AZURE_TENANT_ID": "a/b"}, "neither a tenant id"),
        ({"AZURE_TENANT_ID": ".."}, "neither a tenant id"),
        ({"AZURE_AUTHORITY_HOST": "https://login.example/path"}, "is no host"),
        ({"AZURE_CLIENT_CERTIFICATE_PATH": __file__}, "set together"),
        ({"AZURE_TENANT_ID": "common"}, "names no tenant"),
        ({"AZURE_TENANT_ID": "Organizations"}, "names no tenant"),
        ({"HUNTLAKE_SIGN_IN": "device-code", "HUNTLAKE_LOGINS": "data/x"}, "in the data folder"),
        ({"HUNTLAKE_LIMITS": "seed,rows=0"}, "rows must be"),
    ],
)
def test_what_contradicts_or_endangers_is_refused(
    change: dict[str, str], message: str, tmp_path: Path
) -> None:
    """A token over plain HTTP, a tenant that is a path, two credentials: none is guessed away."""
    with pytest.raises(SettingsError, match=message):
        load_settings({**GOOD, **change}, root=tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.graph.example",
        "https://localhost:8443",
        "https://127.0.0.1:1",
        "https://[::1]:8443",
        "https://proxy.example/defender/v1",
    ],
)
def test_any_https_host_may_take_the_surface_s_place(url: str, tmp_path: Path) -> None:
    """The stand-in, a proxy with a path; a slash at the end is of no account."""
    for text in (url, f"{url}/"):
        assert load_settings({**GOOD, "HUNTLAKE_API_URL": text}, root=tmp_path).api_url == url


def test_no_refusal_shows_a_secret(tmp_path: Path) -> None:
    """Not the secret that is set beside a wrong setting, nor a password within a URL."""
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {**GOOD, "HUNTLAKE_SURFACE": "soap", "HUNTLAKE_API_URL": "https://me:hidden@h"},
            root=tmp_path,
        )
    assert "the-secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_file_is_that_of_the_project_and_changes_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument the process's own environment is read, and only read."""
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in GOOD.items()))
    monkeypatch.setenv("AZURE_CLIENT_ID", "from-the-environment")
    before = dict(os.environ)
    assert load_settings(root=tmp_path).client_id == "from-the-environment"
    assert dict(os.environ) == before


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """As it does for Dagster; an empty line in the file sets nothing."""
    (tmp_path / ".env").write_text(
        "AZURE_TENANT_ID=from-file.example\nHUNTLAKE_SURFACE=xdr\nHUNTLAKE_API_URL=\n"
    )
    settings = load_settings(GOOD, root=tmp_path)
    assert (settings.tenant_id, settings.surface) == ("contoso.onmicrosoft.com", "xdr")
    assert load_paths({}, root=tmp_path).tenant_id == "from-file.example"


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """As some editors and shells on Windows write it; what is in it stays unsaid."""
    (tmp_path / ".env").write_text("AZURE_CLIENT_SECRET=hidden\n", encoding="utf-16")
    with pytest.raises(SettingsError, match=r"\.env is not written in UTF-8") as caught:
        load_settings(GOOD, root=tmp_path)
    # Nor does a traceback show it.
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_a_path_is_relative_to_the_project(tmp_path: Path) -> None:
    """Not to wherever a shell or a daemon was started; one that is missing is named whole."""
    (tmp_path / "authorities.pem").write_text("")
    settings = load_settings({**GOOD, "HUNTLAKE_CA_BUNDLE": "authorities.pem"}, root=tmp_path)
    assert settings.ca_bundle == tmp_path / "authorities.pem"
    with pytest.raises(SettingsError, match=str(tmp_path / "gone.pem")):
        load_settings({**GOOD, "HUNTLAKE_CA_BUNDLE": "gone.pem"}, root=tmp_path)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Settings may end in a log; the secret must not."""
    certificate = tmp_path / "app.pem"
    certificate.write_text("")
    with_password = {
        **GOOD,
        "AZURE_CLIENT_SECRET": "",
        "AZURE_CLIENT_CERTIFICATE_PATH": str(certificate),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "the-password",
    }
    assert "the-secret" not in repr(load_settings(GOOD, root=tmp_path))
    assert "the-password" not in repr(load_settings(with_password, root=tmp_path))


def test_paths_need_no_tenant(tmp_path: Path) -> None:
    """Hunts can be listed and the lake be queried before anybody signs in."""
    paths = load_paths({"HUNTLAKE_DATA": "elsewhere"}, root=tmp_path)
    assert paths.tenant_id == "demo"
    assert paths.data == tmp_path / "elsewhere"


def test_the_host_may_be_given_as_the_azure_sdks_take_it(tmp_path: Path) -> None:
    """With or without https://."""
    for text in ("login.microsoftonline.us", "https://login.microsoftonline.us/"):
        environment = {
            **GOOD,
            "AZURE_AUTHORITY_HOST": text,
            "HUNTLAKE_API_URL": "https://graph.microsoft.us",
        }
        settings = load_settings(environment, root=tmp_path)
        assert settings.authority_host == "login.microsoftonline.us"


def test_limits_need_no_sign_in(tmp_path: Path) -> None:
    """What the service allows can be read by whoever may not call it."""
    assert load_limits({}, root=tmp_path).running[0].seconds == 600
    limits = load_limits({"HUNTLAKE_LIMITS": "mde,share=0.5"}, root=tmp_path)
    assert (limits.calls[1].calls, limits.share) == (1_500, 0.5)
    with pytest.raises(SettingsError, match="HUNTLAKE_LIMITS: 'sead' is no profile"):
        load_limits({"HUNTLAKE_LIMITS": "sead"}, root=tmp_path)


@pytest.mark.parametrize(
    ("state", "folder"),
    [
        ("/var/state", "/var/state/huntlake/logins"),
        ("", "/home/me/.local/state/huntlake/logins"),
        ("relative", "/home/me/.local/state/huntlake/logins"),
    ],
)
def test_a_person_s_tokens_are_kept_with_their_own_things(
    state: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the project's or the lake's."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", state)
    settings = load_settings({**GOOD, "HUNTLAKE_SIGN_IN": "device-code"}, root=tmp_path)
    assert settings.identity == DeviceCode(Path(folder))

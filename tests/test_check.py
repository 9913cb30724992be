"""What ``huntlake check`` says of each kind of sign-in, before and after it is tried."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from pipelines.api import SURFACES, log_in
from pipelines.check import check
from pipelines.check_identity import about_identity, how_to_grant
from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock
from pipelines.finding import Finding
from pipelines.identity import (
    Certificate,
    ClientSecret,
    DeviceCode,
    Identity,
    ManagedIdentity,
    WorkloadIdentity,
)
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin
from pipelines.standin.authority import make_client_certificate

Serve = Callable[..., Standin]

MADE: Final = datetime(2026, 1, 10, 12, tzinfo=UTC)
ME = "me@contoso.example"


def clock_at(instant: datetime) -> SimulatedClock:
    return SimulatedClock(int(instant.timestamp()) * NANOSECONDS_PER_SECOND)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "an-application",
        "AZURE_CLIENT_SECRET": "the~secret",
    }
    return load_settings(environment, root=tmp_path)


def marks(findings: list[Finding]) -> list[str]:
    return ["warn" if each.warns else "ok" if each.passed else "FAIL" for each in findings]


def found(settings: Settings, identity: Identity, now: datetime = MADE) -> list[Finding]:
    return list(about_identity(replace(settings, identity=identity), clock_at(now)))


@pytest.mark.parametrize(
    ("days", "mark", "said"),
    [
        (-2, "FAIL", "not valid before 2026-01-09"),
        (0, "ok", "good until 2027-01-10"),
        (334, "ok", "good until 2027-01-10"),
        (336, "warn", "expires on 2027-01-10"),
        (364, "warn", "expires on 2027-01-10"),
        (365, "FAIL", "expired on 2027-01-10"),
    ],
)
def test_a_certificate_s_days_are_counted(
    settings: Settings, tmp_path: Path, days: int, mark: str, said: str
) -> None:
    """A month before its end there is a warning; past it the service would only say no."""
    path = tmp_path / "app.pem"
    make_client_certificate(path, MADE)
    findings = found(settings, Certificate(path), MADE + timedelta(days=days))
    assert marks(findings) == [mark]
    assert said in findings[0].text


def test_a_key_that_others_may_read_is_warned_of(settings: Settings, tmp_path: Path) -> None:
    """With the command that mends it; where the file can't be opened at all, that is said."""
    path = tmp_path / "app.pem"
    make_client_certificate(path, MADE)
    path.chmod(0o644)
    findings = found(settings, Certificate(path))
    assert marks(findings) == ["ok", "warn"]
    assert f"chmod 600 {path}" in findings[1].text
    path.unlink()
    assert marks(found(settings, Certificate(path))) == ["FAIL"]


@pytest.mark.parametrize(
    ("secret", "mark"),
    [("abc8Q~the-value", "ok"), ("5f0c0de0-0000-4000-8000-000000000000", "FAIL")],
)
def test_a_secret_s_id_is_no_secret(settings: Settings, secret: str, mark: str) -> None:
    """The commonest mistake, told without showing what was set."""
    [finding] = found(settings, ClientSecret(secret))
    assert marks([finding]) == [mark]
    assert secret not in finding.text


def test_a_federated_token_s_three_words_are_shown(
    serve: Serve, settings: Settings, clock: SimulatedClock, tmp_path: Path
) -> None:
    """They are what the credential is compared with; an old token is told of, and none is shown."""
    path = tmp_path / "token"
    token = serve().sign_in.federation.token()
    path.write_text(token)
    by_token = replace(settings, identity=WorkloadIdentity(path))
    [finding] = about_identity(by_token, clock)
    assert finding.passed
    for word in ("https://issuer.example/cluster", "serviceaccount", "api://AzureADTokenExchange"):
        assert word in finding.text
    clock.sleep(3_600)
    [finding] = about_identity(by_token, clock)
    assert not finding.passed
    assert "It expired at 2026-11-20T07:00:00Z" in finding.text
    assert token not in finding.text
    path.write_text("a.b.c")
    [finding] = about_identity(by_token, clock)
    assert "no signed token" in finding.text


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "Azure's virtual machines"),
        ({"IDENTITY_ENDPOINT": "x", "IDENTITY_HEADER": "y"}, "App Service"),
        ({"IDENTITY_ENDPOINT": "x", "IMDS_ENDPOINT": "y"}, "Azure Arc"),
        ({"AZUREPS_HOST_ENVIRONMENT": "cloud-shell"}, "choose device-code"),
    ],
)
def test_a_managed_identity_s_endpoint_is_named(
    settings: Settings,
    environment: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that it is plain which platform huntlake believes to be on."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    [finding] = found(settings, ManagedIdentity())
    assert said in finding.text


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (ClientSecret("s"), "application permission ThreatHunting.Read.All"),
        (ManagedIdentity(), "docs/sign-in.md has the commands"),
        (DeviceCode(Path("logins")), "delegated permission ThreatHunting.Read.All"),
    ],
)
def test_what_to_grant_goes_by_who_signs_in(
    settings: Settings, identity: Identity, said: str
) -> None:
    """An application, a resource and a person are granted permissions in different ways."""
    assert said in how_to_grant(replace(settings, identity=identity))


def test_a_person_is_checked_to_the_end(
    serve: Serve, clock: SimulatedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No login, a login with its limits, and a permission that is missing."""
    standin = serve()
    environment = {
        **standin.environment("xdr"),
        "AZURE_CLIENT_SECRET": "",
        "HUNTLAKE_SIGN_IN": "device-code",
        "HUNTLAKE_LOGINS": str(tmp_path / "logins"),
        "HUNTLAKE_DATA": str(tmp_path / "data"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def lines() -> dict[str, list[Finding]]:
        findings: dict[str, list[Finding]] = {}
        for each in check(clock):
            findings.setdefault(each.subject, []).append(each)
        return findings

    before = lines()
    assert marks(before["identity"] + before["sign-in"]) == ["FAIL", "FAIL"]
    assert all("`huntlake login`" in each.text for each in before["identity"] + before["sign-in"])

    class Browser(SimulatedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            standin.sign_in.people.approve(username=ME)

    log_in(load_settings(), SURFACES["xdr"], Browser(clock.ns), lambda text: None)
    after = lines()
    assert marks(after["identity"] + after["sign-in"] + after["service"]) == [
        "ok",
        "warn",
        "ok",
        "ok",
    ]
    assert ME in after["identity"][0].text
    assert "only the device groups" in after["identity"][1].text
    standin.revoke_permission()
    [service] = lines()["service"]
    assert "delegated permission AdvancedHunting.Read to application" in service.text

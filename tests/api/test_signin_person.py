"""People, with real msal against the stand-in: codes, and tokens from what a login left."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import httpx
import pytest

from pipelines.api import SURFACES, TokenSource, forget_login, log_in, token_source
from pipelines.api.logins import LoginFile
from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock, SystemClock
from pipelines.errors import SettingsError, SignInError, SignInUnavailable
from pipelines.hunts import SurfaceName
from pipelines.identity import ClientSecret, DeviceCode
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin
from tests.processes import ended, start

Serve = Callable[..., Standin]
ME = "me@contoso.example"
TIMES = 5


@pytest.fixture
def standin(serve: Serve) -> Standin:
    return serve()


def settings_for(standin: Standin, folder: Path, surface: SurfaceName = "graph") -> Settings:
    environment = {
        **standin.environment(surface),
        "AZURE_CLIENT_SECRET": "",
        "HUNTLAKE_SIGN_IN": "device-code",
        "HUNTLAKE_LOGINS": str(folder / "logins"),
    }
    return load_settings(environment, root=folder)


@pytest.fixture
def settings(standin: Standin, tmp_path: Path) -> Settings:
    return settings_for(standin, tmp_path)


def opened(settings: Settings) -> TokenSource:
    return token_source(settings, SURFACES[settings.surface])


class Browser:
    """A clock on which, while somebody waits, a person does something."""

    def __init__(self, clock: SimulatedClock, *acts: Callable[[], object]) -> None:
        self._clock = clock
        self._acts = list(acts)

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        if self._acts:
            self._acts.pop(0)()


def nothing() -> None:
    return


def logged_in(standin: Standin, settings: Settings, clock: SimulatedClock) -> list[str]:
    """Log in, and what was shown meanwhile."""
    shown: list[str] = []
    browser = Browser(clock, nothing, lambda: standin.sign_in.people.approve(username=ME))
    assert log_in(settings, SURFACES[settings.surface], browser, shown.append) == ME
    return shown


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_a_person_logs_in_and_exports_have_their_tokens(
    standin: Standin, tmp_path: Path, clock: SimulatedClock, surface: SurfaceName
) -> None:
    """They are told where to go; the permission is the delegated one of the surface."""
    settings = settings_for(standin, tmp_path, surface)
    [shown] = logged_in(standin, settings, clock)
    assert f"{standin.url}/devicelogin" in shown
    found = standin.sign_in.find(opened(settings).token())
    assert found is not None
    assert standin.sign_in.opens(found, surface)


def test_a_login_lasts_across_processes_and_refusals(
    standin: Standin, settings: Settings, clock: SimulatedClock
) -> None:
    """The token is kept; one that was refused is renewed, and the new renewal is kept too."""
    logged_in(standin, settings, clock)
    first = opened(settings).token()
    tokens = opened(settings)
    assert tokens.token() == first
    tokens.discard()
    second = tokens.token()
    assert second != first
    assert opened(settings).token() == second
    # The stand-in's renewals are good once: this one is the second's.
    later = opened(settings)
    later.discard()
    assert later.token() != second


def test_nobody_is_waited_for(standin: Standin, settings: Settings, clock: SimulatedClock) -> None:
    """Without a login, and with one that the tenant has ended, an export fails at once."""
    before_ns = clock.now_ns()
    with pytest.raises(SignInError, match=r"nobody is logged in .* `huntlake login`") as caught:
        opened(settings).token()
    assert not isinstance(caught.value, SignInUnavailable)
    assert clock.now_ns() == before_ns
    logged_in(standin, settings, clock)
    standin.sign_in.people.revoke()
    tokens = opened(settings)
    tokens.discard()
    with pytest.raises(SignInError, match=r"password was changed.* `huntlake login`"):
        tokens.token()
    assert forget_login(settings)
    assert not forget_login(settings)
    with pytest.raises(SignInError, match="nobody is logged in"):
        opened(settings).token()


def test_a_code_that_nobody_enters_expires(
    standin: Standin, settings: Settings, clock: SimulatedClock
) -> None:
    """The command ends by then, having asked no more often than it was told to."""
    standin.sign_in.people.code_seconds = 60
    before_ns = clock.now_ns()
    with pytest.raises(SignInError, match="expired before it was entered"):
        log_in(settings, SURFACES["graph"], clock, print)
    assert clock.now_ns() - before_ns == 60 * NANOSECONDS_PER_SECOND


def test_a_person_may_decline(standin: Standin, settings: Settings, clock: SimulatedClock) -> None:
    """Nothing is kept then."""
    browser = Browser(clock, standin.sign_in.people.decline)
    with pytest.raises(SignInError, match="declined"):
        log_in(settings, SURFACES["graph"], browser, print)
    with pytest.raises(SignInError, match="nobody is logged in"):
        opened(settings).token()


def test_a_network_that_fails_for_a_moment_ends_no_login(
    standin: Standin, settings: Settings, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code stays good, and the person may be entering it just then."""
    real = httpx.HTTPTransport.handle_request

    def gone(*_: object) -> httpx.Response:
        raise httpx.ConnectError("gone")

    browser = Browser(
        clock,
        lambda: monkeypatch.setattr(httpx.HTTPTransport, "handle_request", gone),
        lambda: monkeypatch.setattr(httpx.HTTPTransport, "handle_request", real),
        lambda: standin.sign_in.people.approve(username=ME),
    )
    assert log_in(settings, SURFACES["graph"], browser, print) == ME


def test_an_application_needs_no_login(settings: Settings, clock: SimulatedClock) -> None:
    """Which setting makes it one is said."""
    by_secret = replace(settings, identity=ClientSecret("s"))
    for act in (
        lambda: log_in(by_secret, SURFACES["graph"], clock, print),
        lambda: forget_login(by_secret),
    ):
        with pytest.raises(SettingsError, match="set HUNTLAKE_SIGN_IN to device-code"):
            act()


def test_no_token_is_shown_anywhere(
    standin: Standin, settings: Settings, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs, texts, reprs, nor in any file but the login's."""
    caplog.set_level(logging.DEBUG)
    shown = logged_in(standin, settings, clock)
    tokens = opened(settings)
    word = tokens.token()
    assert isinstance(settings.identity, DeviceCode)
    file = LoginFile(settings, settings.identity)
    login = file.read()
    assert login is not None
    [renewal] = standin.sign_in.people.renewals
    assert word in login.tokens
    assert renewal in login.tokens
    told = f"{shown} {tokens!r} {settings!r} {login!r} {file!r} {caplog.text}"
    folder = settings.identity.logins.parent
    others = [path for path in folder.rglob("*") if path.is_file() and path != file.path]
    for hidden in (word, renewal):
        assert hidden not in told
        assert not any(hidden.encode() in path.read_bytes() for path in others)


def renew_often(environment: dict[str, str], root: Path, ready: Path, other: Path) -> None:
    """In a process of its own: a token, renewed again and again once the other is there too."""
    tokens = opened(load_settings(environment, root=root))
    tokens.token()
    ready.touch()
    while not other.exists():
        SystemClock().sleep(0.001)
    for _ in range(TIMES):
        tokens.discard()
        click.echo(tokens.token())


def test_two_processes_renew_one_after_the_other(
    standin: Standin, tmp_path: Path, clock: SimulatedClock
) -> None:
    """A renewal is good once here: had both used the same, one of them would have failed."""
    settings = settings_for(standin, tmp_path)
    logged_in(standin, settings, clock)
    environment = {
        **standin.environment("graph"),
        "AZURE_CLIENT_SECRET": "",
        "HUNTLAKE_SIGN_IN": "device-code",
        "HUNTLAKE_LOGINS": str(tmp_path / "logins"),
    }
    said = [tmp_path / "first.txt", tmp_path / "second.txt"]
    ready = [tmp_path / "first", tmp_path / "second"]
    processes = [
        start(renew_often, environment, tmp_path, *flags, environment={}, said=path)
        for path, flags in zip(said, (ready, ready[::-1]), strict=True)
    ]
    assert [ended(process) for process in processes] == [0, 0], [p.read_text() for p in said]
    words = [word for path in said for word in path.read_text().split()]
    assert len(set(words)) == 2 * TIMES
    assert standin.sign_in.find(opened(settings).token()) is not None

"""``huntlake login``, and exports that a person signs in for."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import cli
from pipelines.clock import SimulatedClock
from pipelines.commands import login as command
from pipelines.engine import Engine
from pipelines.errors import HuntlakeError, SliceFailed
from pipelines.settings import load_settings
from pipelines.slicing import partitions_between
from pipelines.standin import Standin
from pipelines.windows import TICKS_PER_SECOND, Window
from tests.conftest import NETWORK, TODAY

Serve = Callable[..., Standin]
DAY = 86_400 * TICKS_PER_SECOND


@pytest.fixture
def standin(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """With the settings of a person in the environment."""
    standin = serve()
    environment = {
        **standin.environment("graph"),
        "AZURE_CLIENT_SECRET": "",
        "HUNTLAKE_SIGN_IN": "device-code",
        "HUNTLAKE_LOGINS": str(tmp_path / "logins"),
        "HUNTLAKE_DATA": str(tmp_path / "data"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return standin


def huntlake(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_who_logs_in_can_export_until_they_are_forgotten(
    standin: Standin, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that is printed is the one to open. Without a login an export ends at once."""
    trust = ssl.create_default_context(cafile=str(standin.ca_bundle))
    shown: list[str] = []
    monkeypatch.setattr(command.click, "echo", shown.append)

    class Waiting(SimulatedClock):
        """While it waits, somebody opens what was printed."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            [page] = re.findall(r"https://\S+\?code=[A-Z]+", shown[-1])
            assert "Signed in" in httpx.get(page, verify=trust).text

    monkeypatch.setattr(command, "SystemClock", lambda: Waiting(clock.ns))
    partitions = partitions_between("daily", Window(TODAY - DAY, TODAY))

    def export() -> int:
        with Engine(load_settings(), clock) as engine:
            return sum(each.receipt.rows for each in engine.export(NETWORK, partitions))

    def fails() -> None:
        before_ns = clock.now_ns()
        with pytest.raises(SliceFailed, match=r"nobody is logged in .* `huntlake login`"):
            export()
        assert clock.now_ns() == before_ns

    fails()
    assert huntlake("login").exit_code == 0
    assert shown[-1] == "demo@standin.example is logged in to tenant demo"
    assert export() > 0
    assert huntlake("login", "--forget").exit_code == 0
    assert shown[-1] == "the login is removed from this machine"
    assert huntlake("login", "--forget").exit_code == 0
    assert shown[-1] == "there was no login"


def test_an_application_is_told_that_it_needs_none(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting that makes it a person."""
    monkeypatch.setenv("HUNTLAKE_SIGN_IN", "secret")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", standin.sign_in.client_secret)
    result = huntlake("login")
    assert isinstance(result.exception, HuntlakeError)
    assert "set HUNTLAKE_SIGN_IN to device-code" in str(result.exception)

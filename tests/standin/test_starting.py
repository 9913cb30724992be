"""Starting the stand-in: where it can't, what it reuses, whose clock its certificates follow."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import pipelines.standin
from pipelines.clock import SimulatedClock
from pipelines.errors import HuntlakeError
from pipelines.standin import Standin, SyntheticSettings
from pipelines.windows import TICKS_PER_SECOND, parse_instant
from tests.standin.test_server import ask, client

DAY = 86_400 * TICKS_PER_SECOND
END = parse_instant("2026-11-20")
TINY = SyntheticSettings(end=END, days=1, rows_per_day=50, busiest_day_rows=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with start(folder):
        return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """One in which a stand-in has run before."""
    return shutil.copytree(made, tmp_path / "folder")


def clock_at(instant: int) -> SimulatedClock:
    return SimulatedClock(instant * 100)


def start(
    folder: Path, *, days_later: int = 0, data: SyntheticSettings | None = TINY, port: int = 0
) -> Standin:
    clock = clock_at(END + days_later * DAY + TICKS_PER_SECOND)
    return Standin(folder, data=data, clock=clock, port=port)


@pytest.mark.parametrize("years", [-10, 10])
def test_certificates_follow_the_machine_s_clock(years: int, folder: Path) -> None:
    """TLS looks at no other: a test may set its own clock to any year."""
    (folder / "server.pem").unlink()
    with start(folder, days_later=years * 365) as standin, client(standin) as http:
        assert http.get("/").status_code == 200


def test_certificates_are_made_once(folder: Path) -> None:
    """Who trusts the authority today need not be told again tomorrow."""
    with start(folder) as standin:
        first = standin.ca_bundle.read_bytes()
    with start(folder, days_later=5) as standin:
        assert standin.ca_bundle.read_bytes() == first


def test_young_events_serve_on(folder: Path) -> None:
    """What was exported of them stays true; old ones make way for a new month."""
    before = (folder / "events.duckdb").stat().st_ino
    with start(folder, days_later=20, data=None) as standin:
        assert standin.data == TINY
    assert (folder / "events.duckdb").stat().st_ino == before


def test_events_that_are_old_or_none_are_made_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the default settings, up to the last midnight."""
    built = []
    monkeypatch.setattr(pipelines.standin, "build", lambda path, settings: built.append(settings))
    with start(folder, days_later=21, data=None) as standin:
        assert standin.data == SyntheticSettings(end=END + 21 * DAY)
    assert built == [standin.data]


def test_events_of_an_older_release_are_made_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings mean other events once the code that makes them has changed."""
    before = (folder / "events.duckdb").stat().st_ino
    monkeypatch.setattr(pipelines.standin, "_recipe", lambda: "another")
    with start(folder):
        assert (folder / "events.duckdb").stat().st_ino != before


def test_a_port_in_use_is_named(folder: Path) -> None:
    """And what to do."""
    with start(folder) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(HuntlakeError, match=f"port {port}.*--port"):
            start(folder, port=port)


def test_a_folder_in_use_is_named(folder: Path) -> None:
    """DuckDB lets one process write; a second stand-in is told who is in its way."""
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / "events.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HuntlakeError, match="another stand-in serves"):
            start(folder)
        other.communicate("\n")


def test_it_is_reached_from_this_machine_alone(folder: Path) -> None:
    """It listens on loopback, and it stops."""
    with start(folder) as standin:
        assert standin._server.server_address[0] == "127.0.0.1"
        assert ask(standin).status_code == 200
    with client(standin) as http, pytest.raises(httpx.ConnectError):
        http.get("/")


def test_what_a_query_brings_about_is_the_query_s_fault(folder: Path) -> None:
    """A value that overflows is a 400 with a reason, never a connection that breaks."""
    with start(folder) as standin:
        refused = ask(standin, query="print x = 9223372036854775807 | summarize sum(x + x)")
        assert refused.status_code == 400
        assert refused.json()["error"]["message"]
        assert standin.calls[-1].status == 400


def test_a_fault_of_its_own_is_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody who builds on it must not have to guess why the connection broke."""

    def broken(*_: object, **__: object) -> None:
        raise LookupError("the stand-in is wrong")

    with start(folder) as standin:
        monkeypatch.setattr(standin.tenant.__class__, "evaluate", broken)
        with pytest.raises(httpx.RemoteProtocolError):
            ask(standin)
    assert "the stand-in is wrong" in capfd.readouterr().err


def test_only_a_bearer_of_the_right_tenant_comes_in(folder: Path) -> None:
    """The token alone, without the scheme, is none; nor are another tenant's endpoints."""
    with start(folder) as standin, client(standin) as http:
        form = {
            "client_id": standin.sign_in.client_id,
            "client_secret": standin.sign_in.client_secret,
            "scope": f"{standin.url}/.default",
        }
        refused = http.post("/other/oauth2/v2.0/token", data=form)
        assert "AADSTS90002" in refused.json()["error_description"]
        word = http.post("/demo/oauth2/v2.0/token", data=form).json()["access_token"]
        answers = [
            http.post(
                "/api/advancedqueries/run",
                json={"Query": "AlertInfo | count", "Timespan": "nonsense"},
                headers={"Authorization": authorization},
            ).status_code
            for authorization in (word, f"Basic {word}", f"Bearer {word}")
        ]
    assert answers == [401, 401, 200]


def test_late_events_arrive_in_the_past_and_stay(folder: Path) -> None:
    """In a share of its minutes, and the folder keeps them."""
    with start(folder) as standin:
        table = "DeviceNetworkEvents"
        before = standin.tenant.table(table).num_rows
        added = standin.add_late(0.01, seed=1)
        after = standin.tenant.table(table)
    minutes = 1_440 * 0.01
    assert minutes <= after.num_rows - before <= 3 * minutes + 3
    assert added > after.num_rows - before
    times = after.column("Timestamp").cast("int64").to_pylist()
    assert all(END - DAY <= time // 100 < END for time in times)
    with start(folder) as standin:
        assert standin.tenant.table(table).num_rows == after.num_rows

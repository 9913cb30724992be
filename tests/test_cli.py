"""The command: real processes against a real stand-in."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from pipelines.clock import SystemClock
from pipelines.lake import LakeLayout, connect
from pipelines.standin import RunningTimeModel, Standin, StandinLimits, SyntheticSettings
from pipelines.windows import (
    NANOSECONDS_PER_TICK,
    TICKS_PER_SECOND,
    Window,
    datetime_from_instant,
)
from tests import processes

DAY = 86_400 * TICKS_PER_SECOND
HUNTS = {
    "network.kql": "DeviceNetworkEvents | project Timestamp, DeviceId, ReportId",
    "hours.kql": "// export:\n//   partitions: hourly\nDeviceNetworkEvents | project Timestamp",
    "software.kql": "DeviceTvmSoftwareInventory | distinct SoftwareName",
}
Run = Callable[..., "Done"]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A tenant in the machine's own time, since the processes read that."""
    today = SystemClock().now_ns() // NANOSECONDS_PER_TICK // DAY * DAY
    data = SyntheticSettings(end=today, days=4, rows_per_day=400, busiest_day_rows=3_000)
    with Standin(
        tmp_path_factory.mktemp("standin"),
        data=data,
        limits=StandinLimits(rows=500, calls=(), running=()),
        running_time=RunningTimeModel(),
    ) as standin:
        yield standin


@pytest.fixture
def environment(standin: Standin, tmp_path: Path) -> dict[str, str]:
    hunts = tmp_path / "hunts"
    hunts.mkdir()
    for name, text in HUNTS.items():
        (hunts / name).write_text(text)
    return {
        **standin.environment(),
        "HUNTLAKE_DATA": str(tmp_path / "data"),
        "HUNTLAKE_HUNTS": str(hunts),
        # A call that a killed process leaves counts as long as a call may last.
        "HUNTLAKE_LIMITS": "seed,rows=500,calls_per_minute=1000,request_seconds=20",
    }


@dataclass(frozen=True)
class Done:
    """A command that has ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    numbers = count()

    def huntlake(
        *arguments: str, target: Callable[..., None] = processes.huntlake, **changes: str
    ) -> Done:
        out, errors = (tmp_path / f"{next(numbers)}.txt" for _ in range(2))
        process = processes.start(
            target,
            *arguments,
            environment={**environment, **changes},
            said=out,
            errors=errors,
        )
        return Done(processes.ended(process), out.read_text(), errors.read_text())

    return huntlake


def day(standin: Standin, back: int) -> str:
    return f"{datetime_from_instant(standin.data.end - back * DAY):%Y-%m-%d}"


def test_export_then_query(run: Run, standin: Standin) -> None:
    """What was exported is in the lake: one line a partition out, progress beside it."""
    exported = run(
        "export", "--hunt", "network", "--from", day(standin, 2), "--to", day(standin, 0)
    )
    assert exported.returncode == 0, exported.stderr
    lines = [line.split("\t") for line in exported.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["network", day(standin, 2)],
        ["network", day(standin, 1)],
    ]
    assert "rows committed after" in exported.stderr
    asked = run("sql", "--output", "json", "SELECT count(*) AS n FROM network")
    rows = sum(int(line[2].split()[0]) for line in lines)
    assert json.loads(asked.stdout)["n"] == rows
    asked = run("kql", "--output", "json", "DeviceNetworkEvents | summarize n = count()")
    assert json.loads(asked.stdout)["n"] == rows


def test_a_second_export_makes_no_call(run: Run, standin: Standin) -> None:
    """And says so."""
    arguments = ("export", "--hunt", "network", "--from", day(standin, 1), "--to", day(standin, 0))
    run(*arguments)
    before = len(standin.calls)
    again = run(*arguments)
    assert "reused" in again.stdout
    assert len(standin.calls) == before


def test_hours_and_snapshots_too(run: Run, standin: Standin) -> None:
    """An hourly hunt over a part of a day, and a hunt without time that needs none."""
    start, end = f"{day(standin, 1)}T11:00", f"{day(standin, 1)}T13:00"
    exported = run("export", "--hunt", "hours", "--hunt", "software", "--from", start, "--to", end)
    assert exported.returncode == 0, exported.stderr
    keys = [line.split("\t")[:2] for line in exported.stdout.splitlines()]
    assert keys[0] == ["hours", f"{day(standin, 1)}-11:00"]
    assert len(keys) == 3
    csv = run("sql", "--output", "csv", "SELECT DISTINCT hour FROM hours ORDER BY hour")
    assert csv.stdout.split() == ['"hour"', "11", "12"]


def test_publish_and_retention_need_no_sign_in(tmp_path: Path, run: Run) -> None:
    """And neither touches a lake that has nothing for them to do."""
    published = run("publish", AZURE_CLIENT_ID="")
    assert published.returncode == 0, published.stderr
    assert "was brought up to date" in published.stdout
    assert "was up to date" in run("publish").stdout
    found = run("retention", "--delete", AZURE_CLIENT_ID="")
    assert (found.returncode, found.stdout) == (0, "no hunt in the lake has a `retention:`\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("export", "--hunt", "networks", "--from", "2026-01-01", "--to", "2026-01-02"),
            1,
            "did you mean network",
        ),
        (
            ("export", "--hunt", "network", "--from", "soon", "--to", "2026-01-02"),
            2,
            "not a UTC date",
        ),
        (("export", "--hunt", "network", "--from", "2026-01-01"), 2, "say --from and --to"),
        (
            ("export", "--hunt", "network", "--from", "2026-01-01", "--to", "2026-01-01T12:00"),
            2,
            "whole UTC day",
        ),
        (
            ("export", "--hunt", "network", "--from", "2026-01-02", "--to", "2026-01-01"),
            2,
            "must end after",
        ),
        (
            ("export", "--hunt", "network", "--from", "2020-01-01", "--to", "2020-01-02"),
            1,
            "past the horizon",
        ),
        (("sql", "SELECT 1"), 1, "export a hunt first"),
        (("kql", "AlertInfo"), 1, "export a hunt first"),
        (("report",), 1, "export a hunt first"),
        (("kql", "AlertInfo", "--as-of", "yesterday"), 2, "is not a UTC date"),
        (("kql", " "), 2, "the query is empty"),
        (("standin", "--limits", "sead", "--", "true"), 2, "no profile of limits"),
    ],
)
def test_what_goes_wrong_is_one_message_and_a_code(
    arguments: tuple[str, ...], code: int, message: str, run: Run
) -> None:
    """1 for a failure, 2 for a wrong use, and never a trace."""
    done = run(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_partition_that_fails_keeps_no_other_from_being_exported(
    run: Run, standin: Standin
) -> None:
    """Of this hunt or the next; the command fails at its end, and names all that are missing."""
    window = ("--from", day(standin, 30), "--to", day(standin, 28))
    done = run("export", "--hunt", "network", "--hunt", "hours", *window)
    exported = [line.split("\t")[:2] for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert exported[0] == ["network", day(standin, 29)]
    assert {hunt for hunt, _ in exported} == {"network", "hours"}
    *_, message = done.stderr.partition("huntlake: ")
    assert "network: 1 of 2 partitions were not exported" in message
    assert f"- {day(standin, 30)} (PartitionExpired)" in message
    assert "of 48 partitions were not exported" in message


def test_what_fails_all_alike_is_asked_once(run: Run, standin: Standin) -> None:
    """An outage: the rest of the hunt is not tried, nor the next hunt, and nobody waits for it."""
    window = ("--from", day(standin, 2), "--to", day(standin, 0))
    how = {"target": processes.huntlake_without_pauses, "HUNTLAKE_API_URL": "https://localhost:9"}
    done = run("export", "--hunt", "network", "--hunt", "hours", *window, **how)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"- {day(standin, 1)}: not tried after that" in done.stderr
    assert "not tried after that: hours" in done.stderr


def test_check_passes_line_by_line(run: Run) -> None:
    """Hunts, data, settings, identity, sign-in and service."""
    done = run("check")
    assert done.returncode == 0, done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "hunts"],
        ["ok", "data"],
        ["ok", "settings"],
        ["ok", "identity"],
        ["ok", "sign-in"],
        ["ok", "service"],
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"AZURE_CLIENT_SECRET": "wrong"}, "FAIL sign-in"),
        ({"AZURE_CLIENT_SECRET": ""}, "FAIL settings"),
        ({"HUNTLAKE_API_URL": "https://localhost:1"}, "FAIL service"),
        ({"HUNTLAKE_DATA": "/proc/nowhere"}, "FAIL data"),
    ],
)
def test_check_says_what_to_do(changes: dict[str, str], line: str, run: Run) -> None:
    """Each line that doesn't pass names its setting, and the exit code tells a script."""
    done = run("check", **changes)
    assert done.returncode == 1
    assert line in done.stdout
    assert "Traceback" not in done.stderr


def test_standin_runs_a_command_with_its_settings(run: Run, tmp_path: Path) -> None:
    """And passes its exit code on. Events that are there already are not made again."""
    today = SystemClock().now_ns() // NANOSECONDS_PER_TICK // DAY * DAY
    with Standin(tmp_path / "own", data=SyntheticSettings(end=today, days=1, rows_per_day=10)):
        pass
    script = "import os, sys; sys.exit(7 if os.environ['HUNTLAKE_API_URL'] else 0)"
    done = run("standin", "--directory", str(tmp_path / "own"), "--", sys.executable, "-c", script)
    assert done.returncode == 7, done.stderr


def signalled_at_a_slice(
    arguments: Sequence[str], environment: dict[str, str], number: signal.Signals, folder: Path
) -> tuple[int, str]:
    """Run until a slice is staged, send the signal; the exit code, and what was said."""
    said = Path(tempfile.mkstemp(dir=folder)[1])
    process = processes.start(processes.huntlake, *arguments, environment=environment, said=said)
    processes.wait_until_said("are staged", said, process)
    assert process.pid is not None
    os.kill(process.pid, number)
    return processes.ended(process), said.read_text()


def test_killed_at_any_slice_it_goes_on_and_pulls_none_again(
    run: Run, standin: Standin, environment: dict[str, str], tmp_path: Path
) -> None:
    """kill -9 after each of the first slices: the rows are the truth, and none is pulled twice."""
    busiest = day(standin, 3)
    arguments = ("export", "--hunt", "network", "--from", busiest, "--to", day(standin, 2))
    before = len(standin.calls)
    for _ in range(3):
        signalled_at_a_slice(arguments, environment, signal.SIGKILL, tmp_path)
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "staged by an earlier run" in done.stderr
    with connect(LakeLayout(tmp_path / "data")) as lake:
        [(rows, distinct)] = lake.sql(
            "SELECT count(*), count(DISTINCT (Timestamp, DeviceId, ReportId)) FROM network"
        ).fetchall()
    held = standin.tenant.table("DeviceNetworkEvents").column("Timestamp").cast("int64").to_pylist()
    start = standin.data.end - 3 * DAY
    assert (
        rows == sum(start <= time // NANOSECONDS_PER_TICK < start + DAY for time in held) == 3_000
    )
    assert distinct == len(
        {
            (row["Timestamp"], row["DeviceId"], row["ReportId"])
            for row in standin.tenant.table("DeviceNetworkEvents")
            .select(["Timestamp", "DeviceId", "ReportId"])
            .set_column(0, "Timestamp", [held])
            .to_pylist()
            if start <= row["Timestamp"] // NANOSECONDS_PER_TICK < start + DAY
        }
    )
    useful = [
        call.query for call in standin.calls[before:] if call.status == 200 and call.rows < 500
    ]
    # A call in flight at a kill is lost with it: one for each kill, at most.
    assert len(useful) - len(set(useful)) <= 3


def test_a_recount_brings_what_came_late(
    run: Run, environment: dict[str, str], standin: Standin
) -> None:
    """It says of each partition what came, and by night asks only for what is due."""
    query = "DeviceLogonEvents | project Timestamp, DeviceId"
    (Path(environment["HUNTLAKE_HUNTS"]) / "logons.kql").write_text(query)
    named = ("--hunt", "logons", "--from", day(standin, 2), "--to", day(standin, 0))
    assert run("export", *named).returncode == 0
    last = Window(standin.data.end - DAY, standin.data.end)
    standin.tenant.add_late("DeviceLogonEvents", last, rows=7, seed=9)
    counted = run("recount", *named, "--no-mend")
    assert counted.returncode == 0, counted.stderr
    assert "more rows are there" in counted.stdout
    assert "2 partitions counted, 0 late rows, 0 settled, 1 calls" in counted.stderr
    mended = run("recount", *named)
    assert f"logons\t{day(standin, 1)}\t7 late rows\tprovisional" in mended.stdout
    assert "2 partitions counted, 7 late rows, 0 settled, 2 calls" in mended.stderr
    assert "0 partitions counted" in run("recount").stderr
    assert "say --from and --to" in run("recount", "--from", day(standin, 2)).stderr


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(
    environment: dict[str, str], standin: Standin, tmp_path: Path
) -> None:
    """Exit code 130, no trace, and what was staged is kept."""
    arguments = ("export", "--hunt", "network", "--from", day(standin, 3), "--to", day(standin, 2))
    # So that it waits for its quota before it could be done.
    slowly = {**environment, "HUNTLAKE_LIMITS": "seed,rows=500,calls_per_minute=3"}
    code, said = signalled_at_a_slice(arguments, slowly, signal.SIGINT, tmp_path)
    assert code == 130
    assert "goes on where this stopped" in said
    assert "Traceback" not in said


def test_every_command_has_help_that_teaches() -> None:
    """A line of what it does, and for all but the plainest an example."""
    runner = CliRunner()
    context = click.Context(cli)
    names = {"check", "demo", "export", "kql", "login", "plan", "quota", "sql", "standin", "verify"}
    assert {*cli.list_commands(context)} == names | {"publish", "recount", "report", "retention"}
    for name in cli.list_commands(context):
        each = cli.get_command(context, name)
        assert each is not None
        assert each.name == name
        shown = runner.invoke(cli, [name, "--help"])
        assert shown.exit_code == 0
        assert each.help
        assert "Examples:" in shown.output or not [*each.params]

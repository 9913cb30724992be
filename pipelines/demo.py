"""``huntlake demo`` and ``huntlake standin``: the whole path against the local stand-in tenant.

What belongs here: starting the stand-in, and the commands that use it. What does not: any way into
the lake of its own; the demo runs Dagster as anybody would.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from pipelines.environment import PROJECT
from pipelines.errors import HuntlakeError
from pipelines.hunts import SurfaceName
from pipelines.lake import LakeLayout, connect
from pipelines.quota import Limits, parse_limits
from pipelines.settings import load_paths
from pipelines.slicing import partition_at
from pipelines.standin import Standin, StandinLimits
from pipelines.windows import TICKS_PER_SECOND

# The stand-in's tenant. Its days are enough for every partition that the service still has.
TENANT: Final = "demo"
_HUNTS: Final = ("device_network_events", "device_logon_events", "encoded_powershell")
# Today's contract of the surface that a new user is led to: it allows 45 calls a minute.
_LIMITS: Final = "graph"
_DAYS: Final = 3

_QUESTION: Final = """\
SELECT date, count(*) AS connections, count(DISTINCT DeviceId) AS devices,
       min(Timestamp) AS first, max(Timestamp) AS last
FROM device_network_events
GROUP BY date ORDER BY date"""


def run() -> None:
    """Export three days of three hunts through Dagster, and ask DuckDB about what landed."""
    data = load_paths().data
    _say("1. A local tenant that speaks the service's protocol")
    with _standin(data / "standin", port=0, limits=parse_limits(_LIMITS)) as standin:
        click.echo(f"   {standin.url}, tenant {TENANT}, with made-up events")
        environment = _environment(standin, "graph", _LIMITS)
        first, last = _newest_days(standin)
        _say(f"2. Dagster exports {len(_HUNTS)} hunts, {first} to {last}")
        keys = " or ".join(f'key:"{TENANT}/{hunt}"' for hunt in _HUNTS)
        _materialize(environment, "--select", keys, "--partition-range", f"{first}...{last}")
        _materialize(environment, "--select", f'key:"{TENANT}/remote_destinations"')
        calls = len(standin.calls)
    _say("3. DuckDB over the Parquet that landed")
    click.echo(_indented(_QUESTION))
    with connect(LakeLayout(data)) as lake:
        lake.sql(_QUESTION).show(max_width=120)
    _say(f"The stand-in answered {calls} calls. Where to look next:")
    click.echo(_NEXT)


_NEXT: Final = """\
   data/lake/                                               the Parquet files, one a partition
   .venv/bin/huntlake sql "FROM encoded_powershell LIMIT 5" query the lake
   .venv/bin/huntlake standin -- dagster dev                assets, runs and plots in a browser
   assets/hunts/                                            the hunts; add your own
   README.md                                                your own tenant"""


def serve(  # noqa: PLR0913 - the command's options
    *,
    port: int,
    surface: SurfaceName,
    limits: str,
    directory: Path | None,
    late: float | None,
    command: Sequence[str],
) -> int:
    """Serve the stand-in while ``command`` runs, or until Ctrl-C; the command's exit code.

    ``late`` is the share of its past minutes in which events arrive only now.
    """
    try:
        enforced = parse_limits(limits)
    except ValueError as error:
        raise click.UsageError(f"--limits: {error}") from None
    # Whole, since a command may take the settings' paths from another folder.
    directory = (directory or load_paths().data / "standin").absolute()
    with _standin(directory, port=port, limits=enforced) as standin:
        environment = _environment(standin, surface, limits)
        if late:
            click.echo(f"# {standin.add_late(late):,} events of past days arrived late", err=True)
        if command:
            return _run_within(environment, command)
        click.echo(f"# The stand-in tenant is at {standin.url} until Ctrl-C. Its settings:")
        for name, value in environment.items():
            click.echo(f"export {name}={value}")
        standin.wait()
    return 0


@contextmanager
def _standin(directory: Path, *, port: int, limits: Limits) -> Iterator[Standin]:
    enforced = StandinLimits(
        rows=limits.rows,
        response_bytes=limits.response_bytes,
        request_seconds=limits.request_seconds,
        calls=tuple((quota.calls, float(quota.per_seconds)) for quota in limits.calls),
        running=tuple((quota.seconds, float(quota.per_seconds)) for quota in limits.running),
        data_age_days=limits.data_age_days,
    )
    directory.mkdir(parents=True, exist_ok=True)
    with Standin(
        directory,
        limits=enforced,
        port=port,
        tenant_id=TENANT,
        call_log=directory / "calls.jsonl",
    ) as standin:
        yield standin


def _environment(standin: Standin, surface: SurfaceName, limits: str) -> Mapping[str, str]:
    return {**standin.environment(surface), "HUNTLAKE_LIMITS": limits}


def _newest_days(standin: Standin) -> tuple[str, str]:
    """The keys of the first and last of the newest days that the stand-in has whole."""
    day = 86_400 * TICKS_PER_SECOND
    last = partition_at("daily", standin.data.end - 1)
    first = partition_at("daily", last.window.start - (_DAYS - 1) * day)
    return first.key, last.key


def _materialize(environment: Mapping[str, str], *arguments: str) -> None:
    """``dagster asset materialize``, showing of its output what our own assets say."""
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "assets", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if message := _own_message(line):
                click.echo(f"   {message}")
    if process.returncode != 0:
        click.echo("".join(lines[-30:]), err=True)
        raise HuntlakeError("Dagster's run failed; its last lines are above")


def _own_message(line: str) -> str | None:
    """What an asset logged, out of a line of Dagster's console log."""
    _, _, rest = line.rstrip().partition(" - dagster - INFO - ")
    parts = rest.split(" - ", maxsplit=3)
    return parts[3] if len(parts) > 3 else None  # noqa: PLR2004 - job, run, step, message


def _run_within(environment: Mapping[str, str], command: Sequence[str]) -> int:
    # Our own environment's commands first, so that `dagster` means the one that knows the assets.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    variables = {**os.environ, **environment, "PATH": path}
    try:
        with subprocess.Popen([*command], env=variables) as process:  # noqa: S603 - the user's own
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal has told the command too; the stand-in stays until it is done.
                return process.wait()
    except FileNotFoundError:
        raise HuntlakeError(f"there is no command {command[0]!r} to run") from None


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())

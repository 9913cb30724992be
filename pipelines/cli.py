"""The command ``huntlake``.

What belongs here: arguments, exit codes and what is printed. What does not: any work; each command
calls one thing.

Exit codes: 0 all is done; 1 something failed, and the message says what to do; 2 the command was
used wrongly; 130 interrupted.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click

from pipelines.clock import Clock, SystemClock
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import HuntlakeError
from pipelines.hunt_files import load_hunts
from pipelines.hunts import Hunt, SurfaceName
from pipelines.lake import LakeLayout, connect
from pipelines.progress import Observer
from pipelines.settings import load_limits, load_paths, load_settings
from pipelines.slicing import Partition, partition_at, partitions_between
from pipelines.windows import Window, parse_instant

_OUTPUTS: Final = ("table", "csv", "json")
_PICTURES: Final = (".svg", ".png")


def main() -> None:
    """Run the command; what goes wrong is printed as one message, without a trace."""
    try:
        sys.exit(cli.main(prog_name="huntlake", standalone_mode=False))
    except click.exceptions.Abort:
        click.echo("\nhuntlake: interrupted; the same command goes on where this stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HuntlakeError as error:
        click.secho(f"huntlake: {error}", fg="red", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("huntlake"), prog_name="huntlake")
def cli() -> None:
    """Microsoft Defender advanced hunting data, in a lake that you own.

    Start with `huntlake demo`, which needs no tenant. For your own tenant, set AZURE_TENANT_ID,
    AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (in the environment or in .env), see that `huntlake
    check` passes, and export:

    \b
        huntlake export --hunt device_logon_events --from 2026-11-20 --to 2026-11-22
        huntlake sql "SELECT ActionType, count(*) FROM device_logon_events GROUP BY ALL"
    """


class _Instant(click.ParamType[int]):
    """A UTC date or time, as ticks."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return value if isinstance(value, int) else parse_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_from = click.option(
    "--from",
    "start",
    type=_Instant(),
    metavar="TIME",
    help="Where the first partition starts, UTC: 2026-11-20 or 2026-11-20T06:00.",
)
_to = click.option(
    "--to",
    "end",
    type=_Instant(),
    metavar="TIME",
    help="Where the last partition ends; this instant itself is not in it.",
)


@cli.command()
@click.option(
    "--hunt",
    "names",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A hunt's name; may be given several times.",
)
@_from
@_to
@click.option(
    "--refresh",
    is_flag=True,
    help="Pull partitions again that were exported before. Costs their quota again.",
)
def export(names: Sequence[str], start: int | None, end: int | None, *, refresh: bool) -> None:
    """Export partitions of hunts into the lake, without Dagster.

    The window [--from, --to) must hold whole partitions: UTC days, or hours for an hourly hunt. A
    hunt over tables without time takes a snapshot now, and needs neither. Partitions that were
    exported before are not pulled again, and a slice that was pulled before a crash or Ctrl-C isn't
    either: run the same command again to go on.

    \b
    Examples:
        huntlake export --hunt device_logon_events --from 2026-11-20 --to 2026-11-22
        huntlake export --hunt device_process_events --from 2026-11-20T05:00 --to 2026-11-20T07:00
        huntlake export --hunt software_vulnerabilities
    """
    settings = load_settings()
    catalogue = load_hunts(settings.hunts)
    clock = SystemClock()
    wanted = [(hunt, _partitions(hunt, start, end, clock)) for hunt in map(catalogue.hunt, names)]
    with Engine(settings, clock) as engine:
        for hunt, partitions in wanted:
            committed: list[PartitionExport] = []
            try:
                with _watching(engine, hunt, partitions) as observer:
                    committed.extend(
                        engine.export(hunt, partitions, refresh=refresh, observer=observer)
                    )
            finally:
                # After the bar is gone, which a line in the middle of it would leave broken.
                for each in committed:
                    _print_exported(each)


def _partitions(hunt: Hunt, start: int | None, end: int | None, clock: Clock) -> list[Partition]:
    kind = hunt.export.partitions
    if kind == "snapshot":
        return [partition_at(kind, clock.now_ns() // 100)]
    if start is None or end is None:
        raise click.UsageError(f"{hunt.name} is {kind}: say --from and --to")
    try:
        return partitions_between(kind, Window(start, end))
    except ValueError as error:
        raise click.UsageError(f"{hunt.name} is {kind}: {error}") from None


@contextmanager
def _watching(engine: Engine, hunt: Hunt, partitions: Sequence[Partition]) -> Iterator[Observer]:
    # rich takes a quarter of a second to import, which `huntlake sql` should not pay.
    from pipelines.console import Bar, PlainLines

    if not sys.stderr.isatty():
        with PlainLines() as lines:
            yield lines
        return
    with Bar(partitions, partial(engine.quota_left, hunt)) as bar:
        yield bar


def _print_exported(each: PartitionExport) -> None:
    receipt = each.receipt
    calls = "reused" if each.reused else f"{receipt.calls} calls"
    click.echo(f"{receipt.hunt}\t{each.partition.key}\t{receipt.rows} rows\t{calls}\t{each.path}")


@cli.command()
@click.argument("name", metavar="HUNT")
@_from
@_to
@click.option(
    "--offline",
    is_flag=True,
    help="Make no call: plan with what earlier exports have taught.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the plan is printed; as JSON with every slice.",
)
def plan(name: str, start: int | None, end: int | None, *, offline: bool, output: str) -> None:
    """Show what an export would do, without pulling anything.

    Says whether the hunt may be cut and why, which slices it would be pulled in, how many calls,
    rows and seconds of running time that takes, and when the quota would let it be done. Where much
    is to be pulled, the service is asked to count the rows first, in one call; an export that
    follows within a day plans with the same count.

    \b
    Examples:
        huntlake plan device_network_events --from 2026-11-20 --to 2026-11-22
        huntlake plan device_process_events --from 2026-11-01 --to 2026-11-20 --offline
    """
    from pipelines.plan_text import plan_json, plan_lines

    settings = load_settings()
    hunt = load_hunts(settings.hunts).hunt(name)
    clock = SystemClock()
    partitions = _partitions(hunt, start, end, clock)
    with Engine(settings, clock) as engine, _lines() as observer:
        planned = engine.plan(hunt, partitions, may_count=not offline, observer=observer)
    for line in [plan_json(planned)] if output == "json" else plan_lines(planned):
        click.echo(line)


@cli.command()
@click.argument("name", metavar="HUNT")
@_from
@_to
def verify(name: str, start: int | None, end: int | None) -> None:
    """Count committed partitions again, and compare with what landed, bin by bin.

    One call for adjacent partitions whose rows time tells apart, else one for each. Rows that
    reached the service since the export show as more counted than landed: export with --refresh to
    have them. Exit code 1 if any partition differs or can't be counted.

    \b
    Examples:
        huntlake verify device_network_events --from 2026-11-20 --to 2026-11-22
    """
    from pipelines.plan_text import verification_lines

    settings = load_settings()
    hunt = load_hunts(settings.hunts).hunt(name)
    clock = SystemClock()
    partitions = _partitions(hunt, start, end, clock)
    all_hold = True
    with Engine(settings, clock) as engine, _lines() as observer:
        for verification in engine.verify(hunt, partitions, observer=observer):
            all_hold = all_hold and verification.holds
            for line in verification_lines(verification):
                click.echo(line)
    if not all_hold:
        sys.exit(1)


@contextmanager
def _lines() -> Iterator[Observer]:
    from pipelines.console import PlainLines

    with PlainLines() as lines:
        yield lines


class _Picture(click.Path):
    """A file whose ending says how the picture is drawn."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).suffix.lower() not in _PICTURES:
            self.fail(f"{value!r} must end in {' or '.join(_PICTURES)}", param, ctx)
        return super().convert(value, param, ctx)


@cli.command()
@click.option("--tenant", metavar="ID", help="Whose quota.  [default: AZURE_TENANT_ID]")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Who spent it on a UTC day, and its picture.  [default: the last 24 hours]",
)
@click.option(
    "--plot",
    type=_Picture(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the day's running time against the limit, as FILE.svg or FILE.png.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How it is printed.",
)
def quota(tenant: str | None, day: datetime | None, plot: Path | None, output: str) -> None:
    """Show what is used and left of the quota, when it frees, who spent it, and who waits.

    Reads the ledger only: it makes no call and needs no sign-in. What it counts against is
    HUNTLAKE_LIMITS. What other applications and people used is not seen, except what the service's
    refusals (429) told. Who waits is listed in the order in which their calls would come, with when
    each would be done if nobody else came.

    \b
    Examples:
        huntlake quota
        huntlake quota --plot quota.svg
        huntlake quota --day 2026-11-20 --output json
    """
    from pipelines.quota_report import last_day, quota_report, utc_day
    from pipelines.quota_text import quota_json, quota_lines

    paths, limits = load_paths(), load_limits()
    layout, tenant = LakeLayout(paths.data), tenant or paths.tenant_id
    now_ns = SystemClock().now_ns()
    period = last_day(now_ns) if day is None else utc_day(day)
    report = quota_report(layout, tenant, limits, period, now_ns=now_ns)
    for line in [quota_json(report)] if output == "json" else quota_lines(report):
        click.echo(line)
    if plot is not None:
        from pipelines.quota_day import quota_day
        from pipelines.quota_plot import draw_to

        draw_to(plot, quota_day(layout, tenant, limits, period, now_ns=now_ns))
        click.echo(f"the picture is in {plot}", err=True)


@cli.command()
@click.argument("statement")
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    default="table",
    show_default=True,
    help="How the answer is printed.",
)
def sql(statement: str, output: str) -> None:
    """Query the lake with DuckDB's SQL: one view for each hunt.

    \b
    Examples:
        huntlake sql "SHOW TABLES"
        huntlake sql "FROM device_logon_events WHERE ActionType = 'LogonFailed' LIMIT 20"
        huntlake sql --output csv "SELECT * FROM alert_info" > alerts.csv
    """
    import duckdb

    with connect(LakeLayout(load_paths().data)) as connection:
        try:
            _print_answer(connection.sql(statement), output)
        except duckdb.Error as error:
            raise HuntlakeError(str(error)) from error


def _print_answer(answer: Any, output: str) -> None:
    if output == "table":
        answer.show(max_width=200, max_rows=100)
    elif output == "csv":
        from pyarrow import csv

        batches = answer.to_arrow_reader()
        with csv.CSVWriter(sys.stdout.buffer, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    else:
        lines = answer.query("answer", "SELECT to_json(answer)::VARCHAR FROM answer")
        for (line,) in lines.iter_rows():
            click.echo(line)


@cli.command()
def check() -> None:
    """See whether everything is in place: hunts, settings, data folder, sign-in, service.

    Each line passes or says what to do. Exit code 1 if any doesn't pass. Makes one call, which
    reads no table.
    """
    from pipelines.check import check as findings

    failed = False
    for finding in findings(SystemClock()):
        mark = click.style("ok  ", fg="green") if finding.passed else click.style("FAIL", fg="red")
        click.echo(f"{mark} {finding.subject:<9} {finding.text}")
        failed = failed or not finding.passed
    if failed:
        sys.exit(1)


@cli.command()
def demo() -> None:
    """Export hunts from a local stand-in tenant through Dagster, and query what landed.

    Needs no tenant and no network. A second run pulls nothing again. `make clean` removes what it
    leaves: `data/`, and Dagster's history in `.dagster/`.
    """
    from pipelines.demo import run

    run()


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, default=0, help="The port on localhost; by default a free one.")
@click.option(
    "--surface",
    type=click.Choice(["graph", "xdr", "mde"]),
    default="graph",
    show_default=True,
    help="The surface that the printed settings choose; all three are spoken.",
)
@click.option(
    "--limits",
    default="graph",
    show_default=True,
    help="What it enforces, in the form of HUNTLAKE_LIMITS: graph,rows=1000,calls_per_minute=5.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its authority and events lie.  [default: standin/ in the data folder]",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def standin(
    port: int, surface: SurfaceName, limits: str, directory: Path | None, command: Sequence[str]
) -> None:
    """Serve a local tenant with made-up events that speaks the service's protocol.

    Given a COMMAND, it sets the environment so that huntlake, Dagster and whatever else the command
    starts use the stand-in, runs it, and stops when it ends. Without one it prints the settings and
    serves until Ctrl-C. Each call is logged as a line of calls.jsonl in its directory.

    \b
    Examples:
        huntlake standin -- huntlake check
        huntlake standin -- dagster dev
        huntlake standin --limits graph,rows=5000 -- huntlake export --hunt alert_info ...
    """
    from pipelines.demo import serve

    sys.exit(serve(port=port, surface=surface, limits=limits, directory=directory, command=command))

"""``huntlake demo`` and ``huntlake standin``: without a tenant."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pipelines.hunts import SurfaceName


@click.command()
def demo() -> None:
    """Export hunts from a local stand-in tenant through Dagster, and query what landed.

    Needs no tenant and no network. A second run pulls nothing again. `make clean` removes what it
    leaves: `data/`, and Dagster's history in `.dagster/`.
    """
    from pipelines.demo import run

    run()


@click.command(context_settings={"ignore_unknown_options": True})
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
@click.option(
    "--late",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Let late events arrive in so many of the past days' minutes: 0.01 is one in a hundred.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def standin(  # noqa: PLR0913, PLR0917 - the command's options
    port: int,
    surface: SurfaceName,
    limits: str,
    directory: Path | None,
    late: float | None,
    command: Sequence[str],
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
        huntlake standin --late 0.01 -- huntlake recount --from 2026-11-01 --to 2026-11-20
    """
    from pipelines.demo import serve

    sys.exit(
        serve(
            port=port,
            surface=surface,
            limits=limits,
            directory=directory,
            late=late,
            command=command,
        )
    )

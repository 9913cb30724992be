"""``huntlake retention``."""

from collections.abc import Sequence

import click

from pipelines.clock import SystemClock
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout
from pipelines.settings import load_limits, load_paths


@click.command()
@click.option(
    "--hunt",
    "names",
    multiple=True,
    metavar="NAME",
    help="A hunt's name; may be given several times.  [default: all]",
)
@click.option("--tenant", metavar="NAME", help="A tenant's name.  [default: all]")
@click.option("--delete", is_flag=True, help="Remove them. They can't be had again.")
def retention(names: Sequence[str], tenant: str | None, *, delete: bool) -> None:
    """List the partitions that are older than their hunt's `retention:`, or remove them.

    Without --delete nothing is removed. A hunt without the setting keeps all that it has. What was
    removed stands in the table huntlake.removals.

    \b
    Examples:
        huntlake retention
        huntlake retention --hunt device_network_events --delete
    """
    from pipelines.retention import retain, retention_lines

    paths, limits = load_paths(), load_limits()
    catalogue = load_hunts(paths.hunts)
    hunts = [*map(catalogue.hunt, names)] if names else [*catalogue.hunts.values()]
    retained = list(
        retain(
            hunts,
            LakeLayout(paths.data),
            SystemClock(),
            data_age_days=limits.data_age_days,
            tenant=tenant,
            delete=delete,
        )
    )
    for line in retention_lines(retained, delete=delete):
        click.echo(line)

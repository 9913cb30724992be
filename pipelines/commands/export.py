"""``huntlake export``."""

from collections.abc import Sequence

import click

from pipelines.clock import SystemClock
from pipelines.commands.tenants import TenantAtHand, tenant_option
from pipelines.commands.watching import watching
from pipelines.commands.windows import from_option, partitions_of, to_option
from pipelines.committing import PartitionExport
from pipelines.engine import Engine


@click.command()
@click.option(
    "--hunt",
    "names",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A hunt's name; may be given several times.",
)
@from_option
@to_option
@tenant_option
@click.option(
    "--refresh",
    is_flag=True,
    help="Pull partitions again that were exported before. Costs their quota again.",
)
def export(
    names: Sequence[str],
    start: int | None,
    end: int | None,
    tenant: str | None,
    *,
    refresh: bool,
) -> None:
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
    at_hand = TenantAtHand.named(tenant)
    clock = SystemClock()
    wanted = [(hunt, partitions_of(hunt, start, end, clock)) for hunt in map(at_hand.hunt, names)]
    with Engine(at_hand.settings, clock) as engine:
        for hunt, partitions in wanted:
            committed: list[PartitionExport] = []
            try:
                with watching(engine, hunt, partitions) as observer:
                    committed.extend(
                        engine.export(hunt, partitions, refresh=refresh, observer=observer)
                    )
            finally:
                # After the bar is gone, which a line in the middle of it would leave broken.
                for each in committed:
                    _print_exported(each)


def _print_exported(each: PartitionExport) -> None:
    receipt = each.receipt
    calls = "reused" if each.reused else f"{receipt.calls} calls"
    click.echo(f"{receipt.hunt}\t{each.partition.key}\t{receipt.rows} rows\t{calls}\t{each.path}")

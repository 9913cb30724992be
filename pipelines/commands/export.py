"""``huntlake export``."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from pipelines.clock import SystemClock
from pipelines.commands.tenants import TenantAtHand, tenant_option
from pipelines.commands.watching import watching
from pipelines.commands.windows import from_option, partitions_of, to_option
from pipelines.committing import PartitionExport
from pipelines.engine import Engine
from pipelines.errors import ExportError, HuntlakeError
from pipelines.failure_text import failure_lines
from pipelines.going_on import Aftermath, PartitionFailed, Then
from pipelines.hunts import Hunt
from pipelines.slicing import Partition


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

    A partition that fails keeps no other from being exported, unless all would fail alike; the
    command fails at its end then, and names all that are missing.

    \b
    Examples:
        huntlake export --hunt device_logon_events --from 2026-11-20 --to 2026-11-22
        huntlake export --hunt device_process_events --from 2026-11-20T05:00 --to 2026-11-20T07:00
        huntlake export --hunt software_vulnerabilities
    """
    at_hand = TenantAtHand.named(tenant)
    clock = SystemClock()
    wanted = [(hunt, partitions_of(hunt, start, end, clock)) for hunt in map(at_hand.hunt, names)]
    failures = _Failures()
    with Engine(at_hand.settings, clock) as engine:
        for hunt, partitions in wanted:
            if failures.of_all:
                failures.untried.append(hunt.name)
                continue
            try:
                failures.of_hunt(
                    hunt.name, len(partitions), _export(engine, hunt, partitions, refresh=refresh)
                )
            except HuntlakeError as error:
                # Of the hunt and not of a partition, such as a surface that has ended.
                failures.errors.append(error)
    failures.raise_any()


def _export(
    engine: Engine, hunt: Hunt, partitions: Sequence[Partition], *, refresh: bool
) -> list[PartitionFailed]:
    """Export what can be exported of a hunt, and print it; what can't."""
    committed: list[PartitionExport] = []
    failed: list[PartitionFailed] = []
    try:
        with watching(engine, hunt, partitions) as observer:
            for outcome in engine.export_in_spite(
                hunt,
                partitions,
                refresh=refresh,
                # Whoever waits at a terminal would rather be told, and cron comes again.
                retries=0,
                observer=observer,
            ):
                if isinstance(outcome, PartitionFailed):
                    failed.append(outcome)
                else:
                    committed.append(outcome)
    finally:
        # After the bar is gone, which a line in the middle of it would leave broken.
        for each in committed:
            _print_exported(each)
    return failed


@dataclass(slots=True)
class _Failures:
    """What failed in one command: each partition's, or a whole hunt's, and what is left for it."""

    errors: list[HuntlakeError] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    of_all: bool = False
    """Whether the service, or the way to it, is not well: the next hunt would fail alike."""

    def of_hunt(self, hunt: str, asked: int, failed: Sequence[PartitionFailed]) -> None:
        """Take what failed of a hunt's partitions."""
        if not failed:
            return
        last = failed[-1]
        self.of_all = last.aftermath == Aftermath(Then.STOP, passes=True)
        lines = failure_lines(hunt, failed, asked=asked)
        self.errors.append(last.error if asked == 1 else ExportError("\n".join(lines)))

    def raise_any(self) -> None:
        """Raise one error for all."""
        untried = [f"not tried after that: {', '.join(self.untried)}"] if self.untried else []
        if len(self.errors) == 1 and not untried:
            raise self.errors[0]
        if self.errors:
            raise ExportError("\n".join([*map(str, self.errors), *untried]))


def _print_exported(each: PartitionExport) -> None:
    receipt = each.receipt
    calls = "reused" if each.reused else f"{receipt.calls} calls"
    click.echo(f"{receipt.hunt}\t{each.partition.key}\t{receipt.rows} rows\t{calls}\t{each.path}")

"""``huntlake recount``."""

from collections import Counter
from collections.abc import Sequence

import click

from pipelines.clock import Clock, SystemClock
from pipelines.commands.tenants import TenantAtHand, tenant_option
from pipelines.commands.watching import plain_lines
from pipelines.commands.windows import from_option, partitions_of, to_option
from pipelines.engine import Engine
from pipelines.hunts import Hunt
from pipelines.slicing import Partition


@click.command()
@click.option(
    "--hunt",
    "names",
    multiple=True,
    metavar="NAME",
    help="A hunt's name; may be given several times.  [default: all hunts]",
)
@from_option
@to_option
@tenant_option
@click.option("--no-mend", is_flag=True, help="Count alone, and pull nothing again.")
def recount(
    names: Sequence[str],
    start: int | None,
    end: int | None,
    tenant: str | None,
    *,
    no_mend: bool,
) -> None:
    """Count committed partitions again, and pull again what came late.

    Without a window: all partitions that are provisional and were not counted within the last 12
    hours. Several hunts and partitions are counted in one call, where that can be. Bins of time
    that have more rows than landed are pulled again, just those, and the partition is committed
    anew. What landed is never taken away. Run it each night; docs/late-data.md says more.

    \b
    Examples:
        huntlake recount
        huntlake recount --hunt device_logon_events --from 2026-11-18 --to 2026-11-20 --no-mend
    """
    at_hand = TenantAtHand.named(tenant)
    hunts = [at_hand.hunt(name) for name in names] or [
        hunt for hunt in at_hand.hunts if hunt.export.partitions != "snapshot"
    ]
    clock = SystemClock()
    partitions = _partitions(hunts, start, end, clock)
    done: Counter[str] = Counter()
    with Engine(at_hand.settings, clock) as engine, plain_lines() as observer:
        try:
            for each in engine.recount(hunts, partitions, mend=not no_mend, observer=observer):
                done.update(partitions=1, late=each.late_rows, settled=each.settled)
                done.update(calls=each.calls)
                state = "settled" if each.settled else "provisional"
                click.echo(
                    f"{each.hunt}\t{each.partition}\t{each.late_rows} late rows\t{state}\t"
                    f"{each.what}"
                )
        finally:
            click.echo(
                f"{done['partitions']} partitions counted, {done['late']} late rows, "
                f"{done['settled']} settled, {done['calls']} calls",
                err=True,
            )


def _partitions(
    hunts: Sequence[Hunt], start: int | None, end: int | None, clock: Clock
) -> list[Partition] | None:
    """Those of the window, be they days or hours; ``None`` where none was given."""
    if start is None and end is None:
        return None
    kinds = {hunt.export.partitions: hunt for hunt in hunts if hunt.export.partitions != "snapshot"}
    return [each for hunt in kinds.values() for each in partitions_of(hunt, start, end, clock)]

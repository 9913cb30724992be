"""``huntlake plan`` and ``huntlake verify``: what an export would do, and what it did."""

import sys

import click

from pipelines.clock import SystemClock
from pipelines.commands.tenants import TenantAtHand, tenant_option
from pipelines.commands.watching import plain_lines
from pipelines.commands.windows import from_option, partitions_of, to_option
from pipelines.engine import Engine


@click.command()
@click.argument("name", metavar="HUNT")
@from_option
@to_option
@tenant_option
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
def plan(  # noqa: PLR0913 - one for each option
    name: str,
    start: int | None,
    end: int | None,
    tenant: str | None,
    *,
    offline: bool,
    output: str,
) -> None:
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

    at_hand = TenantAtHand.named(tenant)
    hunt = at_hand.hunt(name)
    clock = SystemClock()
    partitions = partitions_of(hunt, start, end, clock)
    with Engine(at_hand.settings, clock) as engine, plain_lines() as observer:
        planned = engine.plan(hunt, partitions, may_count=not offline, observer=observer)
    for line in [plan_json(planned)] if output == "json" else plan_lines(planned):
        click.echo(line)


@click.command()
@click.argument("name", metavar="HUNT")
@from_option
@to_option
@tenant_option
def verify(name: str, start: int | None, end: int | None, tenant: str | None) -> None:
    """Count committed partitions again, and compare with what landed, bin by bin.

    One call for adjacent partitions whose rows time tells apart, else one for each. Rows that
    reached the service since the export show as more counted than landed: export with --refresh to
    have them. Exit code 1 if any partition differs or can't be counted.

    \b
    Examples:
        huntlake verify device_network_events --from 2026-11-20 --to 2026-11-22
    """
    from pipelines.plan_text import verification_lines

    at_hand = TenantAtHand.named(tenant)
    hunt = at_hand.hunt(name)
    clock = SystemClock()
    partitions = partitions_of(hunt, start, end, clock)
    all_hold = True
    with Engine(at_hand.settings, clock) as engine, plain_lines() as observer:
        for verification in engine.verify(hunt, partitions, observer=observer):
            all_hold = all_hold and verification.holds
            for line in verification_lines(verification):
                click.echo(line)
    if not all_hold:
        sys.exit(1)

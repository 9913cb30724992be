"""``huntlake quota``."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from pipelines.clock import SystemClock
from pipelines.lake import LakeLayout
from pipelines.quota import Limits
from pipelines.settings import load_limits, load_paths
from pipelines.tenants import load_tenants

_PICTURES: Final = (".svg", ".png")


class _Picture(click.Path):
    """A file whose ending says how the picture is drawn."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).suffix.lower() not in _PICTURES:
            self.fail(f"{value!r} must end in {' or '.join(_PICTURES)}", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.option(
    "--tenant",
    metavar="NAME",
    help="Whose quota, by a tenant's name or id.  [default: the only one's]",
)
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
    HUNTLAKE_LIMITS, or the tenant's own limits. What other applications and people used is not
    seen, except what the service's refusals (429) told. Who waits is listed in the order in which
    their calls would come, with when each would be done if nobody else came.

    \b
    Examples:
        huntlake quota
        huntlake quota --plot quota.svg
        huntlake quota --day 2026-11-20 --output json
    """
    from pipelines.quota_report import last_day, quota_report, utc_day
    from pipelines.quota_text import quota_json, quota_lines

    layout = LakeLayout(load_paths().data)
    tenant, limits = _whose(tenant)
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


def _whose(tenant: str | None) -> tuple[str, Limits]:
    """The tenant's id in the ledger, and its limits."""
    tenants = load_tenants()
    if tenant is not None and tenants.file is None:
        # A hunt's own tenant, which the ledger knows and nothing else does.
        return tenant, load_limits()
    found = tenants.tenant(tenant)
    return found.id, found.limits()

"""``huntlake check``."""

import sys

import click

from pipelines.clock import SystemClock
from pipelines.finding import Finding


@click.command()
@click.option(
    "--tenant", metavar="NAME", help="Look at one tenant of several.  [default: at all of them]"
)
def check(tenant: str | None) -> None:
    """See whether everything is in place: hunts, settings, data folder, identity, sign-in, service.

    Each line passes or says what to do; a line that warns passes for now. Exit code 1 if any
    doesn't pass. Makes one call to each tenant, which reads no table.

    \b
    Examples:
        huntlake check
        huntlake check --tenant contoso
    """
    from pipelines.check import check as findings

    failed, of = False, None
    for finding in findings(SystemClock(), tenant):
        if finding.tenant != of:
            of = finding.tenant
            click.secho(of or "", bold=True)
        click.echo(f"{_mark(finding)} {finding.subject:<9} {finding.text}")
        failed = failed or not finding.passed
    if failed:
        sys.exit(1)


def _mark(finding: Finding) -> str:
    if not finding.passed:
        return click.style("FAIL", fg="red")
    return click.style("warn", fg="yellow") if finding.warns else click.style("ok  ", fg="green")

"""``huntlake check``."""

import sys

import click

from pipelines.clock import SystemClock
from pipelines.finding import Finding


@click.command()
def check() -> None:
    """See whether everything is in place: hunts, settings, data folder, identity, sign-in, service.

    Each line passes or says what to do; a line that warns passes for now. Exit code 1 if any
    doesn't pass. Makes one call, which reads no table.
    """
    from pipelines.check import check as findings

    failed = False
    for finding in findings(SystemClock()):
        click.echo(f"{_mark(finding)} {finding.subject:<9} {finding.text}")
        failed = failed or not finding.passed
    if failed:
        sys.exit(1)


def _mark(finding: Finding) -> str:
    if not finding.passed:
        return click.style("FAIL", fg="red")
    return click.style("warn", fg="yellow") if finding.warns else click.style("ok  ", fg="green")

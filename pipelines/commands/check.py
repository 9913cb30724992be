"""``huntlake check``."""

import sys

import click

from pipelines.clock import SystemClock


@click.command()
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

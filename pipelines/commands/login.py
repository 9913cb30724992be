"""``huntlake login``."""

import click

from pipelines.clock import SystemClock
from pipelines.settings import load_settings


@click.command()
@click.option("--forget", is_flag=True, help="Remove the tokens of the login that is there.")
def login(*, forget: bool) -> None:
    """Sign in as a person, where HUNTLAKE_SIGN_IN is device-code.

    Prints a code to enter in a browser, on any machine, and waits until that is done. What exports
    need of it is kept in HUNTLAKE_LOGINS, where only you may read it, until the tenant ends it; an
    export without it fails at once. Applications (a secret, a certificate, a managed or workload
    identity) need no login.

    \b
    Examples:
        huntlake login
        huntlake login --forget
    """
    from pipelines.api import SURFACES, forget_login, log_in

    settings = load_settings()
    if forget:
        gone = forget_login(settings)
        click.echo("the login is removed from this machine" if gone else "there was no login")
        return
    username = log_in(settings, SURFACES[settings.surface], SystemClock(), click.echo)
    click.echo(f"{username} is logged in to tenant {settings.tenant_id}")

"""The command ``huntlake``.

What belongs here: the group, exit codes and how an error is printed. What does not: the commands,
which are in ``commands`` and each call one thing.

Exit codes: 0 all is done; 1 something failed, and the message says what to do; 2 the command was
used wrongly; 130 interrupted.
"""

import sys
from importlib.metadata import version

import click

from pipelines.commands.check import check
from pipelines.commands.export import export
from pipelines.commands.login import login
from pipelines.commands.plan import plan, verify
from pipelines.commands.publish import publish
from pipelines.commands.quota import quota
from pipelines.commands.recount import recount
from pipelines.commands.retention import retention
from pipelines.commands.sql import sql
from pipelines.commands.standin import demo, standin
from pipelines.errors import HuntlakeError


def main() -> None:
    """Run the command; what goes wrong is printed as one message, without a trace."""
    try:
        sys.exit(cli.main(prog_name="huntlake", standalone_mode=False))
    except click.exceptions.Abort:
        click.echo("\nhuntlake: interrupted; the same command goes on where this stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HuntlakeError as error:
        click.secho(f"huntlake: {error}", fg="red", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("huntlake"), prog_name="huntlake")
def cli() -> None:
    """Microsoft Defender advanced hunting data, in a lake that you own.

    Start with `huntlake demo`, which needs no tenant. For your own tenant, set AZURE_TENANT_ID,
    AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (in the environment or in .env), see that `huntlake
    check` passes, and export:

    \b
        huntlake export --hunt device_logon_events --from 2026-11-20 --to 2026-11-22
        huntlake sql "SELECT ActionType, count(*) FROM device_logon_events GROUP BY ALL"
    """


_COMMANDS = (
    export,
    plan,
    verify,
    recount,
    quota,
    sql,
    publish,
    retention,
    check,
    login,
    demo,
    standin,
)
for _command in _COMMANDS:
    cli.add_command(_command)

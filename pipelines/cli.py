"""The command ``huntlake``.

What belongs here: the group, exit codes and how an error is printed. What does not: the commands,
which are in ``commands`` and each call one thing.

Exit codes: 0 all is done; 1 something failed, and the message says what to do; 2 the command was
used wrongly; 130 interrupted.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType
from typing import Final

import click

from pipelines.errors import HuntlakeError

# The module of each, imported when it is asked for: all of them take more than a second.
_COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "export": "export",
        "plan": "plan",
        "verify": "plan",
        "recount": "recount",
        "quota": "quota",
        "sql": "sql",
        "kql": "kql",
        "publish": "publish",
        "retention": "retention",
        "report": "report",
        "check": "check",
        "login": "login",
        "demo": "standin",
        "standin": "standin",
    }
)


class _Commands(click.Group):
    """The commands by their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"pipelines.commands.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


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


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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

"""``huntlake sql``."""

import sys
from typing import TextIO

import click
from duckdb import DuckDBPyConnection

from pipelines.clock import SystemClock
from pipelines.commands.answers import output_option, print_answer
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout, asking, connect
from pipelines.settings import load_paths, user_state


@click.command()
@click.argument("statement", required=False)
@click.option("--file", type=click.File(encoding="utf-8-sig"), help="Read statements from a file.")
@output_option
def sql(statement: str | None, file: TextIO | None, output: str) -> None:
    """Query the lake with DuckDB's SQL: one view for each hunt.

    The statements are an argument, a --file, or standard input. On a terminal, without any of them,
    it is a shell. The lake is read-only: what a session makes for itself is TEMP.

    \b
    Examples:
        huntlake sql
        huntlake sql "SHOW TABLES"
        huntlake sql "FROM device_logon_events WHERE ActionType = 'LogonFailed' LIMIT 20"
        huntlake sql --output csv "SELECT * FROM alert_info" > alerts.csv
        huntlake sql --file morning.sql
    """
    if statement is not None and file is not None:
        raise click.UsageError("give the statement, or a --file that holds them, not both")
    asks_person = statement is None and file is None and sys.stdin.isatty()
    if asks_person and not sys.stdout.isatty():
        raise click.UsageError("give a statement, a --file, or statements on standard input")
    with connect(LakeLayout(load_paths().data)) as connection:
        if asks_person:
            _shell(connection)
        else:
            text = statement if statement is not None else (file or sys.stdin).read()
            _answer_all(connection, text, output)


def _answer_all(connection: DuckDBPyConnection, text: str, output: str) -> None:
    """Print each answer after the other; the first that fails ends it."""
    import duckdb

    found = list(asking.statements(connection, text))
    if not found:
        raise click.UsageError("there is no statement")
    for number, each in enumerate(found, 1):
        try:
            answer = asking.answer(connection, each)
            if answer is not None:
                print_answer(answer, output)
        except (HuntlakeError, duckdb.Error) as error:
            where = f"statement {number} of {len(found)}: " if len(found) > 1 else ""
            raise HuntlakeError(f"{where}{error}") from error


def _shell(connection: DuckDBPyConnection) -> None:
    # The terminal takes a quarter of a second to import, which one statement should not pay.
    from pipelines.shell import Prompt, Shell, SqlLanguage

    language = SqlLanguage(connection)
    shell = Shell(language, SystemClock())
    click.echo("SQL over the lake, read-only, times in UTC. `;` ends a statement; .help says more.")
    shell.run(Prompt(language, shell.commands, user_state() / "sql_history"))

"""``huntlake kql``."""

import sys
from typing import TextIO

import click

from pipelines.commands.answers import output_option, print_answer
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout
from pipelines.settings import load_paths
from pipelines.windows import parse_instant


def _instant(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    del context, parameter
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("query", required=False)
@click.option("--file", type=click.File(encoding="utf-8-sig"), help="Read the query from a file.")
@click.option(
    "--as-of",
    metavar="TIME",
    callback=_instant,
    help="What now() and ago() count from, UTC: 2026-11-20 or 2026-11-20T06:00.  [default: now]",
)
@click.option("--tenant", metavar="NAME", help="Ask one tenant's data.  [default: that of all]")
@click.option("--sql", "shows_sql", is_flag=True, help="Print the SQL, and don't run it.")
@output_option
def kql(  # noqa: PLR0913 - the command's options
    *,
    query: str | None,
    file: TextIO | None,
    as_of: int | None,
    tenant: str | None,
    shows_sql: bool,
    output: str,
) -> None:
    """Query the lake with KQL: hunters' own queries, as far back as the lake goes.

    Tables that hunts export as they are have the service's names, and every hunt its own. The query
    is an argument, a --file, or standard input. docs/kql.md says what runs, and what differs.

    \b
    Examples:
        huntlake kql "DeviceLogonEvents | where ActionType == 'LogonFailed' | take 20"
        huntlake kql --file rare_tools.kql --as-of 2026-11-20
        huntlake kql --output csv "AlertInfo | summarize count() by Severity" > alerts.csv
    """
    import duckdb

    from pipelines.lake.kql import open_kql

    text = _query(query, file)
    with open_kql(LakeLayout(load_paths().data), tenant=tenant, as_of=as_of) as lake:
        if shows_sql:
            click.echo(lake.sql(text))
            return
        try:
            print_answer(lake.query(text), output)
        except duckdb.Error as error:
            raise HuntlakeError(f"the query failed midway: {error}") from error


def _query(query: str | None, file: TextIO | None) -> str:
    if query is not None and file is not None:
        raise click.UsageError("give the query, or a --file that holds it, not both")
    if query is None and file is None and sys.stdin.isatty():
        raise click.UsageError("give a query, a --file, or one on standard input")
    text = query if query is not None else (file or sys.stdin).read()
    if not text.strip():
        raise click.UsageError("the query is empty")
    return text

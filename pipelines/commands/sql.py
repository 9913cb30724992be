"""``huntlake sql``."""

import click

from pipelines.commands.answers import output_option, print_answer
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout, connect
from pipelines.settings import load_paths


@click.command()
@click.argument("statement")
@output_option
def sql(statement: str, output: str) -> None:
    """Query the lake with DuckDB's SQL: one view for each hunt.

    \b
    Examples:
        huntlake sql "SHOW TABLES"
        huntlake sql "FROM device_logon_events WHERE ActionType = 'LogonFailed' LIMIT 20"
        huntlake sql --output csv "SELECT * FROM alert_info" > alerts.csv
    """
    import duckdb

    with connect(LakeLayout(load_paths().data)) as connection:
        try:
            print_answer(connection.sql(statement), output)
        except duckdb.Error as error:
            raise HuntlakeError(str(error)) from error

"""``huntlake sql``."""

import sys
from typing import Any, Final

import click

from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout, connect
from pipelines.settings import load_paths

_OUTPUTS: Final = ("table", "csv", "json")


@click.command()
@click.argument("statement")
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    default="table",
    show_default=True,
    help="How the answer is printed.",
)
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
            _print_answer(connection.sql(statement), output)
        except duckdb.Error as error:
            raise HuntlakeError(str(error)) from error


def _print_answer(answer: Any, output: str) -> None:
    if output == "table":
        answer.show(max_width=200, max_rows=100)
    elif output == "csv":
        from pyarrow import csv

        batches = answer.to_arrow_reader()
        with csv.CSVWriter(sys.stdout.buffer, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    else:
        lines = answer.query("answer", "SELECT to_json(answer)::VARCHAR FROM answer")
        for (line,) in lines.iter_rows():
            click.echo(line)

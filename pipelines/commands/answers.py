"""Printing what a query over the lake returns.

What belongs here: the forms of output that commands share. What does not: asking (``sql``,
``kql``).
"""

import sys
from typing import Any, Final

import click

OUTPUTS: Final = ("table", "csv", "json")

output_option = click.option(
    "--output",
    type=click.Choice(OUTPUTS),
    default="table",
    show_default=True,
    help="How the answer is printed.",
)


def print_answer(answer: Any, output: str) -> None:
    """Print a DuckDB relation. Raises ``duckdb.Error`` for what is found out only while reading."""
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

"""Printing what a query over the lake returns, or writing it into a file.

What belongs here: the forms that an answer can have. What does not: asking (``lake``), or the
options of commands (``commands``).

Times are exact in every form, to the last of their seven digits, and in UTC.
"""

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, BinaryIO, Final, TextIO, cast

from duckdb import DuckDBPyRelation

from pipelines.errors import HuntlakeError
from pipelines.lake.sql import quoted

OUTPUTS: Final = ("table", "csv", "json", "parquet")
FILES: Final = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
# A table shows so many rows, half of them from the end of what was looked at.
TABLE_ROWS: Final = 100
# More rows than these are not read for a table, but counted.
_LOOKED_AT: Final = 10_000
_LINES: Final = 10_000
_NO_TERMINAL_WIDTH: Final = 200
# What Arrow writes as DuckDB does; the rest is made text by DuckDB, since Arrow writes a time with
# nine digits and no list at all.
_PLAIN: Final = frozenset(
    (
        *("BOOLEAN", "FLOAT", "DOUBLE", "VARCHAR", "DATE"),
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    )
)


def print_answer(answer: DuckDBPyRelation, output: str, *, rows: int = TABLE_ROWS) -> None:
    """Print an answer. Raises ``duckdb.Error`` for what is found out only while reading."""
    if output == "table":
        print_table(answer, rows)
        return
    if output == "parquet" and sys.stdout.isatty():
        raise HuntlakeError(
            "Parquet is not for a terminal; let it go to a file: ... > answer.parquet"
        )
    sys.stdout.flush()
    _write(answer, output, sys.stdout)


def save_answer(answer: DuckDBPyRelation, path: Path) -> None:
    """Write an answer into a file, in the form that its name ends in.

    What is there already is replaced once the answer is whole. Raises ``HuntlakeError`` where the
    name says no form or the file can't be written.
    """
    output = FILES.get(path.suffix.lower())
    if output is None:
        raise HuntlakeError(f"{path}: the name must end in one of {', '.join(FILES)}")
    beside = path.with_name(f".{path.name}.part")
    try:
        try:
            with beside.open("w", encoding="utf-8") as file:
                _write(answer, output, file)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except FileNotFoundError as error:
        raise HuntlakeError(f"{path} can't be written: its folder is not there") from error


def print_table(answer: DuckDBPyRelation, rows: int) -> None:
    """Print an answer as DuckDB shows it; of a long one the beginning, and how long it is."""
    width = get_terminal_size().columns if sys.stdout.isatty() else _NO_TERMINAL_WIDTH
    if answer.columns == ["explain_key", "explain_value"]:
        for _, plan in answer.fetchall():
            print(plan)  # noqa: T201 - as DuckDB itself prints
        return
    head = answer.limit(_LOOKED_AT + 1).materialize()
    if len(head) <= _LOOKED_AT:
        head.show(max_width=width, max_rows=rows)
        return
    head.limit(rows).show(max_width=width, max_rows=rows)
    print(f"the first {rows:,} of {len(answer):,} rows")  # noqa: T201 - as DuckDB itself prints


def _write(answer: DuckDBPyRelation, output: str, out: TextIO) -> None:
    if output == "csv":
        _write_csv(answer, out.buffer)
    elif output == "parquet":
        _write_parquet(answer, out.buffer)
    else:
        lines = _of(answer, "SELECT to_json(answer)::VARCHAR FROM answer")
        for batch in lines.to_arrow_reader(_LINES):
            out.writelines(f"{line}\n" for line in batch.column(0).to_pylist())


def _write_csv(answer: DuckDBPyRelation, out: BinaryIO) -> None:
    from pyarrow import csv

    columns = ", ".join(
        f"{_as_text(number, kind)} AS {quoted(name)}"
        for number, (name, kind) in enumerate(zip(answer.columns, answer.types, strict=True), 1)
    )
    batches = _of(answer, f"SELECT {columns} FROM answer").to_arrow_reader()
    with csv.CSVWriter(out, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _of(answer: DuckDBPyRelation, sql: str) -> DuckDBPyRelation:
    """A query over an answer, which it calls so."""
    return cast("DuckDBPyRelation", answer.query("answer", sql))


def _as_text(number: int, kind: Any) -> str:
    # By place: an answer may have two columns of one name.
    return f"#{number}" if str(kind) in _PLAIN else f"CAST(#{number} AS VARCHAR)"


def _write_parquet(answer: DuckDBPyRelation, out: BinaryIO) -> None:
    from pyarrow import parquet

    batches = answer.to_arrow_reader()
    with parquet.ParquetWriter(out, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)

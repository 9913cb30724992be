"""SQL as text: names and values in quotes, and where the lake's files are.

What belongs here: what each view is put together from. What does not: any view.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa

# Set, it is where the views look for the lake; else they look where it was when they were made.
ROOT_VARIABLE: Final = "huntlake_data"

_SQL_TYPES: Final[Mapping[pa.DataType, str]] = MappingProxyType(
    {
        pa.timestamp("ns", "UTC"): "TIMESTAMPTZ_NS",
        pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
        pa.string(): "VARCHAR",
        pa.bool_(): "BOOLEAN",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.decimal128(38, 17): "DECIMAL(38, 17)",
        # Parquet knows no durations.
        pa.duration("ns"): "BIGINT",
        pa.map_(pa.string(), pa.int32()): "MAP(VARCHAR, INTEGER)",
        pa.list_(pa.string()): "VARCHAR[]",
    }
)


def quoted(name: str) -> str:
    """The name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """The value as a literal."""
    return "'" + value.replace("'", "''") + "'"


def shown(value: str) -> str:
    """The value as a literal, but for what UTF-8 can't hold: half of a surrogate pair."""
    return text(value.encode("utf-8", "replace").decode())


def sql_type(arrow_type: pa.DataType) -> str:
    """The type that DuckDB reads a column of an Arrow type as."""
    return _SQL_TYPES[arrow_type]


def under_root(root: Path, path: str) -> str:
    """The path in the data folder, wherever that is now: see ``ROOT_VARIABLE``."""
    return f"{root_folder(root)} || {text(f'/{path}')}"


def root_folder(root: Path) -> str:
    """The data folder as an expression."""
    return f"coalesce(getvariable({text(ROOT_VARIABLE)}), {text(str(root.resolve()))})"


def read_parquet(files: Iterable[str], columns: Mapping[str, str], *, path: str = "") -> str:
    """Files as a table of these columns (name to SQL type), null in files that lack them.

    ``files`` are paths or globs, as expressions; there must be a file of each of them. ``path`` is
    what the column is called that holds each row's file, if it is wanted.

    DuckDB could find out the columns by itself (``union_by_name``). But it reads the footer of each
    file for that, also of those that a query then leaves out, which takes ten seconds for 10,000 of
    them; and it goes on by what it read when a commit has put another file there meanwhile.

    DuckDB's own function, whatever a hunt is called.
    """
    schema = ", ".join(
        f"{text(name)}: {{name: {text(name)}, type: {text(kind)}, default_value: NULL}}"
        for name, kind in columns.items()
    )
    filename = f", filename = {text(path)}" if path else ""
    return (
        f"system.main.read_parquet([{', '.join(files)}], schema = MAP {{{schema}}}, "
        f"hive_partitioning = false{filename})"
    )

"""The DuckDB catalogue: one view for each hunt over its committed partitions.

What belongs here: making the catalogue file and opening it. What does not: the Parquet files.

A view reads whatever partitions are there when it is queried: a commit changes the catalogue only
when it is the first of its hunt. A DuckDB file can't be written while others read it; so it is
written beside and renamed over: who has it open goes on reading the older one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import duckdb
from filelock import FileLock

from pipelines.errors import HuntlakeError, LakeUnwritable
from pipelines.lake.layout import DATA_FILE, LakeLayout

_HIVE_TYPES: Final = {"tenant": "VARCHAR", "date": "DATE", "hour": "UTINYINT"}


def publish(layout: LakeLayout) -> bool:
    """Bring the catalogue up to date with the lake; returns whether it had to change.

    Raises ``LakeUnwritable`` where the disk says no; the catalogue is then what it was.
    """
    try:
        layout.locks.mkdir(parents=True, exist_ok=True)
        with FileLock(layout.locks / "catalogue.lock"):
            wanted = _wanted_views(layout)
            if layout.catalogue.exists() and _published_views(layout.catalogue) == wanted:
                return False
            _write(layout.catalogue, wanted)
            return True
    except (OSError, duckdb.IOException, duckdb.FatalException) as error:
        raise LakeUnwritable(
            f"the catalogue {layout.catalogue} can't be written: {error}. It is what it was, and "
            f"so are the partitions; make room, or see who may write there, and run the export "
            f"again"
        ) from error


def connect(layout: LakeLayout) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the catalogue, with times shown in UTC.

    Raises ``HuntlakeError`` where nothing was exported yet.
    """
    if not layout.catalogue.exists():
        raise HuntlakeError(
            f"there is no lake at {layout.root} yet; export a hunt first, or set HUNTLAKE_DATA"
        )
    connection = duckdb.connect(str(layout.catalogue), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _wanted_views(layout: LakeLayout) -> Mapping[str, str]:
    hunts = sorted(path for path in layout.lake.glob("*") if path.is_dir())
    return {hunt.name: _view(hunt) for hunt in hunts if next(hunt.rglob(DATA_FILE), None)}


def _view(hunt: Path) -> str:
    """The SQL of a view. Columns that only some partitions have are null in the others."""
    hourly = next(hunt.glob(f"*/*/hour=*/{DATA_FILE}"), None) is not None
    columns = [name for name in _HIVE_TYPES if hourly or name != "hour"]
    depth = "/*" * len(columns)
    files = f"{hunt.resolve()}{depth}/{DATA_FILE}".replace("'", "''")
    types = ", ".join(f"{quoted(name)}: {_HIVE_TYPES[name]}" for name in columns)
    return (
        f"SELECT * FROM read_parquet('{files}', union_by_name = true, "
        f"hive_partitioning = true, hive_types = {{{types}}})"
    )


def _published_views(catalogue: Path) -> Mapping[str, str]:
    """The views' SQL as they were written, kept as their comments: DuckDB rewrites the SQL."""
    try:
        with duckdb.connect(str(catalogue), read_only=True) as connection:
            rows = connection.execute(
                "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"
            ).fetchall()
    except duckdb.Error:
        # Whatever is there instead of a catalogue holds nothing that the lake does not.
        return {}
    return dict(rows)


def _write(catalogue: Path, views: Mapping[str, str]) -> None:
    beside = catalogue.with_suffix(".new")
    leftovers = [beside, Path(f"{beside}.wal")]
    _remove(leftovers)
    try:
        with duckdb.connect(str(beside)) as connection:
            for name, sql in views.items():
                comment = sql.replace("'", "''")
                connection.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
                connection.execute(f"COMMENT ON VIEW {quoted(name)} IS '{comment}'")
            # Closing writes them into the file too, but says nothing where it can't.
            connection.execute("CHECKPOINT")
        beside.replace(catalogue)
    finally:
        _remove(leftovers)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)

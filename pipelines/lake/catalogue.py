"""The DuckDB catalogue: one view for each hunt over its committed partitions.

What belongs here: making the catalogue file and opening it. What does not: the Parquet files.

A view reads whatever partitions are there when it is queried: a commit changes the catalogue only
when it is the first of its hunt, or gives a column a wider type. DuckDB would bring the types of a
column together by itself, through a double or through text if need be; so the view names the type
of each column that has several, and a column that no type holds exactly can't be read through it. A
DuckDB file can't be written while others read it; so it is
written beside and renamed over: who has it open goes on reading the older one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import pyarrow as pa
from filelock import FileLock

from pipelines.errors import HuntlakeError, LakeUnwritable
from pipelines.lake.columns import LandedColumns
from pipelines.lake.layout import DATA_FILE, LakeLayout
from pipelines.landing import mixed_types

_HIVE_TYPES: Final = {"tenant": "VARCHAR", "date": "DATE", "hour": "UTINYINT"}
# The types that hold another one's values exactly.
_SQL_TYPES: Final[Mapping[pa.DataType, str]] = MappingProxyType(
    {pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.decimal128(38, 17): "DECIMAL(38, 17)"}
)


def publish(layout: LakeLayout, changed: LandedColumns | None = None) -> bool:
    """Bring the catalogue up to date with the lake; returns whether it had to change.

    ``changed`` is the hunt of which partitions were committed; without it every footer of the lake
    is read. Raises ``LakeUnwritable`` where the disk says no; the catalogue is then what it was.
    """
    try:
        layout.locks.mkdir(parents=True, exist_ok=True)
        with FileLock(layout.locks / "catalogue.lock"):
            published = _published_views(layout.catalogue) if layout.catalogue.exists() else None
            wanted = _wanted_views(layout, published or {}, changed)
            if published == wanted:
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


def _wanted_views(
    layout: LakeLayout, published: Mapping[str, str], changed: LandedColumns | None
) -> Mapping[str, str]:
    """The SQL of each hunt's view."""
    views: dict[str, str] = {}
    for folder in sorted(path for path in layout.lake.glob("*") if path.is_dir()):
        hunt = folder.name
        if next(folder.rglob(DATA_FILE), None) is None:
            continue
        source, before = _source(folder), published.get(hunt, "")
        if changed is not None and changed.hunt != hunt and before.endswith(source):
            views[hunt] = before
            continue
        landed = changed if changed and changed.hunt == hunt else LandedColumns(layout, hunt)
        views[hunt] = f"SELECT *{_replaced(landed)} {source}"
    return views


def _source(hunt: Path) -> str:
    """The partitions of a hunt. Columns that only some of them have are null in the others."""
    hourly = next(hunt.glob(f"*/*/hour=*/{DATA_FILE}"), None) is not None
    columns = [name for name in _HIVE_TYPES if hourly or name != "hour"]
    depth = "/*" * len(columns)
    files = _text(f"{hunt.resolve()}{depth}/{DATA_FILE}")
    types = ", ".join(f"{quoted(name)}: {_HIVE_TYPES[name]}" for name in columns)
    return (
        f"FROM read_parquet({files}, union_by_name = true, "
        f"hive_partitioning = true, hive_types = {{{types}}})"
    )


def _replaced(landed: LandedColumns) -> str:
    """What the view says of columns that have several types."""
    mixed = sorted(mixed_types(landed.shapes()).items())
    parts = [f"{_typed(name, arrow_type)} AS {quoted(name)}" for name, arrow_type in mixed]
    return f" REPLACE ({', '.join(parts)})" if parts else ""


def _typed(name: str, arrow_type: pa.DataType | None) -> str:
    """The column in its one type; where there is none, an error for whoever reads the column."""
    if arrow_type is None:
        problem = (
            f"partitions hold column {name} in types of which none holds the others exactly; read "
            f"their files one by one"
        )
        return f"error({_text(problem)})"
    return f"CAST({quoted(name)} AS {_SQL_TYPES[arrow_type]})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
                connection.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
                connection.execute(f"COMMENT ON VIEW {quoted(name)} IS {_text(sql)}")
            # Closing writes them into the file too, but says nothing where it can't.
            connection.execute("CHECKPOINT")
        beside.replace(catalogue)
    finally:
        _remove(leftovers)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)

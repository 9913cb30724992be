"""The views of the schema ``huntlake``.

What belongs here: the SQL of those that journals and the index are read by. What does not: what
their columns are and mean (``tables``), or what is told of hunts and columns (``hunt_tables``).
"""

from pathlib import Path
from typing import Final

from pipelines.lake.entries import Entries, view
from pipelines.lake.generations import newest_rows
from pipelines.lake.hunt_tables import columns_query
from pipelines.lake.sql import quoted, read_parquet, root_folder, under_root
from pipelines.lake.tables import COMMITTED, INDEX, JOURNALS, SCHEMA, TABLES, Rows

# Of a row's file, in none of the tables.
_PATH: Final = "_huntlake_path"


def table_entries(root: Path) -> Entries:
    """The tables, each after those that it reads; but for ``hunts``, which changes with them."""
    queries = {
        **{each.kind: f"FROM {_rows(each, f'journal/{each.kind}', root)}" for each in JOURNALS},
        "partitions": _partitions(root),
        "columns": columns_query(_rows(INDEX, "index", root)),
    }
    tables = {each.name: each for each in TABLES}
    entries: Entries = {}
    for name, query in queries.items():
        entries = {**entries, **view(SCHEMA, name, query, tables[name].meaning, tables[name].told)}
    return entries


def _partitions(root: Path) -> str:
    shown = ", ".join(f"p.{quoted(each.name)}" for each in COMMITTED if each.name != "path")
    # Settled too is what can't grow: a snapshot, and what the service has forgotten.
    return f"""
SELECT {shown}, {root_folder(root)} || '/' || p.path AS path,
    CASE WHEN p.verdict = 'snapshot'
        OR p.window_start < now() - INTERVAL 30 DAY
        OR (r.settled AND r.last_counted >= p.committed_at)
    THEN 'settled' ELSE 'provisional' END AS status,
    r.last_counted, r.late_rows
FROM {_rows(INDEX, "index", root)} AS p
LEFT JOIN (
    SELECT tenant, hunt, "partition", max(counted_at) AS last_counted,
        arg_max(settled, counted_at) AS settled, sum(late_rows)::BIGINT AS late_rows
    FROM huntlake.recounts GROUP BY ALL
) AS r ON r.tenant = p.tenant AND r.hunt = p.hunt AND r."partition" = p."partition"
""".strip()


def _rows(kept: Rows, folder: str, root: Path) -> str:
    files = [under_root(root, f"{folder}/*/*.parquet")]
    return newest_rows(read_parquet(files, kept.types, path=_PATH), _PATH)

"""The schema ``huntlake`` of the catalogue: what was done to the lake, and what is in it.

What belongs here: the tables and each of their columns, with what it means; ``docs/catalogue.md``
says the same, and a test compares the two. What does not: the SQL of them (``table_entries``,
``hunt_tables``), or where the rows come from (``index``, ``pipelines.metrics``,
``pipelines.retention``, ``pipelines.late``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from pipelines.hunts import RESERVED_NAME
from pipelines.lake.sql import sql_type

SCHEMA: Final = RESERVED_NAME
# A file without rows among those of a table, which has columns before it has rows.
EMPTY_FILE: Final = "none/empty.parquet"
TIME: Final = pa.timestamp("us", "UTC")
TEXTS: Final = pa.list_(pa.string())


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column, and what it means, in words."""

    name: str
    type: pa.DataType
    meaning: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are kept as Parquet beside the lake: a journal, or the index.

    Columns may be added, and none taken away: they are null in what was written before.
    """

    kind: str
    columns: tuple[TableColumn, ...]

    @property
    def schema(self) -> pa.Schema:
        """How the rows are written."""
        return pa.schema([(each.name, each.type) for each in self.columns])

    @property
    def types(self) -> Mapping[str, str]:
        """How DuckDB reads them."""
        return {each.name: sql_type(each.type) for each in self.columns}


@dataclass(frozen=True, slots=True)
class Table:
    """A view of the schema ``huntlake``."""

    name: str
    meaning: str
    columns: tuple[TableColumn, ...]

    @property
    def told(self) -> Mapping[str, str]:
        """What its columns mean, by their names."""
        return {each.name: each.meaning for each in self.columns}


def _text(name: str, meaning: str) -> TableColumn:
    return TableColumn(name, pa.string(), meaning)


def _count(name: str, meaning: str) -> TableColumn:
    return TableColumn(name, pa.int64(), meaning)


def _seconds(name: str, meaning: str) -> TableColumn:
    return TableColumn(name, pa.float64(), meaning)


def _time(name: str, meaning: str) -> TableColumn:
    return TableColumn(name, TIME, meaning)


_WHICH: Final = (
    _text("tenant", "the tenant's name"),
    _text("hunt", "the hunt's name"),
    _text("partition", "the partition's key: `2026-11-20`, or `2026-11-20-05:00`"),
    _time("window_start", "the first instant of its window"),
    _time("window_end", "the end of its window, which is not in it"),
)

EXPORTS: Final = Rows(
    "exports",
    (
        *_WHICH,
        _text("surface", "the surface that was asked: `graph`, `xdr` or `mde`"),
        _text("run", "the id of the Dagster run; null of the command line"),
        _time("started_at", "when work on it began; for several at once, when that on all began"),
        _time("ended_at", "when it was committed, or had failed"),
        _text(
            "outcome", "`committed`, `failed`, `refused` (no call was made), or `stopped` midway"
        ),
        _count("rows", "the rows of the partition; null unless it was committed"),
        _count("bytes", "the bytes of its file; null unless it was committed"),
        _count("calls", "the calls that this attempt made, the next two among them"),
        _count("counting_calls", "those that counted rows"),
        _count("wasted_calls", "those that failed, or whose answer was too much to keep"),
        _seconds("running_seconds", "the running time that the calls spent"),
        _seconds("wait_seconds", "the time spent waiting for quota, or for others to be done"),
        _count("retries", "how often a failed call was made again as it was"),
        TableColumn(
            "errors",
            pa.map_(pa.string(), pa.int32()),
            "the failed calls by the class of their error, as in `errors['Throttled']`",
        ),
        _text("error", "why it was not committed, in huntlake's words"),
    ),
)

RECOUNTS: Final = Rows(
    "recounts",
    (
        *_WHICH,
        _time("counted_at", "when the service counted"),
        _count("landed_rows", "the rows that had landed before"),
        _count("counted_rows", "the rows that the service counted"),
        _count("bins_grown", "the bins of time in which it counted more than had landed"),
        _count("bins_shrunk", "the bins in which it counted fewer; nothing is removed for that"),
        _count("late_rows", "the late rows that the recount brought"),
        TableColumn("settled", pa.bool_(), "whether no more late rows are expected"),
        _time("unchanged_since", "since when its counts have not grown"),
        _count("calls", "the calls that it took; of a count for several, on the first's account"),
        _seconds("running_seconds", "the running time that they spent"),
        _text("what", "what happened, in words"),
    ),
)

REMOVALS: Final = Rows(
    "removals",
    (
        *_WHICH,
        _count("rows", "the rows that were removed"),
        _count("bytes", "the bytes that were freed"),
        _time("committed_at", "when the partition had been committed"),
        _time("removed_at", "when it was removed"),
        _text("retention", "the hunt's `retention:` at that time"),
    ),
)

# Of each committed partition, by the receipt in its file.
COMMITTED: Final = (
    *_WHICH,
    _count("rows", "the rows of its file"),
    _count("bytes", "the bytes of its file"),
    _time("committed_at", "when it was committed"),
    _text("surface", "the surface that it was pulled from"),
    _text("verdict", "how it may be cut: `row-wise`, `aligned`, `keyed`, `snapshot` or `whole`"),
    _count("counted_rows", "the rows that the service counted beforehand, where it had to"),
    _count("calls", "the calls that it took, those of attempts before it that failed too"),
    _count("counting_calls", "those that counted rows"),
    _count("wasted_calls", "those that failed, or whose answer was too much to keep"),
    _count("wasted_rows", "the rows that were pulled for nothing"),
    _seconds("running_seconds", "the running time that the calls spent"),
    _count("kept_aside", "the values in `_kept_aside`, which their column's type can't hold"),
    _text("query_sha256", "the hash of the query that it is the answer to"),
    _text("path", "its file"),
)
# The partition's columns: JSON of their names in the lake, and the service's names and types.
SHAPE: Final = "shape"
# By it the index knows a file that was written since; nobody else has a use for it.
MODIFIED: Final = "modified_ns"
INDEX: Final = Rows(
    "index",
    (
        *COMMITTED,
        _text(SHAPE, "its columns"),
        _count(MODIFIED, "when the file was written"),
    ),
)

_OF_RECOUNTS: Final = (
    _text("status", "`settled`, or `provisional` while late rows are expected"),
    _time("last_counted", "when it was counted again last; null if it never was"),
    _count("late_rows", "the late rows that all recounts brought"),
)

HUNTS: Final = Table(
    "hunts",
    "Each hunt that is in the lake, as it was at its last commit.",
    (
        _text("hunt", "the hunt's name, which its view has too"),
        _text("title", "what it is called in its file"),
        _text("description", "what it is for"),
        _text("query", "its KQL"),
        _text("service_table", "the service's table, where every row of that is in it as it is"),
        _text("time_column", "the column that says when; null where there is none"),
        TableColumn(
            "within_window",
            pa.bool_(),
            "whether that time lies in the window of the row's partition, always",
        ),
        _text(
            "verdict", "how it may be cut: `row-wise`, `aligned`, `keyed`, `snapshot` or `whole`"
        ),
        _text("partitions", "what its partitions are: `hourly`, `daily` or `snapshot`"),
        TableColumn("tags", TEXTS, "the tags in its file"),
        TableColumn("tactics", TEXTS, "MITRE ATT&CK's tactics that it is for"),
        TableColumn("techniques", TEXTS, "MITRE ATT&CK's techniques that it is for"),
    ),
)

COLUMNS: Final = Table(
    "columns",
    "Each column of each hunt in each tenant.",
    (
        _text("tenant", "the tenant's name"),
        _text("hunt", "the hunt's name"),
        _text("column", "the column's name in the lake"),
        _text("type", "its type in the tenant's view; null where no type holds all partitions'"),
        _text("service_name", "the service's name of it"),
        _text("service_type", "the service's type of it; of several, all"),
        _text("meaning", "what a value of it is"),
        _count("partitions", "in how many of the hunt's partitions it is"),
        _count("of_partitions", "how many partitions the hunt has in the tenant"),
        _text("first_partition", "the oldest partition that has it"),
        _text("last_partition", "the newest partition that has it"),
    ),
)

TABLES: Final = (
    HUNTS,
    COLUMNS,
    Table("partitions", "Each committed partition.", (*COMMITTED, *_OF_RECOUNTS)),
    Table("exports", "Each attempt to export a partition.", EXPORTS.columns),
    Table("recounts", "Each recount of a partition.", RECOUNTS.columns),
    Table("removals", "Each partition that retention removed.", REMOVALS.columns),
)
JOURNALS: Final = (EXPORTS, RECOUNTS, REMOVALS)

"""What readers of a committed partition should know: values kept aside, and columns that changed.

What belongs here: finding it, and showing it as tables. What does not: raising it (``checks``). The
tables hold names, types, counts and places, and never a value: Dagster keeps all that it is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import dagster as dg

from pipelines.committing import PartitionExport
from pipelines.landing import Changes, columns_of, kept_aside_in_file, kept_aside_rows

# Dagster keeps every table for ever, in one row of its database.
_MOST_RECORDS: Final = 100
_MOST_ROWS: Final = 5
_UNLISTED: Final = "(not in the schema)"


@dataclass(frozen=True, slots=True)
class KeptAside:
    """A column that could not hold some values, and the first rows in which it could not."""

    column: str
    values: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one partition."""

    partition: str
    kept_aside: tuple[KeptAside, ...]
    changes: Changes | None

    @classmethod
    def of(cls, exported: PartitionExport) -> Self:
        """Look at a partition. The file is read only where it keeps something aside."""
        return cls(exported.partition.key, tuple(_kept_aside(exported)), exported.changes)

    @property
    def values(self) -> int:
        """How many values are kept aside."""
        return sum(each.values for each in self.kept_aside)


def kept_aside_table(findings: Iterable[Findings]) -> dg.TableMetadataValue:
    """By partition and column; rows are numbered as DuckDB's ``file_row_number`` does."""
    records = [
        {
            "partition": each.partition,
            "column": kept.column,
            "values": kept.values,
            "first_rows": ", ".join(map(str, kept.rows)),
        }
        for each in findings
        for kept in each.kept_aside
    ]
    return _table(records, partition="string", column="string", values="int", first_rows="string")


def changes_table(findings: Iterable[Findings]) -> dg.TableMetadataValue:
    """By partition and column: what it was in the partition compared with, and what it is."""
    records = [
        {
            "partition": each.partition,
            "column": column,
            "before": before,
            "now": now,
            "compared_with": each.changes.against,
        }
        for each in findings
        if each.changes
        for column, before, now in _changed(each.changes)
    ]
    columns = ("partition", "column", "before", "now", "compared_with")
    return _table(records, **dict.fromkeys(columns, "string"))


def _kept_aside(exported: PartitionExport) -> Iterable[KeptAside]:
    if not exported.receipt.kept_aside:
        return
    counts = exported.receipt.kept_aside_by_column
    if counts is None:
        counts = kept_aside_in_file(exported.path)
    listed = {column.wire_name for column in columns_of(exported.schema)}
    rows = kept_aside_rows(exported.path, counts, _MOST_ROWS)
    for name in sorted(counts.keys() & listed):
        yield KeptAside(name, counts[name], tuple(rows[name]))
    # A key that the schema doesn't list may itself be a part of a record.
    unlisted = counts.keys() - listed
    if unlisted:
        places = sorted({row for name in unlisted for row in rows[name]})[:_MOST_ROWS]
        yield KeptAside(_UNLISTED, sum(counts[name] for name in unlisted), tuple(places))


def _changed(changes: Changes) -> Iterable[tuple[str, str, str]]:
    for column in changes.added:
        yield column.wire_name, "", column.wire_type
    for column in changes.missing:
        yield column.wire_name, column.wire_type, ""
    for each in changes.retyped:
        yield each.name, each.before, each.now


def _table(records: Sequence[Mapping[str, Any]], **columns: str) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [dg.TableRecord(record) for record in records[:_MOST_RECORDS]],
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()]),
    )

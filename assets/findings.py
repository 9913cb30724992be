"""What readers of a committed partition should know: values kept aside, and columns that changed.

What belongs here: finding it, and showing it as tables of the partition's metadata. What does not:
warning of it (``checks``). The tables hold names, types, counts and places, and never a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import dagster as dg

from assets.tables import table
from pipelines.committing import PartitionExport
from pipelines.landing import Changes, columns_of, kept_aside_in_file, kept_aside_rows

_MOST_ROWS: Final = 5
UNLISTED: Final = "(not in the schema)"


@dataclass(frozen=True, slots=True)
class KeptAside:
    """A column that could not hold some values, and the first rows in which it could not."""

    column: str
    values: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one partition."""

    kept_aside: tuple[KeptAside, ...]
    changes: Changes | None

    @classmethod
    def of(cls, exported: PartitionExport) -> Self:
        """Look at a partition. The file is read only where it keeps something aside."""
        return cls(tuple(_kept_aside(exported)), exported.changes)


def kept_aside_table(found: Findings) -> dg.TableMetadataValue:
    """By column; rows are numbered as DuckDB's ``file_row_number`` does."""
    records = [
        {
            "column": kept.column,
            "values": kept.values,
            "first_rows": ", ".join(map(str, kept.rows)),
        }
        for kept in found.kept_aside
    ]
    return table(records, column="string", values="int", first_rows="string")


def changes_table(changes: Changes) -> dg.TableMetadataValue:
    """By column: what it was in the partition compared with, and what it is."""
    records = [
        {"column": column, "before": before, "now": now, "compared_with": changes.against}
        for column, before, now in changed_columns(changes)
    ]
    return table(records, **dict.fromkeys(("column", "before", "now", "compared_with"), "string"))


def changed_columns(changes: Changes) -> Iterator[tuple[str, str, str]]:
    """Each column that changed: its name, what it was, and what it is."""
    for column in changes.added:
        yield column.wire_name, "", column.wire_type
    for column in changes.missing:
        yield column.wire_name, column.wire_type, ""
    for each in changes.retyped:
        yield each.name, each.before, each.now


def _kept_aside(exported: PartitionExport) -> Iterator[KeptAside]:
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
        yield KeptAside(UNLISTED, sum(counts[name] for name in unlisted), tuple(places))

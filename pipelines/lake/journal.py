"""Journals: what was done to the lake, as rows that analysts query beside it.

What belongs here: adding rows to a journal and reading it. What does not: what a journal tells
(``tables``, and where its rows are made), or the views over it (``catalogue``).

A journal is a Parquet file for each tenant and UTC month, written anew whenever rows are added
(``generations``): a month has few enough that this takes milliseconds, and a year few enough files
that a query over all of them does too. A lake that is copied takes its journals along.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import LakeUnwritable
from pipelines.lake.generations import names, newest, write_next
from pipelines.lake.layout import LakeLayout
from pipelines.landing import writing

_OLDEST: Final = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """One kind of rows, all with ``schema``; columns may be added to it, never taken away."""

    layout: LakeLayout
    kind: str
    schema: pa.Schema

    def append(self, tenant: str, rows: Sequence[Mapping[str, Any]], *, at_ns: int) -> None:
        """Add rows to the month of ``at_ns`` (Unix time). Raises ``LakeUnwritable``.

        Rows are whole dictionaries of the schema's columns; what one lacks is null.
        """
        if not rows:
            return
        path = self._folder(tenant) / f"{_month(at_ns)}.parquet"
        added = pa.Table.from_pylist(list(rows), self.schema)
        lock = self.layout.locks / f"journal-{self.kind}-{tenant}.lock"
        with writing(lock):
            lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock), self._telling_damage(path):
            before = newest(path)
            rows_before = [] if before is None else [self._conformed(before)]
            write_next(path, pa.concat_tables([*rows_before, added]))

    @contextmanager
    def _telling_damage(self, path: Path) -> Iterator[None]:
        try:
            yield
        except pa.ArrowInvalid as error:
            raise LakeUnwritable(
                f"{path} is damaged, so that no row can be added to it: {error}. Move it away; the "
                f"partitions are unharmed"
            ) from error

    def read(self, tenant: str, *, since_ns: int | None = None) -> pa.Table:
        """A tenant's rows, oldest first; with ``since_ns``, of no month before that instant's."""
        oldest = _OLDEST if since_ns is None else _month(since_ns)
        months = [each for each in names(self._folder(tenant)) if each.stem >= oldest]
        paths = [path for each in months if (path := newest(each)) is not None]
        return pa.concat_tables([self.schema.empty_table(), *map(self._conformed, paths)])

    def _conformed(self, path: Path) -> pa.Table:
        """The file's rows, null in columns that came later."""
        table = pq.read_table(path, partitioning=None)
        columns = [
            table.column(field.name)
            if field.name in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in self.schema
        ]
        return pa.table(columns, schema=self.schema)

    def _folder(self, tenant: str) -> Path:
        return self.layout.journal_folder(self.kind) / f"tenant={tenant}"


def _month(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // NANOSECONDS_PER_SECOND, UTC):%Y-%m}"

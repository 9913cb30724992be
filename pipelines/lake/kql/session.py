"""Running KQL over a lake.

What belongs here: one DuckDB connection to the lake, and queries over it. What does not: what a
query may read (``tables``), or the words for what can't be run (``faults``).
"""

from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import duckdb
import duckdb_kql

from pipelines.clock import Clock, SystemClock, now_ticks
from pipelines.errors import HuntlakeError, KqlError
from pipelines.kql.lexer import Kind, code
from pipelines.kql.reach import Reach, reach
from pipelines.kql.tables import FORMER_NAMES
from pipelines.lake.kql.faults import fault_of_answer, fault_of_reading
from pipelines.lake.kql.tables import KqlTable, LakeTables
from pipelines.lake.layout import LakeLayout
from pipelines.lake.sql import ROOT_VARIABLE, quoted, text
from pipelines.translation import MACROS, Names, Tables, own_column, respell, to_sql

# The catalogue, attached to a database in memory: it is read-only, and macros have to shadow
# DuckDB's own functions, which only those of the first database do.
_CATALOGUE: Final = "lake"


class KqlLake:
    """A lake that answers KQL. A context manager; queries of one lake run one after another."""

    def __init__(
        self, layout: LakeLayout, *, tenant: str | None = None, as_of: int | None = None
    ) -> None:
        """``tenant``: of one, by its name, or all. ``as_of`` is ``now()``, in ticks."""
        if not layout.catalogue.exists():
            raise HuntlakeError(
                f"there is no lake at {layout.root} yet; export a hunt first, or set HUNTLAKE_DATA"
            )
        self._as_of = as_of
        self._clock: Clock = SystemClock()
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        root = text(str(layout.root.resolve()))
        self._connection.execute(f"SET VARIABLE {ROOT_VARIABLE} = {root}")
        self._connection.execute(
            f"ATTACH {text(str(layout.catalogue))} AS {_CATALOGUE} (READ_ONLY)"
        )
        for macro in MACROS:
            self._connection.execute(f"CREATE MACRO {macro}")
        self._tables = LakeTables(layout, self._connection, tenant)
        self._tenant = tenant
        if tenant is not None and not self._tables.hunts:
            tenants = ", ".join(sorted({each for _, each in layout.landed()}))
            raise HuntlakeError(f"the lake has nothing of tenant {tenant}; it has {tenants}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and with it what queries returned and nobody has read yet."""
        self._connection.close()

    @property
    def names(self) -> tuple[str, ...]:
        """What queries may read: the service's tables, then hunts by their own names."""
        return (*sorted(self._tables.exported), *sorted(self._tables.hunts))

    def query(self, kql: str) -> duckdb.DuckDBPyRelation:
        """The answer, computed as it is read. Times are in UTC, and without a zone.

        Raises ``KqlNeedsService``, ``KqlUnsupported``, ``KqlUnresolved``, or ``KqlError`` for what
        is no KQL; each says where in the query.
        """
        sql = self.sql(kql)
        try:
            answer = self._connection.sql(sql)
            return answer.project(", ".join(_shown(name) for name in answer.columns))
        except duckdb.Error as error:
            raise fault_of_answer(error, kql, self._read(kql)) from error

    def sql(self, kql: str) -> str:
        """The SQL that the query is run as."""
        now = now_ticks(self._clock) if self._as_of is None else self._as_of
        read = self._read(kql)
        # In code-point order, so that the same name stays as in the lake.
        names = Names.of(sorted(each.wire_name for each in table.columns) for table in read)
        tables = Tables.of(
            {table.name: [each.wire_name for each in table.columns] for table in read}, names
        )
        try:
            sql = to_sql(kql, tables, now=now)
        except duckdb_kql.KqlError as error:
            raise fault_of_reading(error, respell(kql, names)) from error
        shown = ", ".join(
            f"{quoted(table.name)} AS NOT MATERIALIZED ({self._source(kql, table, names, now)})"
            for table in read
        )
        return f"WITH {shown} SELECT * FROM ({sql})" if shown else sql

    def _read(self, kql: str) -> list[KqlTable]:
        """The lake's tables that the query names."""
        # A table's former name is respelt as the one that it has today.
        named = dict.fromkeys(
            FORMER_NAMES.get(token.text, token.text)
            for token in code(kql)
            if token.kind is Kind.NAME
        )
        return [table for name in named if (table := self._tables.find(name)) is not None]

    def _source(self, kql: str, table: KqlTable, names: Names, now: int) -> str:
        read = Reach()
        if table.own_time is not None:
            # What can't be followed restricts nothing, and is answered all the same.
            with suppress(KqlError):
                read = reach(kql, table.name, table.own_time, now=now)
        return table.sql(names, tenant=self._tenant, first=read.first, last=read.last)


def open_kql(layout: LakeLayout, tenant: str | None = None, as_of: int | None = None) -> KqlLake:
    """A lake that answers KQL: see ``KqlLake``. Raises ``HuntlakeError`` where none is."""
    return KqlLake(layout, tenant=tenant, as_of=as_of)


def _shown(name: str) -> str:
    """A column by the lake's name, where DuckDB takes the service's for another's."""
    own = own_column(name)
    return quoted(name) if own == name else f"{quoted(name)} AS {quoted(f'{own}_2')}"

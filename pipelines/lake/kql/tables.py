"""What a KQL query may read of the lake: hunts by their own names, and tables by the service's.

What belongs here: which hunt stands for which name, and its columns as the service has them. What
does not: running queries (``session``).

A hunt that keeps a table as it is stands for that table too (``HuntCard.table``). Of several the
one with the most columns does; of equals, the first by name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb

from pipelines.kql.tables import FORMER_NAMES
from pipelines.lake.cards import HuntCard, read_cards
from pipelines.lake.columns import LandedColumns
from pipelines.lake.layout import PARTITION_COLUMNS, LakeLayout
from pipelines.lake.sql import quoted, text
from pipelines.landing import KEPT_ASIDE, Column
from pipelines.translation import Names, time_literal
from pipelines.windows import TICKS_PER_SECOND, datetime_from_instant

_DAY: Final = 86_400 * TICKS_PER_SECOND
# As the translation wants them: naive times in UTC, and JSON where the service says dynamic. A
# length of time landed in nanoseconds, of which an interval has whole microseconds.
_KQL_VALUES: Final[Mapping[str, str]] = {
    "DateTime": "CAST({0} AS TIMESTAMP_NS)",
    "Object": "TRY_CAST({0} AS JSON)",
    "TimeSpan": "to_microseconds({0} // 1000)",
}


@dataclass(frozen=True, slots=True)
class KqlTable:
    """A table of a query's: a hunt that landed, under one of its names."""

    name: str
    hunt: str
    columns: tuple[Column, ...]
    time_column: str | None
    """By its landed name, where every row's lies in the window of its partition."""

    @property
    def own_time(self) -> str | None:
        """The same by the service's name."""
        names = (each.wire_name for each in self.columns if each.landed == self.time_column)
        return next(names, None)

    def sql(self, names: Names, *, tenant: str | None, first: int | None, last: int | None) -> str:
        """The table as KQL sees it; of one tenant or all, without what lies outside of a time.

        ``first`` and ``last`` are instants, both of them in it.
        """
        values = (
            f"{_KQL_VALUES.get(each.wire_type, '{0}').format(quoted(each.landed))} "
            f"AS {quoted(names.held(each.wire_name))}"
            for each in self.columns
        )
        conditions = list(self._conditions(tenant, first, last))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(values)} FROM lake.main.{quoted(self.hunt)}{where}"

    def _conditions(self, tenant: str | None, first: int | None, last: int | None) -> Iterator[str]:
        if tenant is not None:
            yield f"tenant = {text(tenant)}"
        if self.time_column is None:
            return
        # The date leaves out files, and the time row groups of those that are left.
        for at, sign in ((first, ">="), (last, "<=")):
            if at is not None:
                yield f"date {sign} DATE '{datetime_from_instant(at - at % _DAY):%Y-%m-%d}'"
                literal = time_literal(at).replace("TIMESTAMP_NS", "TIMESTAMPTZ_NS")
                yield f"{quoted(self.time_column)} {sign} {literal}"


class LakeTables:
    """The tables of a lake, each looked at when it is asked for.

    ``connection`` has the catalogue attached, under the name ``lake``.
    """

    def __init__(
        self, layout: LakeLayout, connection: duckdb.DuckDBPyConnection, tenant: str | None
    ) -> None:
        self._layout = layout
        self._connection = connection
        self._tenant = tenant
        self._columns: dict[str, tuple[Column, ...]] = {}

    @cached_property
    def hunts(self) -> frozenset[str]:
        """The hunts that landed, in the tenant or in any."""
        landed = self._layout.landed()
        return frozenset(hunt for hunt, each in landed if self._tenant in (None, each))

    @cached_property
    def exported(self) -> Mapping[str, Sequence[str]]:
        """The hunts that keep each of the service's tables as it is, by the table's name."""
        found: dict[str, list[str]] = {}
        for hunt, card in sorted(self._cards.items()):
            if card.table is not None and hunt in self.hunts:
                found.setdefault(FORMER_NAMES.get(card.table, card.table), []).append(hunt)
        return found

    def find(self, name: str) -> KqlTable | None:
        """The table of that name, which KQL compares with case."""
        hunts = self.exported.get(FORMER_NAMES.get(name, name))
        if hunts is not None:
            return self._table(name, min(hunts, key=lambda hunt: -len(self._columns_of(hunt))))
        return self._table(name, name) if name in self.hunts else None

    @cached_property
    def _cards(self) -> Mapping[str, HuntCard]:
        return read_cards(self._layout)

    def _table(self, name: str, hunt: str) -> KqlTable:
        card = self._cards.get(hunt)
        time_column = card.time_column if card is not None and card.within_window else None
        return KqlTable(name, hunt, self._columns_of(hunt), time_column)

    def _columns_of(self, hunt: str) -> tuple[Column, ...]:
        """The columns of the hunt's view, in its order, with the service's names and types.

        Those stand in the partitions' footers. The newest one has nearly always all of them; the
        others are asked, back in time, for what it lacks.
        """
        if hunt not in self._columns:
            view = self._connection.table(f"lake.main.{quoted(hunt)}").columns
            wanted = dict.fromkeys(set(view) - {KEPT_ASIDE, *PARTITION_COLUMNS})
            landed = LandedColumns(self._layout, hunt)
            found: dict[str, Column] = {}
            for path in _newest_first(self._layout.hunt_files(hunt)):
                for shape in landed.shapes_of([path]):
                    found |= {each.landed: each for each in shape if each.landed not in found}
                if wanted.keys() <= found.keys():
                    break
            self._columns[hunt] = tuple(found[name] for name in view if name in found)
        return self._columns[hunt]


def _newest_first(files: Iterable[Path]) -> Sequence[Path]:
    """Partitions of all tenants by their dates and hours."""
    return sorted(files, key=lambda path: str(path).rpartition("/date=")[2], reverse=True)

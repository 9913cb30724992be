"""The lake for Python: notebooks, scripts and services.

What belongs here: opening a lake, and its hunts as relations. What does not: making the catalogue
(``catalogue``), or KQL itself (``kql``).

    with open_lake() as lake:
        failed = lake.hunt("device_logon_events", "2026-11-20", "2026-11-22")
        failed.filter("ActionType = 'LogonFailed'").to_arrow_table()

A relation of DuckDB's is a query that runs when it is read. ``to_arrow_table()``,
``to_arrow_reader()``, ``pl()`` and ``df()`` keep each tick; ``fetchall()`` gives Python's own
datetimes, which end at the microsecond.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

from pipelines.errors import HuntNotInLake
from pipelines.lake import asking
from pipelines.lake.cards import HuntCard, read_cards
from pipelines.lake.catalogue import connect
from pipelines.lake.kql import KqlLake
from pipelines.lake.layout import LakeLayout
from pipelines.lake.sql import quoted, text
from pipelines.settings import load_paths
from pipelines.windows import (
    TICKS_PER_SECOND,
    datetime_from_instant,
    format_instant,
    instant_from_date,
    instant_from_datetime,
    parse_instant,
)

# An instant: UTC as text ("2026-11-20", "2026-11-20T06:00:00.1234567Z"), a day, or a datetime with
# a zone.
When = str | date | datetime

_DAY: Final = 86_400 * TICKS_PER_SECOND


class Lake:
    """A lake that is open for reading. A context manager.

    One thread at a time may use it; another one takes a lake of its own from ``again()``.
    """

    def __init__(self, layout: LakeLayout) -> None:
        self._layout = layout
        self._connection = connect(layout)
        # A query may name the caller's relations, frames and Arrow tables by their variables.
        self._connection.execute("SET python_scan_all_frames = true")
        self._kql: dict[tuple[str | None, int | None], KqlLake] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lake at {self._layout.root}: {len(self.hunts())} hunts>"

    def close(self) -> None:
        """Close it, and with it relations that nobody has read yet."""
        for each in self._kql.values():
            each.close()
        self._connection.close()

    def again(self) -> "Lake":
        """The same lake as it is now, for another thread or to see hunts that came meanwhile."""
        return Lake(self._layout)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection itself, for what DuckDB can do beyond this."""
        return self._connection

    def hunts(self) -> Mapping[str, HuntCard | None]:
        """The hunts that landed by their names, with what each is as far as the lake knows it."""
        cards = read_cards(self._layout)
        return {
            hunt: cards.get(hunt) for hunt in sorted({name for name, _ in self._layout.landed()})
        }

    def hunt(
        self,
        name: str,
        start: When | None = None,
        end: When | None = None,
        *,
        tenant: str | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """The rows of a hunt with ``start <= time < end``, of one tenant or of all.

        None is open. Only files that can hold such rows are opened. Raises ``HuntNotInLake``, and
        ``ValueError`` for a time that is none, has no zone, or that the hunt's rows have none of.
        """
        hunts = self.hunts()
        if name not in hunts:
            there = ", ".join(hunts) or "none"
            raise HuntNotInLake(f"the lake has no hunt {name}; the hunts that it has: {there}")
        rows = self._connection.table(quoted(name))
        if tenant is not None:
            rows = rows.filter(f"tenant = {text(tenant)}")
        for condition in _within(name, hunts[name], _instant(start), _instant(end)):
            rows = rows.filter(condition)
        return rows

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """What one statement returns. Raises ``SqlError``."""
        answer = asking.answer(self._connection, query)
        return self._connection.sql("SELECT 1 WHERE false") if answer is None else answer

    def kql(
        self, query: str, *, tenant: str | None = None, as_of: When | None = None
    ) -> duckdb.DuckDBPyRelation:
        """What a query in KQL returns, as ``huntlake kql`` does. Raises ``KqlError``.

        Times are UTC without a zone. The relation is of another connection than ``sql``'s.
        """
        asked = (tenant, _instant(as_of))
        if asked not in self._kql:
            self._kql[asked] = KqlLake(self._layout, tenant=tenant, as_of=asked[1])
        return self._kql[asked].query(query)

    def partitions(self) -> duckdb.DuckDBPyRelation:
        """What is there, how fresh and how complete: see docs/catalogue.md."""
        return self._connection.table("huntlake.partitions")


def open_lake(data: str | PathLike[str] | None = None) -> Lake:
    """Open the lake in a data folder, by default in that which the settings name.

    Raises ``HuntlakeError`` where no lake is.
    """
    return Lake(LakeLayout(load_paths().data if data is None else Path(data)))


def _within(name: str, card: HuntCard | None, start: int | None, end: int | None) -> Iterator[str]:
    if start is None and end is None:
        return
    if card is None or card.time_column is None:
        raise ValueError(
            f"the lake doesn't know the time of {name}'s rows, so no range can be chosen; choose "
            f"by its column `date`, or if the lake is of an older huntlake run `huntlake publish`"
        )
    column = quoted(card.time_column)
    for instant, sign in ((start, ">="), (end, "<")):
        if instant is None:
            continue
        literal = format_instant(instant)
        yield f"{column} {sign} TIMESTAMPTZ_NS {text(literal)}"
        if card.within_window:
            # The last day is the one of the tick before the end.
            last = instant if sign == ">=" else instant - 1
            day = datetime_from_instant(last // _DAY * _DAY)
            yield f"date {'>=' if sign == '>=' else '<='} DATE '{day:%Y-%m-%d}'"


def _instant(when: When | None) -> int | None:
    if when is None:
        return None
    if isinstance(when, str):
        return parse_instant(when)
    return instant_from_datetime(when) if isinstance(when, datetime) else instant_from_date(when)

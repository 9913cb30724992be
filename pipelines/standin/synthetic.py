"""The stand-in's events: made up, awkward on purpose, and the same for the same settings.

What belongs here: when events happen and what they say. What does not: how they are held
(``store``). DuckDB makes them, from hashes of row numbers, so that a month takes seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from pipelines.standin.given import create_table
from pipelines.standin.store import (
    EVENT_TABLES,
    MINOR_TABLES,
    SCHEMA,
    SNAPSHOT_TABLES,
    TYPES_TABLE,
    columns,
    held_name,
    held_table,
)
from pipelines.standin.vocabulary import awkward_columns, expression
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, Window

_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
_BUSIEST: Final = "DeviceNetworkEvents"
# Counted back from the end: which whole day has how many of the usual rows.
_BUSIEST_DAY_BACK: Final = 3
_EMPTY_DAY_BACK: Final = 6
_WEEKEND_SHARE: Final = 0.3
_TYPES_ROWS_A_DAY: Final = 60
_MINOR_ROWS: Final = 300
_SNAPSHOT_ROWS: Final = 1_000
_NO_TIME: Final = "NULL::TIMESTAMP_NS"


@dataclass(frozen=True, slots=True)
class SyntheticSettings:
    """What is made: ``days`` whole days before the instant ``end``.

    ``rows_per_day`` is for the busiest table; ``busiest_day_rows`` blows up the third day before
    the end. The sixth day before the end is empty.
    """

    end: int
    days: int = 30
    rows_per_day: int = 5_000
    busiest_day_rows: int | None = 350_000
    seed: int = 7


def build(path: Path, settings: SyntheticSettings) -> None:
    """Make the database at ``path``, in one step: a half-made one is never there."""
    beside = path.with_suffix(".building")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # One transaction: each of its own would wait for the disk, some five hundred times.
        connection.begin()
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in (*EVENT_TABLES, TYPES_TABLE):
            create_table(connection, table)
            for day, rows in _days(table, settings):
                insert_events(connection, table, day, rows=rows, seed=settings.seed)
        whole = Window(settings.end - settings.days * _DAY_TICKS, settings.end)
        for table in MINOR_TABLES:
            create_table(connection, table)
            insert_events(connection, table, whole, rows=_MINOR_ROWS, seed=settings.seed)
        for table in SNAPSHOT_TABLES:
            create_table(connection, table)
            _insert(connection, table, _NO_TIME, rows=_SNAPSHOT_ROWS, seed=settings.seed)
        connection.commit()
    beside.replace(path)


def insert_events(
    connection: duckdb.DuckDBPyConnection, table: str, window: Window, *, rows: int, seed: int
) -> None:
    """Add events to ``table`` within the window."""
    if rows > 0:
        instant = _instant(window, rows)
        _insert(connection, table, instant, rows=rows, seed=seed + window.start % 1_000_003)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, instant: str, *, rows: int, seed: int
) -> None:
    kinds = columns(table)
    special = awkward_columns() if table == TYPES_TABLE else {}
    values = [
        special.get(name) or (instant if kind == "datetime" else expression(name, kind))
        for name, kind in kinds.items()
        if name != "Timestamp"
    ]
    names = [name for name in kinds if name != "Timestamp"]
    if "Timestamp" in kinds:
        names.append("Timestamp")
        values.append(instant)
    targets = ", ".join(f'"{held_name(name)}"' for name in names)
    # The service promises no order, so neither does the table.
    connection.execute(
        f"INSERT INTO {held_table(table)} ({targets}) SELECT {', '.join(values)} "
        f"FROM (SELECT i, (hash(i, {seed}) >> 2)::BIGINT AS h, "
        f"(hash(i, {seed}, 'g') >> 2)::BIGINT AS g, {rows} AS n "
        f"FROM range({rows}) AS numbers(i) ORDER BY h)"
    )


def _days(table: str, settings: SyntheticSettings) -> Iterator[tuple[Window, int]]:
    """Each day, and how many rows it has: fewer at weekends, none on the empty day."""
    for back in range(settings.days, 0, -1):
        start = settings.end - back * _DAY_TICKS
        day = Window(start, start + _DAY_TICKS)
        if table == TYPES_TABLE:
            yield day, _TYPES_ROWS_A_DAY
            continue
        # 1 January 1970 was a Thursday.
        weekend = (start // _DAY_TICKS + 3) % 7 >= 5  # noqa: PLR2004
        rows = int(settings.rows_per_day * EVENT_TABLES[table])
        if back == _EMPTY_DAY_BACK:
            rows = 0
        elif back == _BUSIEST_DAY_BACK and table == _BUSIEST and settings.busiest_day_rows:
            rows = settings.busiest_day_rows
        elif weekend:
            rows = int(rows * _WEEKEND_SHARE)
        yield day, rows


def _instant(window: Window, rows: int) -> str:
    """SQL for the instant of row ``i`` of ``n``: a rhythm over the window, bursts, ties and edges.

    More happens in the middle of the window than at its ends; one row in fifty falls into a burst
    of a second; each run of a dozen rows in five hundred has one and the same tick; the first and
    the last row lie on the window's first and last tick.
    """
    ticks = window.ticks
    share = "(i + 0.5) / n"
    rhythm = f"({share} + 0.8 * sin(2 * pi() * {share}) / (2 * pi()))"
    spread = f"least(greatest(floor({rhythm} * {ticks})::BIGINT + h % 9999991, 0), {ticks} - 1)"
    burst = f"({ticks} // 3 + h % 10000000) % {ticks}"
    tie = f"(({ticks} // 1000) * ((i // 500) % 1000) + 1234567) % {ticks}"
    offset = (
        f"CASE WHEN i = 0 THEN 0 WHEN i = {rows} - 1 THEN {ticks} - 1 "
        f"WHEN i % 500 < 12 THEN {tie} WHEN i % 50 = 13 THEN {burst} ELSE {spread} END"
    )
    return f"make_timestamp_ns(({window.start} + {offset}) * {NANOSECONDS_PER_TICK})"

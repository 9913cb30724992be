"""The stand-in's events: made up, awkward on purpose, and the same for the same settings.

What belongs here: when events happen and what they say. What does not: how they are held
(``store``). DuckDB makes them, from hashes of row numbers, so that a month takes seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
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

# The instant of row i of the n in a window, as SQL: more happens in the middle of the window than
# at its ends; one row in fifty falls into a burst of a second; each run of a dozen rows in five
# hundred has one and the same tick; the first and the last row lie on the first and last tick.
_SHARE: Final = "((i + 0.5) / n)"
_RHYTHM: Final = f"({_SHARE} + 0.8 * sin(2 * pi() * {_SHARE}) / (2 * pi()))"
_SPREAD: Final = f"least(greatest(floor({_RHYTHM} * ticks)::BIGINT + h % 9999991, 0), ticks - 1)"
_BURST: Final = "(ticks // 3 + h % 10000000) % ticks"
_TIE: Final = "((ticks // 1000) * ((i // 500) % 1000) + 1234567) % ticks"
_OFFSET: Final = (
    f"CASE WHEN i = 0 THEN 0 WHEN i = n - 1 THEN ticks - 1 "
    f"WHEN i % 500 < 12 THEN {_TIE} WHEN i % 50 = 13 THEN {_BURST} ELSE {_SPREAD} END"
)
_INSTANT: Final = f"make_timestamp_ns((start + {_OFFSET}) * {NANOSECONDS_PER_TICK})"


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
            _insert(connection, table, _days(table, settings), seed=settings.seed)
        whole = Window(settings.end - settings.days * _DAY_TICKS, settings.end)
        for table in MINOR_TABLES:
            create_table(connection, table)
            _insert(connection, table, [(whole, _MINOR_ROWS)], seed=settings.seed)
        for table in SNAPSHOT_TABLES:
            create_table(connection, table)
            numbers = f"SELECT i, {settings.seed} AS seed, 0 AS start, 0 AS ticks, i AS n"
            source = f"{numbers} FROM range({_SNAPSHOT_ROWS}) AS numbers(i)"
            _insert_rows(connection, table, _NO_TIME, source)
        connection.commit()
    beside.replace(path)


def insert_events(
    connection: duckdb.DuckDBPyConnection, table: str, window: Window, *, rows: int, seed: int
) -> None:
    """Add events to ``table`` within the window."""
    _insert(connection, table, [(window, rows)], seed=seed)


def insert_events_at(
    connection: duckdb.DuckDBPyConnection, table: str, instants: Sequence[int], *, seed: int
) -> None:
    """Add an event to ``table`` at each of the instants."""
    if instants:
        listed = ", ".join(str(each * NANOSECONDS_PER_TICK) for each in instants)
        _insert_rows(
            connection,
            table,
            f"make_timestamp_ns(([{listed}]::BIGINT[])[i + 1])",
            f"SELECT 0 AS start, 1 AS ticks, {len(instants)} AS n, i, {seed} AS seed "
            f"FROM range({len(instants)}) AS numbers(i)",
        )


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    windows: Iterable[tuple[Window, int]],
    *,
    seed: int,
) -> None:
    """Add so many events in each window: in one statement, since planning it takes the longest."""
    filled = [
        f"({window.start}, {window.ticks}, {rows}, {seed + window.start % 1_000_003})"
        for window, rows in windows
        if rows > 0
    ]
    if filled:
        _insert_rows(
            connection,
            table,
            _INSTANT,
            f"SELECT start, ticks, n, i, seed "
            f"FROM (VALUES {', '.join(filled)}) AS windows(start, ticks, n, seed), "
            f"unnest(range(n)) AS numbers(i)",
        )


def _insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, instant: str, numbers: str
) -> None:
    """Add a row for each of ``numbers``, a query of start, ticks, n, i and seed."""
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
    # The service promises no order, so neither does a day.
    connection.execute(
        f"INSERT INTO {held_table(table)} ({targets}) SELECT {', '.join(values)} "
        f"FROM (SELECT start, ticks, n, i, (hash(i, seed) >> 2)::BIGINT AS h, "
        f"(hash(i, seed, 'g') >> 2)::BIGINT AS g FROM ({numbers}) ORDER BY start, h)"
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

"""Queries run on DuckDB, and an answer put together from its parts.

What belongs here: evaluating KQL as the stand-in does, without its protocol and its row cap. What
does not: the events (``made_events``), or what must hold of an answer (``test_slices``).
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

from pipelines.kql import Analysis, datetime_literal, restrict
from pipelines.spans import BUCKETS, Grid, Position, Span
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.given import insert_rows
from pipelines.standin.store import held_name, held_table
from pipelines.standin.translate import every_table
from pipelines.translation import Tables, held_instant, time_literal, to_sql
from pipelines.windows import NANOSECONDS_PER_TICK, Window, parse_instant

Row = tuple[Any, ...]
Rows = Counter[Row]
_Schema = tuple[tuple[str, tuple[str, ...]], ...]
# Instants that no event is near: in a shared translation they stand for a slice's own. A now()
# that is left in a query finds nothing there.
_FAR: Final = parse_instant("2090-01-01")
_INSTANT: Final = re.compile(r"datetime\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z\)")
_NUMBER: Final = re.compile(rf"({BUCKETS}\) (?:>=|<) |\| top )(\d+)")
_MARK: Final = 7_000_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows in the order in which they came; times are in ticks."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def bag(self) -> Rows:
        """The rows as a multiset."""
        return Counter(self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


class Runner:
    """A tenant that holds the events of many hunts, one hunt's at a time in sight.

    Its tables have the columns that are given alone: planning a query over all of a table's columns
    would take longer than running it.
    """

    def __init__(self, tenant: SyntheticTenant) -> None:
        self._connection = tenant._connection
        # Which of equals arg_max() picks must not depend on chance.
        self._execute("SET threads = 1")
        self._schemas: list[dict[str, list[str]]] = []
        self._seen = 0

    def fill(self, tables: Mapping[str, Mapping[str, Sequence[Any]]]) -> int:
        """Hold these events, and see no others. Returns the number by which ``see`` finds them."""
        named = {table: [held_name(name) for name in rows] for table, rows in tables.items()}
        self._schemas.append(named)
        number = len(self._schemas) - 1
        self._execute(f"CREATE SCHEMA hunt{number}")
        for table, columns in named.items():
            listed = ", ".join(f'"{name}"' for name in columns)
            source = f"SELECT {listed} FROM {held_table(table)} LIMIT 0"
            self._execute(f'CREATE TABLE hunt{number}."{table}" AS {source}')
        self.see(number)
        for table, rows in tables.items():
            self.add(table, rows)
        return number

    def see(self, number: int) -> None:
        """See the events of an earlier hunt again."""
        self._seen = number
        self._execute(f"SET schema = 'hunt{number}'")

    def add(self, table: str, rows: Mapping[str, Sequence[Any]]) -> None:
        """Let these events happen too, in what is seen now."""
        insert_rows(self._connection, table, rows)
        listed = ", ".join(f'"{name}"' for name in self._schemas[self._seen][table])
        source = f"SELECT {listed} FROM {held_table(table)}"
        self._execute(f'INSERT INTO "{table}" {source}')
        self._execute(f"TRUNCATE {held_table(table)}")

    def run(self, query: str) -> Answer:
        """The answer. Raises what ``duckdb_kql`` or DuckDB do for more than they can do."""
        schema = tuple((table, tuple(names)) for table, names in self._schemas[self._seen].items())
        table = self._connection.sql(_translated(query, schema)).to_arrow_table()
        columns = [_plain(column) for column in table.columns]
        return Answer(tuple(table.column_names), tuple(zip(*columns, strict=True)))

    def _execute(self, sql: str) -> None:
        self._connection.execute(sql).fetchall()


@contextmanager
def running() -> Iterator[Runner]:
    """A tenant without events."""
    with closing(SyntheticTenant()) as tenant:
        yield Runner(tenant)


def run_window(
    runner: Runner, query: str, analysis: Analysis, window: Window, now: int, **asked: Any
) -> Answer:
    """The answer for a window of a partition that ends at ``now``."""
    return runner.run(restrict(query, analysis, window=window, now=now, **asked))


def run_spans(
    runner: Runner, query: str, analysis: Analysis, spans: Iterable[Span], now: int
) -> Rows:
    """The union of the answers of spans."""
    rows: Rows = Counter()
    for span in spans:
        window = window_of(span, analysis.grid, now)
        rows += run_window(runner, query, analysis, window, now, span=span).bag
    return rows


def window_of(span: Span, grid: Grid | None, end: int) -> Window:
    """The window that a span lies in; ``end`` is its partition's."""
    if not span.end.bucket:
        return Window(span.start.instant, span.end.instant)
    if grid is None:
        return Window(span.start.instant, end)
    return Window(span.start.instant, min(end, grid.after(grid.floor(span.end.instant))))


def spans_between(window: Window, cuts: Iterable[Position]) -> list[Span]:
    """The window, cut at these positions."""
    inner = {cut for cut in cuts if Position(window.start) < cut < Position(window.end)}
    edges = [Position(window.start), *sorted(inner), Position(window.end)]
    return [Span(start, end) for start, end in pairwise(edges)]


def cuts_near(
    analysis: Analysis, window: Window, instants: Iterable[int], bucket: int
) -> list[Position]:
    """Where the analysis lets an answer be cut, as close to these instants as it can be."""
    if analysis.grid is None:
        cuts = [Position(window.start)] if analysis.hash_columns is not None else []
    else:
        cuts = [Position(max(window.start, analysis.grid.floor(each))) for each in instants]
    if not bucket or analysis.hash_columns is None or not cuts:
        return cuts
    # One part then begins, and one ends, in the middle of a cell that is not all of it.
    cell, *others = cuts
    inside = Position(cell.instant, bucket)
    if analysis.grid is None or analysis.time_column is not None:
        return [inside, *(each for each in others if each != cell)]
    # Without a time in the answer a cell has to be asked for by itself.
    after = analysis.grid.after(analysis.grid.floor(cell.instant))
    return [cell, inside, Position(after), *others]


def _translated(query: str, schema: _Schema) -> str:
    """The query in SQL.

    Translating takes longer than running, so queries that differ by the instants and numbers of a
    slice alone share one translation, in which numbered ones stand for theirs.
    """
    own = _INSTANT.findall(query)
    marks = [datetime_literal(_FAR + number) for number in range(len(own))]
    numbers = [number for _, number in _NUMBER.findall(query)]
    numbered, places = iter(marks), iter(range(len(numbers)))
    shared = _INSTANT.sub(lambda _: next(numbered), query)
    shared = _NUMBER.sub(lambda match: f"{match[1]}{_MARK + next(places)}", shared)
    sql = _translation(shared, schema)
    for number, literal in enumerate(own):
        instant = held_instant(parse_instant(literal.removeprefix("datetime(").removesuffix(")")))
        sql = sql.replace(time_literal(_FAR + number), time_literal(instant))
    for place, number in enumerate(numbers):
        sql = sql.replace(str(_MARK + place), number)
    return sql


@cache
def _translation(query: str, schema: _Schema) -> str:
    return to_sql(query, Tables(schema, every_table().names), now=_FAR + _MARK)


def _plain(column: Any) -> list[Any]:
    """Values that can be hashed; sets and bags in one order; times in ticks."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        nanoseconds = column.cast(pa.timestamp("ns")).cast(pa.int64()).to_pylist()
        return [None if each is None else each // NANOSECONDS_PER_TICK for each in nanoseconds]
    return [_hashable(value) for value in column.to_pylist()]


def _hashable(value: Any) -> Any:
    match value:
        case str() if value.startswith("["):
            return _hashable(_listed(value))
        case list():
            return tuple(sorted(map(_hashable, value), key=repr))
        case dict():
            return tuple(sorted((key, _hashable(each)) for key, each in value.items()))
        case _:
            return value


def _listed(text: str) -> list[Any] | tuple[str]:
    try:
        listed = json.loads(text)
    except ValueError:
        return (text,)
    return listed if isinstance(listed, list) else (text,)

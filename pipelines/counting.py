"""Counting an answer's rows without pulling them: the histogram that plans rest on.

What belongs here: asking for counts and reading them. What does not: what is counted when
(``slicing.planner``), and the queries' text (``kql.rewrite``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import MalformedResponse
from pipelines.kql import CELL, HUNT, ROWS, count_all, count_buckets, count_cells
from pipelines.landing import Answer
from pipelines.pull import Caller, Reply, TooMuch
from pipelines.slicing import (
    Count,
    CountBuckets,
    CountCells,
    Density,
    Knowledge,
    Piece,
)
from pipelines.slicing.knowledge import HOUR_TICKS
from pipelines.spans import BUCKETS, Grid, Span
from pipelines.windows import NANOSECONDS_PER_TICK, Window


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count found, and what its call took. ``hours`` are those that it read."""

    cells: Mapping[int, int]
    running_seconds: float
    hours: float


def count(caller: Caller, asked: Count, *, now: int) -> Counted | TooMuch:
    """Ask for a count: rows by the start of a bin or cell, or by the first bucket of a group.

    ``now`` is what ``now()`` means in the hunt. A count is asked again as any call is.
    """
    query, analysis = caller.hunt.query, caller.analysis
    match asked:
        case CountCells(window, width):
            text = count_cells(query, analysis, window=window, now=now, width=width)
        case CountBuckets(window, each):
            text = count_buckets(query, analysis, window=window, now=now, buckets_each=each)
    return _asked(caller, text, window)


def count_rows(caller: Caller, window: Window, *, now: int) -> Counted | TooMuch:
    """The number of all rows in a window, as that of one cell."""
    text = count_all(caller.hunt.query, caller.analysis, window=window, now=now)
    return _asked(caller, text, window)


def count_windows(
    caller: Caller, windows: Sequence[Window], width: int, *, now: int
) -> Counted | TooMuch:
    """Rows by the start of a bin of ``width`` ticks, in disjoint windows in order, in one call."""
    whole = Window(windows[0].start, windows[-1].end)
    query, analysis = caller.hunt.query, caller.analysis
    text = count_cells(query, analysis, window=whole, now=now, width=width, windows=windows)
    return _asked(caller, text, whole)


def count_by_hunt(
    caller: Caller, query: str, window: Window
) -> Mapping[int, Mapping[int, int]] | TooMuch:
    """What a query that counts several hunts found: rows by bin, for each hunt by its number."""
    reply = _reply(caller, query, window)
    if isinstance(reply, TooMuch):
        return reply
    table = reply.answer.table
    if not table.num_rows:
        return {}
    if not {CELL, ROWS, HUNT} <= set(table.column_names):
        error = MalformedResponse(f"the answer to a count lacks {CELL}, {ROWS} or {HUNT}")
        error.request_id = reply.request_id
        raise caller.slice_failed(Span.of(window), error) from error
    found: dict[int, dict[int, int]] = {}
    hunts, counts = (table.column(name).to_pylist() for name in (HUNT, ROWS))
    for hunt, start, rows in zip(hunts, _starts(reply.answer), counts, strict=True):
        found.setdefault(hunt, {})[start] = rows
    return found


def with_count(known: Knowledge, asked: Count, counted: Counted, grid: Grid | None) -> Density:
    """What is known of the rows once they are counted."""
    match asked:
        case CountCells(window, width):
            cells = counted.cells
            if width is None:
                found = Density(window, _cell_pieces(window, cells, grid), known.grid)
            else:
                found = Density.from_bins(window, cells, width, known.grid)
            return found if known.density is None else known.density.refined(found)
        case CountBuckets(window, each):
            groups = tuple(counted.cells.get(first, 0) for first in range(0, BUCKETS, each))
            pieces = (Piece(window, sum(groups), groups),)
            found = Density(window, pieces, known.grid)
            return found if known.density is None else known.density.refined(found)


def _cell_pieces(window: Window, cells: Mapping[int, int], grid: Grid | None) -> tuple[Piece, ...]:
    """A piece for each cell; the first may begin before the window."""
    assert grid is not None  # noqa: S101 - what has no grid can't be counted by cells
    return tuple(
        Piece(Window(max(cell, window.start), min(grid.cell_end(cell), window.end)), rows)
        for cell, rows in sorted(cells.items())
    )


def _asked(caller: Caller, query: str, window: Window) -> Counted | TooMuch:
    reply = _reply(caller, query, window)
    if isinstance(reply, TooMuch):
        return reply
    try:
        cells = _cells(reply)
    except MalformedResponse as error:
        error.request_id = reply.request_id
        raise caller.slice_failed(Span.of(window), error) from error
    return Counted(cells, reply.running_seconds, window.ticks / HOUR_TICKS)


def _reply(caller: Caller, query: str, window: Window) -> Reply | TooMuch:
    reply = caller.ask(query, Span.of(window), asked="count")
    if isinstance(reply, TooMuch):
        return reply
    caller.spent.counting_calls += 1
    if reply.answer.rows >= caller.tenant.limits.rows:
        error = MalformedResponse(f"a count reached the cap of {reply.answer.rows:,} rows")
        return TooMuch(str(error), too_large=False, cause=error)
    return reply


_ALL: Final = 0


def _cells(reply: Reply) -> Mapping[int, int]:
    """The answer as rows by cell; times as instants."""
    table = reply.answer.table
    if not table.num_rows:
        return {}
    if ROWS not in table.column_names:
        raise MalformedResponse(f"the answer to a count has no column {ROWS}")
    rows = table.column(ROWS).to_pylist()
    cells = _starts(reply.answer) if CELL in table.column_names else [_ALL] * len(rows)
    if None in cells or None in rows:
        raise MalformedResponse("the answer to a count holds null")
    return dict(zip(cells, rows, strict=True))


def _starts(answer: Answer) -> list[int]:
    column = answer.table.column(CELL)
    if not pa.types.is_timestamp(column.type):
        values: list[int] = column.to_pylist()
        return values
    nanoseconds: list[int] = pc.cast(column, pa.int64()).to_pylist()
    return [each // NANOSECONDS_PER_TICK for each in nanoseconds]

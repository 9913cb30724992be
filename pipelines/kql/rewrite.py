"""The query for one slice: the hunt's own text, its tables restricted and its now() fixed.

What belongs here: the text that is added and replaced. What does not: what has to be restricted,
and whether it can be (``sources``); what is asked (``slicing``).
"""

import re
import string
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pipelines.kql.columns import timespan_ticks
from pipelines.kql.functions import TIME_FUNCTIONS
from pipelines.kql.lexer import Token, code
from pipelines.kql.names import BUCKET
from pipelines.kql.verdict import Analysis, EventTable
from pipelines.spans import BUCKETS, Span
from pipelines.windows import TICKS_PER_SECOND, Window, format_instant, parse_instant

# The columns of an answer that counts.
CELL: Final = "HuntlakeCell"
ROWS: Final = "HuntlakeRows"

_PLAIN_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
# With a byte order mark, which some editors put first.
_BLANK: Final = f"{string.whitespace}\ufeff"
_SIGN_OF: Final = {"now": "+", "ago": "-"}
_WHOLE_ROW: Final = "tostring(pack_all())"
# The instants that KQL has.
_FIRST: Final = parse_instant("0001-01-01")
_LAST: Final = parse_instant("9999-12-31T23:59:59.9999999Z")
_JOINT: Final = ', "|", '
_Edit = tuple[int, int, str]


def restrict(  # noqa: PLR0913 - what is asked, each by name
    query: str,
    analysis: Analysis,
    *,
    window: Window,
    now: int,
    span: Span | None = None,
    limit: int | None = None,
    by_hash: bool = False,
    windows: Sequence[Window] = (),
) -> str:
    """The query with every event table limited to ``window`` and the time of the query ``now``.

    Each table is shadowed by a ``let`` of its name, above the hunt: wherever the hunt then reads
    the table, within functions and brackets too, it reads the window. The added lines are not
    parted from the hunt by a blank line, which in the portal would end a query.

    Where ``windows`` are given, disjoint and in order, only they are read of ``window``.

    ``span`` lies in the window and leaves out some buckets of its first and last cell. With a
    ``limit`` the answer is the first so many rows in time order, of which the last may share their
    cell with rows that are left out; ``by_hash``, those of a cell come in the order of their hash,
    which the answer then has as ``BUCKET``, so that the last share no more than their bucket.
    """
    if by_hash:
        tail = f" | extend {BUCKET} = {_hash(analysis)}"
        tail += _within(analysis, window, span, bucket=BUCKET) if span else ""
    else:
        tail = _within(analysis, window, span) if span else ""
    if limit is not None and analysis.time_column is not None:
        time = quoted(analysis.time_column)
        tail += (
            f" | sort by {time} asc, {BUCKET} asc | take {limit}"
            if by_hash
            else f" | top {limit} by {time} asc"
        )
    return _assembled(query, analysis, window, now, (analysis.end, analysis.end, tail), windows)


def count_cells(  # noqa: PLR0913 - what is asked, each by name
    query: str,
    analysis: Analysis,
    *,
    window: Window,
    now: int,
    width: int | None,
    windows: Sequence[Window] = (),
) -> str:
    """The query's rows in the window, counted by bins of ``width`` ticks, or else by cells.

    The answer has a row for each bin that has any: ``CELL``, where it starts, and ``ROWS``.
    ``windows`` as in ``restrict``.
    """
    offset, column = _counted(analysis)
    tail = count_by_cell(column, width)
    return _assembled(query, analysis, window, now, (offset, analysis.end, tail), windows)


def count_by_cell(column: str, width: int | None) -> str:
    """The operator that counts rows by bins of a column, or by the column itself."""
    cell = column if width is None else f"bin({column}, {timespan_literal(width)})"
    return f" | summarize {ROWS} = count() by {CELL} = {cell}"


def count_buckets(
    query: str, analysis: Analysis, *, window: Window, now: int, buckets_each: int
) -> str:
    """The rows of a window counted by the hash that may split it, so many buckets to a row.

    ``CELL`` is the first bucket of each.
    """
    tail = f" | summarize {ROWS} = count() by {CELL} = bin({_hash(analysis)}, {buckets_each})"
    return _assembled(query, analysis, window, now, (analysis.end, analysis.end, tail))


def count_all(query: str, analysis: Analysis, *, window: Window, now: int) -> str:
    """The number of the query's rows in the window, as the one row of ``ROWS``."""
    tail = f" | summarize {ROWS} = count()"
    return _assembled(query, analysis, window, now, (analysis.end, analysis.end, tail))


def fix_now(query: str, now: int) -> str:
    """The query with each call of ``now()`` and ``ago()`` replaced by the instant that it means."""
    return _edited(query, _now_edits(query, now))


def datetime_literal(instant: int) -> str:
    """``datetime(2026-11-20T00:00:00.0000000Z)``, always with the digits of a tick."""
    seconds, ticks = divmod(instant, TICKS_PER_SECOND)
    whole = format_instant(seconds * TICKS_PER_SECOND).removesuffix("Z")
    return f"datetime({whole}.{ticks:07d}Z)"


def timespan_literal(ticks: int) -> str:
    """A positive timespan: ``60s`` where it is whole seconds, else in ticks."""
    seconds, rest = divmod(ticks, TICKS_PER_SECOND)
    return f"{ticks}tick" if rest else f"{seconds}s"


def quoted(name: str) -> str:
    """The name as KQL wants it: bare where it may be."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _assembled(  # noqa: PLR0913, PLR0917 - the parts of the text
    query: str,
    analysis: Analysis,
    window: Window,
    now: int,
    tail: _Edit,
    windows: Sequence[Window] = (),
) -> str:
    blank = len(query) - len(query.lstrip(_BLANK))
    shadows = "".join(f"{shadow(table, window, windows)}\n" for table in analysis.event_tables)
    edits = [edit for edit in _now_edits(query, now) if edit[1] <= tail[0]]
    edits += [(blank, blank, shadows), tail]
    return _edited(query, edits)


def _counted(analysis: Analysis) -> tuple[int, str]:
    if analysis.counting is None:
        raise ValueError("the rows of this query can't be counted by time")
    return analysis.counting.offset, quoted(analysis.counting.column)


def _within(analysis: Analysis, window: Window, span: Span, bucket: str | None = None) -> str:
    """The filter that leaves out what lies in the span's first and last cell, but not in it.

    ``bucket`` is the column that has each row's hash, where one has been added.
    """
    if not span.start.bucket and not span.end.bucket:
        return ""
    bucket = bucket or _hash(analysis)
    conditions = []
    if span.start.bucket:
        condition = f"{bucket} >= {span.start.bucket}"
        conditions.append(_in_cell(analysis, window, span.start.instant, condition))
    if span.end.bucket:
        condition = f"{bucket} < {span.end.bucket}"
        conditions.append(_in_cell(analysis, window, span.end.instant, condition))
    return f" | where {' and '.join(conditions)}"


def _in_cell(analysis: Analysis, window: Window, cell: int, condition: str) -> str:
    """The condition, asked of one cell's rows alone; where the window is that cell, of all."""
    if analysis.grid is None or analysis.grid.cell_end(window.start) >= window.end:
        return condition
    if analysis.time_column is None:
        raise ValueError("without a time in the answer no cell can be told from another")
    # The first cell may begin before the window, and so its column says.
    start = datetime_literal(analysis.grid.floor(cell))
    return f"({quoted(analysis.time_column)} != {start} or {condition})"


def _hash(analysis: Analysis) -> str:
    """The hash that may split a cell. Nothing in it is ever null, whose hash no bucket would hold.

    A key of several columns is hashed as one text, and a row as the text of all its columns.
    """
    columns = analysis.hash_columns
    if columns is None:
        raise ValueError("this query may not be split by a hash")
    names = [quoted(column) for column in columns]
    if len(names) > 1:
        # It makes text of each by itself.
        text = f"strcat({_JOINT.join(names)})"
    else:
        text = f"tostring({names[0]})" if names else _WHOLE_ROW
    return f"hash({text}, {BUCKETS})"


def shadow(table: EventTable, window: Window, windows: Sequence[Window] = ()) -> str:
    """The statement that limits a table to a window, or to some windows within it."""
    name, column = quoted(table.name), quoted(table.time_column)
    inside = _inside(column, window)
    if len(windows) > 1:
        # The window that holds them all stays: it is plain which of the table's data lies in it.
        inside += f" and {_any_of([f'({_inside(column, each)})' for each in windows])}"
    elif windows:
        inside = _inside(column, windows[0])
    return f"let {name} = {name} | where {inside};"


def _inside(column: str, window: Window) -> str:
    start, end = datetime_literal(window.start), datetime_literal(window.end)
    return f"{column} >= {start} and {column} < {end}"


def _any_of(conditions: Sequence[str]) -> str:
    """All with ``or``, bracketed two by two: the service fails at a long chain of operators."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return f"({_any_of(conditions[:middle])} or {_any_of(conditions[middle:])})"


def _edited(query: str, edits: Iterator[_Edit] | Sequence[_Edit]) -> str:
    pieces: list[str] = []
    end = 0
    for start, stop, text in sorted(edits, key=lambda edit: edit[:2]):
        pieces += query[end:start], text
        end = stop
    return "".join((*pieces, query[end:]))


def _now_edits(query: str, now: int) -> Iterator[_Edit]:
    """What to replace, as start, end and new text.

    Where the argument of ``ago(x)`` is a literal, the instant is written out, since some functions
    take a constant only. Any other stays where it is, whatever it holds: only the text around it is
    replaced, so that calls within calls need no thought.
    """
    tokens = code(query)
    for index, (name, opening) in enumerate(pairwise(tokens)):
        is_member = index > 0 and tokens[index - 1].is_sign(".")
        if not name.is_name(*TIME_FUNCTIONS) or not opening.is_sign("(") or is_member:
            continue
        closing = _closing(tokens, index + 1)
        shift = _literal_ticks(tokens[index + 2 : closing])
        commented = "//" in query[opening.end : tokens[closing].start]
        instant = now + (shift or 0) * (1 if name.text == "now" else -1)
        if shift is not None and not commented and _FIRST <= instant <= _LAST:
            yield name.start, tokens[closing].end, datetime_literal(instant)
        else:
            sign = _SIGN_OF[name.text]
            yield name.start, opening.end, f"({datetime_literal(now)} {sign} ("
            yield tokens[closing].start, tokens[closing].end, "))"


def _literal_ticks(argument: Sequence[Token]) -> int | None:
    """The ticks of a timespan that is spelled out, or of none at all."""
    match argument:
        case ():
            return 0
        case (literal,):
            return timespan_ticks(literal)
        case (sign, literal) if sign.is_sign("-"):
            ticks = timespan_ticks(literal)
            return None if ticks is None else -ticks
    return None


def _closing(tokens: tuple[Token, ...], opening: int) -> int:
    """Where the bracket that opens here is closed. ``analyse`` has seen that it is."""
    depth = 0
    for index in range(opening, len(tokens)):
        if tokens[index].is_sign("(", "[", "{"):
            depth += 1
        elif tokens[index].is_sign(")", "]", "}"):
            depth -= 1
            if depth == 0:
                return index
    return len(tokens) - 1

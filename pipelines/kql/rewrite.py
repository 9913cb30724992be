"""The query for one slice: the hunt's own text, its tables restricted and its now() fixed.

What belongs here: the text that is added and replaced. What does not: what has to be restricted,
and whether it can be (``sources``).
"""

import re
import string
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pipelines.kql.functions import TIME_FUNCTIONS
from pipelines.kql.lexer import Token, code
from pipelines.kql.verdict import Analysis, EventTable
from pipelines.windows import TICKS_PER_SECOND, Window, format_instant

_PLAIN_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
# With a byte order mark, which some editors put first.
_BLANK: Final = f"{string.whitespace}\ufeff"
_SIGN_OF: Final = {"now": "+", "ago": "-"}


def restrict(query: str, analysis: Analysis, *, window: Window, now: int) -> str:
    """The query with every event table limited to ``window`` and the time of the query ``now``.

    Each table is shadowed by a ``let`` of its name, above the hunt: wherever the hunt then reads
    the table, within functions and brackets too, it reads the window. The added lines are not
    parted from the hunt by a blank line, which in the portal would end a query.
    """
    blank = len(query) - len(query.lstrip(_BLANK))
    shadows = "".join(f"{_shadow(table, window)}\n" for table in analysis.event_tables)
    return query[:blank] + shadows + fix_now(query[blank:], now)


def fix_now(query: str, now: int) -> str:
    """The query with each call of ``now()`` and ``ago()`` replaced by the instant that it means."""
    pieces: list[str] = []
    end = 0
    for start, stop, text in sorted(_edits(code(query), datetime_literal(now))):
        pieces += query[end:start], text
        end = stop
    return "".join((*pieces, query[end:]))


def datetime_literal(instant: int) -> str:
    """``datetime(2026-11-20T00:00:00.0000000Z)``, always with the digits of a tick."""
    seconds, ticks = divmod(instant, TICKS_PER_SECOND)
    whole = format_instant(seconds * TICKS_PER_SECOND).removesuffix("Z")
    return f"datetime({whole}.{ticks:07d}Z)"


def _shadow(table: EventTable, window: Window) -> str:
    name, column = _quoted(table.name), _quoted(table.time_column)
    start, end = datetime_literal(window.start), datetime_literal(window.end)
    return f"let {name} = {name} | where {column} >= {start} and {column} < {end};"


def _quoted(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _edits(tokens: tuple[Token, ...], now: str) -> Iterator[tuple[int, int, str]]:
    """What to replace, as start, end and new text.

    The argument of ``ago(x)`` stays where it is, whatever it holds: only the text around it is
    replaced, so that calls within calls need no thought.
    """
    for index, (name, opening) in enumerate(pairwise(tokens)):
        is_member = index > 0 and tokens[index - 1].is_sign(".")
        if not name.is_name(*TIME_FUNCTIONS) or not opening.is_sign("(") or is_member:
            continue
        closing = _closing(tokens, index + 1)
        if closing == index + 2:
            yield name.start, tokens[closing].end, now
        else:
            yield name.start, opening.end, f"({now} {_SIGN_OF[name.text]} ("
            yield tokens[closing].start, tokens[closing].end, "))"


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

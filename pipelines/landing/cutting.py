"""Cutting an answer by its rows' time.

What belongs here: the order of rows, and parts of an answer. What does not: where to cut
(``slicing``), or writing the parts (``staging``).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import MalformedResponse
from pipelines.landing.decode import Answer
from pipelines.landing.schema import KEPT_ASIDE, WIRE_NAME
from pipelines.windows import NANOSECONDS_PER_TICK


def in_time_order(answer: Answer, time_column: str | None) -> Answer:
    """The answer's rows by the hunt's time column, where the answer has it and it is a time.

    ``time_column`` is the service's name. Rows of one tick stay in the order in which they came.
    """
    name = _time_field(answer, time_column)
    if name is None:
        return answer
    return replace(answer, table=answer.table.sort_by([(name, "ascending")]))


def last_time(answer: Answer, time_column: str) -> int:
    """The instant of the latest row. Raises ``MalformedResponse`` where a row has no time."""
    latest: int = pc.max(_nanoseconds(answer, time_column)).as_py()
    return latest // NANOSECONDS_PER_TICK


def parts(answer: Answer, time_column: str, edges: Sequence[int]) -> list[Answer]:
    """The rows before the first edge, those from each edge to the next, and those from the last on.

    ``answer`` is in time order; ``edges`` are instants in order. Raises ``MalformedResponse`` where
    a row has no time.
    """
    if not answer.rows:
        # The service may leave out the columns of an empty answer.
        return [answer] * (len(edges) + 1)
    times = _nanoseconds(answer, time_column)
    before = (pc.sum(pc.less(times, edge * NANOSECONDS_PER_TICK)).as_py() for edge in edges)
    bounds = [0, *(rows or 0 for rows in before), answer.rows]
    return [_part(answer, start, end) for start, end in pairwise(bounds)]


def _part(answer: Answer, start: int, end: int) -> Answer:
    table = answer.table.slice(start, end - start)
    kept = (json.loads(text) for text in table.column(KEPT_ASIDE).drop_null().to_pylist())
    return replace(answer, table=table, kept_aside=sum(map(len, kept)))


def _nanoseconds(answer: Answer, time_column: str) -> pa.ChunkedArray:
    name = _time_field(answer, time_column)
    if name is None:
        raise MalformedResponse(f"the answer lacks {time_column}, the time of its rows")
    column = answer.table.column(name)
    if column.null_count:
        raise MalformedResponse(f"a row of the answer has no time in {time_column}")
    return pc.cast(column, pa.int64())


def _time_field(answer: Answer, time_column: str | None) -> str | None:
    for field in answer.table.schema:
        wire_name = (field.metadata or {}).get(WIRE_NAME, b"").decode()
        if wire_name == time_column and pa.types.is_timestamp(field.type):
            name: str = field.name
            return name
    return None

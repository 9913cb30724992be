"""Cutting an answer by its rows' time.

What belongs here: the order of rows, and parts of an answer. What does not: where to cut
(``slicing``), or writing the parts (``staging``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    if name is None or _is_in_order(answer.table.column(name)):
        return answer
    return replace(answer, table=answer.table.sort_by([(name, "ascending")]))


def rows_per_cell(answer: Answer, time_column: str) -> float:
    """How many rows have a row's very time, itself included, on average over the answer's rows.

    Raises ``MalformedResponse`` where a row has no time.
    """
    counts = pc.cast(pc.value_counts(_nanoseconds(answer, time_column)).field("counts"), "int64")
    squares: int = pc.sum(pc.multiply(counts, counts)).as_py()
    return squares / answer.rows


@dataclass(frozen=True, slots=True)
class Begun:
    """The rows of a page before its last cell, or bucket, which may go on in the next page.

    ``time`` is the instant of the cell; ``bucket`` is 0 where the whole cell is left out.
    """

    answer: Answer
    time: int
    bucket: int


def before_last_cell(answer: Answer, time_column: str) -> Begun:
    """A page without the rows of its latest time.

    Raises ``MalformedResponse`` where a row has no time.
    """
    times = _nanoseconds(answer, time_column)
    latest = pc.max(times)
    return Begun(_kept(answer, pc.less(times, latest)), _ticks(latest), 0)


def before_last_bucket(answer: Answer, time_column: str, bucket_column: str) -> Begun:
    """A page without the rows of the last bucket of its latest time, and without that column.

    Raises ``MalformedResponse`` where a row has no time or no bucket.
    """
    times, buckets = _nanoseconds(answer, time_column), _buckets(answer, bucket_column)
    latest = pc.max(times)
    is_latest = pc.equal(times, latest)
    last = pc.max(buckets.filter(is_latest))
    kept = pc.or_(pc.invert(is_latest), pc.less(buckets, last))
    return Begun(_kept(without_column(answer, bucket_column), kept), _ticks(latest), last.as_py())


def without_column(answer: Answer, wire_name: str) -> Answer:
    """The answer without a column that was added to the hunt's own, if it has it."""
    name = _field_of(answer, wire_name)
    return answer if name is None else replace(answer, table=answer.table.drop_columns([name]))


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


def _is_in_order(times: pa.ChunkedArray) -> bool:
    """Whether nothing is to be sorted: pages come in order."""
    if times.null_count or len(times) < 2:  # noqa: PLR2004 - a pair
        return not times.null_count
    whole = times.combine_chunks()
    in_order: bool = pc.all(pc.less_equal(whole[:-1], whole[1:])).as_py()
    return in_order


def _part(answer: Answer, start: int, end: int) -> Answer:
    return _of(answer, answer.table.slice(start, end - start))


def _kept(answer: Answer, mask: pa.ChunkedArray) -> Answer:
    return _of(answer, answer.table.filter(mask))


def _of(answer: Answer, table: pa.Table) -> Answer:
    """The answer with some of its rows alone."""
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


def _buckets(answer: Answer, bucket_column: str) -> pa.ChunkedArray:
    name = _field_of(answer, bucket_column)
    column = None if name is None else answer.table.column(name)
    if column is None or not pa.types.is_int64(column.type) or column.null_count:
        raise MalformedResponse(f"the answer lacks {bucket_column}, the bucket of each of its rows")
    return column


def _ticks(nanoseconds: pa.Scalar) -> int:
    value: int = nanoseconds.as_py()
    return value // NANOSECONDS_PER_TICK


def _time_field(answer: Answer, time_column: str | None) -> str | None:
    name = None if time_column is None else _field_of(answer, time_column)
    is_time = name is not None and pa.types.is_timestamp(answer.table.schema.field(name).type)
    return name if is_time else None


def _field_of(answer: Answer, wire_name: str) -> str | None:
    """The name under which a column of the service has landed."""
    for field in answer.table.schema:
        if (field.metadata or {}).get(WIRE_NAME, b"").decode() == wire_name:
            name: str = field.name
            return name
    return None

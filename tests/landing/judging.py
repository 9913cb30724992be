"""One body by our decoder and by the reference: the same cells, or refused by both.

What belongs here: comparing, and making smaller what they disagree about. What does not: the bodies
(``seeds``) and their changes.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa

from pipelines.errors import MalformedResponse
from pipelines.landing import KEPT_ASIDE, WIRE_NAME, Answer
from pipelines.landing.dialects import Dialect
from tests.landing.reference import NotWhole, as_comparable, cells, statistics

Decode = Callable[[bytes, Dialect], Answer]

_SHOWN: Final = 200
_EACH: Final = 12
# Texts whole, so that none is cut within; then each sign, and what is between.
_PIECE: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^"{}\[\],:]+|"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Both had the same ``rows``, or refused the body (``None``)."""

    rows: int | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What is between the two: ``kind`` in one word or two, for people in ``text``."""

    kind: str
    text: str


class _Escaping:
    """Keeps whatever is raised within, but what ends the process."""

    error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        self.error = error
        return isinstance(error, Exception)


def judged(body: bytes, dialect: Dialect, decode: Decode) -> Agreement | Disagreement:
    """What our decoder and the reference agree or disagree about."""
    answer: Answer | None = None
    with _Escaping() as escaping:
        answer = decode(body, dialect)
    if answer is None and not isinstance(escaping.error, MalformedResponse):
        return Disagreement(f"escaped {type(escaping.error).__name__}", repr(escaping.error))
    try:
        expected, (seconds, stated) = cells(body, dialect), statistics(body)
    except (NotWhole, RecursionError) as error:
        if answer is None:
            return Agreement(None)
        return Disagreement("answered", f"{answer.rows} rows of what is no answer: {error!r}")
    if answer is None:
        return Disagreement("refused", f"a whole answer: {escaping.error}")
    kept = sum(len(json.loads(text)) for text in expected[KEPT_ASIDE] if text is not None)
    found = {
        **columns_of(answer.table),
        "seconds": [as_comparable(answer.execution_seconds)],
        "stated rows": [_count(answer.stated_rows)],
        "kept aside": [answer.kept_aside],
    }
    wanted = {
        **expected,
        "seconds": [as_comparable(seconds)],
        "stated rows": [_count(stated)],
        "kept aside": [kept],
    }
    return _difference(found, wanted) or Agreement(answer.rows)


def _count(stated: int | None) -> int | None:
    """Nobody expects more rows for a count of none or fewer."""
    return stated if stated is not None and stated > 0 else None


def columns_of(table: pa.Table) -> dict[str, list[Any]]:
    """The table's cells by wire name, in the reference's terms."""
    found = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        name = KEPT_ASIDE
        if field.name != KEPT_ASIDE:
            name = f"column {field.metadata[WIRE_NAME].decode()}"
        if pa.types.is_timestamp(field.type) or pa.types.is_duration(field.type):
            found[name] = column.cast(pa.int64()).to_pylist()
        else:
            found[name] = [as_comparable(value) for value in column.to_pylist()]
    return found


def _difference(found: dict[str, list[Any]], wanted: dict[str, list[Any]]) -> Disagreement | None:
    if [*found] != [*wanted]:
        return Disagreement("columns", f"{[*found]} for {[*wanted]}")
    for name, values in wanted.items():
        if len(found[name]) != len(values):
            return Disagreement("rows", f"{len(found[name])} for {len(values)}")
        for row, (got, want) in enumerate(zip(found[name], values, strict=True)):
            # True is 1 to Python, and no text is a number.
            if type(got) is not type(want) or got != want:
                text = f"{name}, row {row}: {got!r:.{_SHOWN}} for {want!r:.{_SHOWN}}"
                return Disagreement("cell", text)
    return None


def smallest(body: bytes, is_still_wrong: Callable[[bytes], bool], attempts: int = 3_000) -> bytes:
    """A body that is still wrong, with as many pieces left out as so many attempts allow.

    Runs of pieces are left out, shorter and shorter; a row is such a run.
    """
    left = attempts
    pieces = _PIECE.findall(body)
    while True:
        before = len(pieces)
        for size in _sizes(len(pieces)):
            start = 0
            while start < len(pieces):
                tried = [*pieces[:start], *pieces[start + size :]]
                left -= 1
                if left < 0:
                    return b"".join(pieces)
                if is_still_wrong(b"".join(tried)):
                    pieces = tried
                else:
                    start += max(1, size // 4)
        if len(pieces) == before:
            return b"".join(pieces)


def _sizes(length: int) -> Iterator[int]:
    """From half of it down to one; small ones each, since an object has any number of pieces."""
    size = length // 2
    while size > 0:
        yield size
        size = size - 1 if size <= _EACH else size * 2 // 3

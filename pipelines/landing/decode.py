"""From the bytes of an answer, as they come in, to an Arrow table.

What belongs here: head, rows and tail of an answer made one. What does not: finding the rows
(``splitting``), reading them (``parallel``), what stands around them (``envelope``).

The rows are read while the rest of the answer still comes in. Where the schema comes after the
rows, they wait for it.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from pipelines.errors import MalformedResponse
from pipelines.landing.assembly import end_of_rows
from pipelines.landing.dialects import Dialect
from pipelines.landing.envelope import Envelope
from pipelines.landing.exact import Row, Rows, to_rows
from pipelines.landing.parallel import ParallelRows
from pipelines.landing.splitting import Block, Splitter

# Large enough that pyarrow's cost for each column of a block is little, small enough that few
# of them in flight are little beside the answer.
_BLOCK_BYTES: Final = 4 * 2**20
# Below this the exact way is done before the fast one is prepared.
_SMALL_BYTES: Final = 32 * 2**10


@dataclass(frozen=True, slots=True)
class Answer:
    """One decoded answer.

    ``table`` has the landed columns and, last, ``KEPT_ASIDE``; ``kept_aside`` counts the values
    that their type can't hold. ``execution_seconds`` is what the service says that it ran for, and
    ``stated_rows`` how many rows it says that it found, where it says so.
    """

    table: pa.Table = field(repr=False)
    execution_seconds: float | None
    kept_aside: int
    stated_rows: int | None = None

    @property
    def rows(self) -> int:
        """The rows of the answer."""
        count: int = self.table.num_rows
        return count


def decode(body: bytes, dialect: Dialect, *, block_bytes: int = _BLOCK_BYTES) -> Answer:
    """The answer in ``body``. Raises ``MalformedResponse`` for anything that isn't a whole one."""
    with Decoder(dialect, block_bytes=block_bytes) as decoder:
        decoder.feed(body)
        return decoder.finish()


class Decoder:
    """Takes the bytes of one answer, and gives the answer. A context manager: it holds threads.

    What is wrong with the bytes is told at the end, when they are known to be all that was sent.
    """

    def __init__(self, dialect: Dialect, *, block_bytes: int = _BLOCK_BYTES) -> None:
        self._dialect: Dialect = dialect
        self._splitter = Splitter(block_bytes)
        self._small_bytes = min(_SMALL_BYTES, block_bytes)
        self._rows: ParallelRows | None = None
        # Blocks of an answer whose schema comes after its rows.
        self._held: list[Block] = []
        self._wrong: MalformedResponse | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rows is not None:
            self._rows.close()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the answer; waits where reading them lags behind."""
        if self._wrong is not None:
            return
        try:
            for block in self._splitter.feed(chunk):
                rows = self._rows_by_head()
                if rows is None:
                    self._held.append(block)
                else:
                    rows.add(block)
        except MalformedResponse as error:
            self._wrong = error
        except RecursionError as error:
            self._wrong = _too_deep(error)

    def finish(self) -> Answer:
        """The answer. Raises ``MalformedResponse`` where the bytes aren't a whole one."""
        if self._wrong is not None:
            raise self._wrong
        rest = self._splitter.rest()
        try:
            if self._splitter.head is None:
                return _whole(rest, self._dialect)
            return self._finished(self._splitter.head, rest)
        except RecursionError as error:
            raise _too_deep(error) from error

    def _rows_by_head(self) -> ParallelRows | None:
        """What reads the rows, where the schema came before them."""
        envelope = self._splitter.envelope
        if self._rows is None and envelope is not None and "schema" in envelope.members:
            self._rows = self._rows_of(envelope)
        return self._rows

    def _rows_of(self, envelope: Envelope) -> ParallelRows:
        columns = envelope.columns(has_rows=True)
        return ParallelRows(columns, self._dialect, self._splitter.separator)

    def _finished(self, head: bytes, rest: bytes) -> Answer:
        end = end_of_rows(rest, self._splitter.separator)
        rows = self._rows_by_head()
        if rows is None:
            return self._finished_late(head, rest, end)
        if end is not None:
            self._add_last(rows, Block.of(rest[:end]))
        rows.settle()
        return _joined(head, rows, rest[end or 0 :], is_at_bracket=end is not None)

    def _finished_late(self, head: bytes, rest: bytes, end: int | None) -> Answer:
        """The answer where the schema comes after the rows."""
        if end is not None:
            try:
                rows = self._rows = self._rows_of(_envelope(head + rest[end:]))
                for block in self._held:
                    rows.add(block)
                self._add_last(rows, Block.of(rest[:end]))
                rows.settle()
                if rows.assembly.is_at_edge:
                    return _joined(head, rows, rest[end:], is_at_bracket=True)
            except MalformedResponse:
                # What seemed the rows' end may be none, and what is wrong is for the exact way.
                pass
        separator = self._splitter.separator
        gap = separator.gap if separator else b""
        texts = [*(block.rows for block in self._held), rest]
        return _whole(head + gap.join(texts), self._dialect)

    def _add_last(self, rows: ParallelRows, block: Block) -> None:
        if block.end - block.start < self._small_bytes and not rows.has_begun:
            rows.add_exactly(block)
        else:
            rows.add(block)


def _joined(head: bytes, rows: ParallelRows, rest: bytes, *, is_at_bracket: bool) -> Answer:
    tail = rows.assembly.end(rest, is_at_bracket=is_at_bracket)
    return _answer(rows.assembly.rows(), _envelope(head + tail))


def _whole(body: bytes, dialect: Dialect) -> Answer:
    """The answer of a body that is not of the usual form, the exact way."""
    envelope = _envelope(body)
    listed: list[Row] = envelope.results
    if not set(map(type, listed)) <= {dict}:
        raise MalformedResponse("a result is not an object, or has a key twice")
    columns = envelope.columns(has_rows=bool(listed))
    return _answer(to_rows(listed, columns, dialect), envelope)


def _answer(rows: Rows, envelope: Envelope) -> Answer:
    return Answer(
        table=rows.table,
        execution_seconds=envelope.execution_seconds,
        kept_aside=rows.kept_aside,
        stated_rows=envelope.stated_rows,
    )


def _envelope(text: bytes) -> Envelope:
    try:
        return Envelope.read(text.decode())
    except UnicodeDecodeError as error:
        raise MalformedResponse(f"the answer is not UTF-8 at byte {error.start}") from error


def _too_deep(error: RecursionError) -> MalformedResponse:
    wrong = MalformedResponse("the answer is nested too deeply")
    wrong.__cause__ = error
    return wrong

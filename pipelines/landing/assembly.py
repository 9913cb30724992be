"""The rows of an answer put together again, block after block in order.

What belongs here: the order, and the exact way for blocks that are no rows by themselves. What does
not: cutting (``splitting``), and who reads a block (``decode``).
"""

from collections.abc import Mapping

import pyarrow as pa

from pipelines.errors import MalformedResponse
from pipelines.landing.canonical import read_json_at
from pipelines.landing.dialects import Dialect
from pipelines.landing.exact import Row, Rows, read_rows, to_rows
from pipelines.landing.schema import arrow_schema
from pipelines.landing.splitting import Block, Separator

_SPACE = b" \t\r\n"


class Assembly:
    """Takes the blocks of an answer in their order.

    A block may have been cut within a row, or beyond the last one. What is left over of a block
    waits for the next ones. Raises ``MalformedResponse``, as soon as it is plain that no more bytes
    make the rows right.
    """

    def __init__(self, columns: Mapping[str, str], dialect: Dialect, gap: bytes) -> None:
        self._columns = columns
        self._dialect = dialect
        self._gap = gap
        self._parts: list[Rows] = []
        self._left_over = b""
        self._wanted_bytes = 0
        self._tail: bytes | None = None

    @property
    def is_at_edge(self) -> bool:
        """Whether what was taken ends with a whole row, and more may follow."""
        return not self._left_over and self._tail is None

    def add(self, block: Block, rows: Rows | None) -> list[Row]:
        """Take a block, and its rows if they were read; returns those that had to be read here."""
        if self._tail is not None:
            self._tail += self._gap + block.rows
            return []
        if not self._left_over and rows is not None:
            self._parts.append(rows)
            return []
        text = self._left_over + self._gap + block.rows if self._left_over else block.rows
        if len(text) < self._wanted_bytes:
            self._left_over = text
            return []
        return self._read(text)

    def end(self, rest: bytes, *, is_at_bracket: bool) -> bytes:
        """Take the last bytes; returns what stands after the rows, from the bracket on.

        ``is_at_bracket``: the rows before were all, and ``rest`` begins with the bracket.
        """
        gap = b"" if is_at_bracket else self._gap
        if self._tail is not None:
            return self._tail + gap + rest
        if not self._left_over and is_at_bracket:
            return rest
        self._read(self._left_over + gap + rest if self._left_over else rest)
        tail: bytes | None = self._tail
        if tail is None:
            raise MalformedResponse("the answer is not JSON: its list of results does not end")
        return tail

    def rows(self) -> Rows:
        """All rows that were taken."""
        tables = [part.table for part in self._parts]
        table = pa.concat_tables(tables) if tables else arrow_schema(self._columns).empty_table()
        return Rows(table, sum(part.kept_aside for part in self._parts))

    def _read(self, text: bytes) -> list[Row]:
        try:
            read = read_rows(text.decode())
        except UnicodeDecodeError as error:
            raise MalformedResponse("the answer is not UTF-8") from error
        if read.rows:
            self._parts.append(to_rows(read.rows, self._columns, self._dialect))
        rest = read.rest.encode()
        if read.ended:
            self._tail, rest = rest, b""
        self._left_over = rest
        # What no next block mends must not be read again with each of them.
        self._wanted_bytes = 2 * len(self._left_over)
        return read.rows


def end_of_rows(rest: bytes, separator: Separator | None) -> int | None:
    """The place of the bracket that seems to end the list of rows, after what seems the last."""
    at = -1 if separator is None else rest.rfind(separator.whole)
    start = 0 if separator is None or at < 0 else at + 1 + len(separator.gap)
    try:
        text = rest[start:].decode()
        _, end = read_json_at(text, 0)
    except (ValueError, RecursionError):
        return None
    place = start + len(text[:end].encode())
    while rest[place : place + 1] and rest[place] in _SPACE:
        place += 1
    return place if rest[place : place + 1] == b"]" else None

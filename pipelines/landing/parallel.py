"""Blocks of one answer, read by several threads and put together in order.

What belongs here: which way each block takes, and how many wait. What does not: the fast way
(``blocks``), the exact one and the order (``assembly``).
"""

import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pipelines.errors import MalformedResponse
from pipelines.landing.assembly import Assembly
from pipelines.landing.blocks import Reader
from pipelines.landing.dialects import Dialect
from pipelines.landing.exact import Row, Rows, read_rows
from pipelines.landing.raw import Unusual
from pipelines.landing.splitting import Block, Separator

_MOST_THREADS: Final = 4
# So much of the first block is read to see of what kinds its values are.
_BYTES_THAT_TELL: Final = 64 * 2**10


class ParallelRows:
    """Takes the blocks of an answer in order; ``assembly`` has what was read of them.

    ``columns`` is by the service's names, to the service's types.
    """

    def __init__(
        self, columns: Mapping[str, str], dialect: Dialect, separator: Separator | None
    ) -> None:
        self.assembly = Assembly(columns, dialect, separator.gap if separator else b"")
        # A single row is not worth what the fast way takes to prepare.
        self._usual = _usual_reader(columns, dialect) if separator else None
        self._reader: Reader | None = None
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        # So many that no thread waits for the next, and no more: each is a block in memory.
        self._most_waiting = threads + 1
        self._waiting: deque[tuple[Block, Future[Rows | None]]] = deque()

    @property
    def has_begun(self) -> bool:
        """Whether a block was read the fast way, for which some things are prepared."""
        return self._reader is not None

    def add(self, block: Block) -> None:
        """Have the next block read; waits where too many are. Raises ``MalformedResponse``."""
        if self._usual is None:
            self.add_exactly(block)
            return
        if self._reader is None:
            self._reader = self._usual.fitting(_first_rows(block))
        self._waiting.append((block, self._pool.submit(_read, self._reader, block)))
        while self._waiting and (
            len(self._waiting) > self._most_waiting or self._waiting[0][1].done()
        ):
            self._settle_next(self._reader)

    def add_exactly(self, block: Block) -> None:
        """Read the next block the exact way. Raises ``MalformedResponse``."""
        self.settle()
        self.assembly.add(block, None)

    def settle(self) -> None:
        """Wait until all that was added is read. Raises ``MalformedResponse``."""
        while self._waiting and self._reader is not None:
            self._settle_next(self._reader)

    def close(self) -> None:
        """Let the threads end; what waits is not read."""
        self._pool.shutdown(cancel_futures=True)

    def _settle_next(self, reader: Reader) -> None:
        block, read = self._waiting.popleft()
        self._reader = reader.fitting(self.assembly.add(block, read.result()))


def _usual_reader(columns: Mapping[str, str], dialect: Dialect) -> Reader | None:
    """``None`` where the columns' names take the exact way."""
    try:
        return Reader.usual(columns, dialect)
    except Unusual:
        return None


def _read(reader: Reader, block: Block) -> Rows | None:
    try:
        return reader.read(block)
    except Unusual:
        return None


def _first_rows(block: Block) -> list[Row]:
    end = min(block.end, block.start + _BYTES_THAT_TELL)
    try:
        return read_rows(block.buffer[block.start : end].decode(errors="replace")).rows
    except (MalformedResponse, RecursionError):
        return []

"""Cutting the text of an answer between its rows, while it comes in.

What belongs here: finding where the rows begin and what stands between two of them, without reading
them. What does not: whether a block is what it seems (``blocks``).

Rows are cut at ``},{"<first key>":``, which can't stand within a JSON string: its quotes would be
escaped. It can stand within a dynamic value, so that a cut may be wrong; then neither side of it is
rows, and ``decode`` puts them together again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from pipelines.errors import MalformedResponse
from pipelines.landing.envelope import Envelope

_RESULTS: Final = re.compile(rb'"results"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*(?=\{)', re.IGNORECASE)
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:')
_SPACE: Final = rb"[ \t\r\n]*"
# On either side of a block's rows, for what makes JSON of them. After them stands at least the
# separator, or this too.
_ROOM: Final = 16


@dataclass(frozen=True, slots=True)
class Separator:
    """What stands between rows: ``whole`` from brace to colon, ``gap`` its comma and space."""

    whole: bytes
    gap: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: what stands in ``buffer`` from ``start`` to ``end``, with room on either side."""

    buffer: bytearray = field(repr=False)
    start: int
    end: int

    @classmethod
    def of(cls, rows: bytes) -> Self:
        """A block of nothing but rows."""
        return cls(bytearray(_ROOM) + rows + bytes(_ROOM), _ROOM, _ROOM + len(rows))

    @property
    def rows(self) -> bytes:
        """A copy of the rows alone."""
        return bytes(memoryview(self.buffer)[self.start : self.end])

    def between(self, before: bytes, after: bytes) -> memoryview:
        """The rows with a few bytes on either side, which are written there: nothing is copied."""
        view = memoryview(self.buffer)
        start, end = self.start - len(before), self.end + len(after)
        view[start : self.start] = before
        view[self.end : end] = after
        return view[start:end]


class Splitter:
    """Takes the bytes of an answer, and gives blocks of rows.

    ``head`` is what stands before the first row, once that was found; ``envelope`` the answer as
    far as the head tells it. ``separator`` stands between rows, where there are several.
    """

    def __init__(self, block_bytes: int) -> None:
        self._block_bytes = block_bytes
        # What pends stands in the buffer up to ``_end``, and is cut when that is ``_full``.
        self._buffer = bytearray()
        self._end = self._full = 0
        self._pend(b"", block_bytes)
        self.head: bytes | None = None
        self.envelope: Envelope | None = None
        self.separator: Separator | None = None

    def feed(self, chunk: bytes) -> Iterator[Block]:
        """Take bytes; yields the blocks that are complete."""
        view = memoryview(chunk)
        while view:
            end = min(self._end + len(view), self._full)
            taken = end - self._end
            # At once, while the chunk is in the processor's cache.
            memoryview(self._buffer)[self._end : end] = view[:taken]
            view, self._end = view[taken:], end
            while self._end == self._full:
                block = self._next_block()
                if block is not None:
                    yield block

    def rest(self) -> bytes:
        """What is left at the end: the last rows, and what stands after them."""
        start = self._find_head()
        if self.head is not None:
            self._find_separator(start)
        return bytes(memoryview(self._buffer)[start : self._end])

    def _pend(self, text: bytes | memoryview, wanted_bytes: int) -> None:
        """Begin a buffer with what is left over, to be cut when it has so many bytes."""
        self._buffer = bytearray(_ROOM + wanted_bytes)
        self._end = _ROOM + len(text)
        self._full = _ROOM + wanted_bytes
        memoryview(self._buffer)[_ROOM : self._end] = text

    def _next_block(self) -> Block | None:
        """The next rows, of what pends; ``None`` where more must come for that, or may have to."""
        start, buffer = self._find_head(), self._buffer
        separator = None if self.head is None else self._find_separator(start)
        at = -1 if separator is None else buffer.rfind(separator.whole, start)
        if separator is not None and at >= 0:
            rest = memoryview(buffer)[at + 1 + len(separator.gap) :]
            self._pend(rest, max(self._block_bytes, len(rest) + 1))
            return Block(buffer, start, at + 1)
        # Not to search all of it again with each chunk.
        rest = memoryview(buffer)[start:]
        self._pend(rest, max(self._block_bytes, 2 * len(rest)))
        return None

    def _find_head(self) -> int:
        """Where what stands after the head begins, or all where that isn't found."""
        if self.head is not None:
            return _ROOM
        for match in _RESULTS.finditer(self._buffer, _ROOM, self._end):
            head = bytes(memoryview(self._buffer)[_ROOM : match.end()])
            envelope = _envelope(head)
            if envelope is not None:
                self.head, self.envelope = head, envelope
                return match.end()
        return _ROOM

    def _find_separator(self, start: int) -> Separator | None:
        text = memoryview(self._buffer)[start : self._end]
        if self.separator is None and (key := _FIRST_KEY.match(text)):
            parts = (_SPACE, _SPACE, _SPACE, re.escape(key.group(1)), _SPACE)
            found = re.search(rb"\}(%b,%b)\{%b%b%b:" % parts, text)
            if found is not None:
                self.separator = Separator(found.group(), found.group(1))
        return self.separator


def _envelope(head: bytes) -> Envelope | None:
    """The answer that this would be the head of; ``None`` where the rows are not its own.

    Closed at once it is a whole one exactly where the list that was begun is the outermost
    object's, and not one within it.
    """
    try:
        return Envelope.read(f"{head.decode()}]}}")
    except (UnicodeDecodeError, MalformedResponse, RecursionError):
        return None

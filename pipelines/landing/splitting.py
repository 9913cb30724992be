"""Cutting the text of an answer between its rows, while it comes in.

What belongs here: finding where the rows begin and what stands between two of them, without reading
them. What does not: whether a block is what it seems (``blocks``).

Rows are cut at ``},{"<first key>":``, which can't stand within a JSON string: its quotes would be
escaped. It can stand within a dynamic value, so that a cut may be wrong; then neither side of it is
rows, and ``decode`` puts them together again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from pipelines.errors import MalformedResponse
from pipelines.landing.envelope import Envelope

_RESULTS: Final = re.compile(rb'"results"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*(?=\{)', re.IGNORECASE)
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:')
_SPACE: Final = rb"[ \t\r\n]*"


@dataclass(frozen=True, slots=True)
class Separator:
    """What stands between rows: ``whole`` from brace to colon, ``gap`` its comma and space."""

    whole: bytes
    gap: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: those of ``text`` up to ``end``. What stands after them is left there uncopied."""

    text: bytes
    end: int

    @classmethod
    def of(cls, rows: bytes) -> Self:
        """A block of nothing but rows."""
        return cls(rows, len(rows))

    @property
    def rows(self) -> bytes:
        """The text of the rows alone."""
        return self.text[: self.end]


class Splitter:
    """Takes the bytes of an answer, and gives blocks of rows.

    ``head`` is what stands before the first row, once that was found; ``envelope`` the answer as
    far as the head tells it. ``separator`` stands between rows, where there are several.
    """

    def __init__(self, block_bytes: int) -> None:
        self._block_bytes = block_bytes
        self._pending: list[bytes | memoryview] = []
        self._pending_bytes = 0
        self._wanted_bytes = block_bytes
        self.head: bytes | None = None
        self.envelope: Envelope | None = None
        self.separator: Separator | None = None

    def feed(self, chunk: bytes) -> Iterator[Block]:
        """Take bytes; yields the blocks that are complete."""
        view = memoryview(chunk)
        while view:
            piece = view[: self._wanted_bytes - self._pending_bytes]
            view = view[len(piece) :]
            self._pending.append(piece)
            self._pending_bytes += len(piece)
            while self._pending_bytes >= self._wanted_bytes:
                block = self._next_block()
                if block is not None:
                    yield block

    def rest(self) -> bytes:
        """What is left at the end: the last rows, and what stands after them."""
        text = self._find_head(b"".join(self._pending))
        if self.head is not None:
            self._find_separator(text)
        return text

    def _next_block(self) -> Block | None:
        """The next rows, of what pends; ``None`` where more must come for that, or may have to."""
        text = self._find_head(b"".join(self._pending))
        separator = None if self.head is None else self._find_separator(text)
        at = -1 if separator is None else text.rfind(separator.whole)
        rest = text if separator is None or at < 0 else text[at + 1 + len(separator.gap) :]
        self._pending, self._pending_bytes = [rest], len(rest)
        # Where nothing was found, not to search all of it again with each chunk.
        self._wanted_bytes = max(self._block_bytes, 2 * len(rest) if at < 0 else len(rest) + 1)
        return None if at < 0 else Block(text, at + 1)

    def _find_head(self, text: bytes) -> bytes:
        """What stands after the head, or the text where that isn't found."""
        if self.head is not None:
            return text
        for match in _RESULTS.finditer(text):
            head = text[: match.end()]
            envelope = _envelope(head)
            if envelope is not None:
                self.head, self.envelope = head, envelope
                return text[match.end() :]
        return text

    def _find_separator(self, text: bytes) -> Separator | None:
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

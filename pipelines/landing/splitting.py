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
from typing import Final

from pipelines.errors import MalformedResponse
from pipelines.landing.envelope import Envelope

_RESULTS: Final = re.compile(rb'"results"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*(?=\{)', re.IGNORECASE)
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:')
_SPACE: Final = rb"[ \t\r\n]*"
# Enough of an answer to hold its schema; should it not, as much again is waited for.
_HEAD_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Separator:
    """What stands between rows: ``whole`` from brace to colon, ``gap`` its comma and space."""

    whole: bytes
    gap: bytes

    @property
    def gap_bytes(self) -> int:
        """The length of the gap."""
        return len(self.gap)

    @property
    def without_comma(self) -> bytes:
        """The separator without its gap."""
        return b"}" + self.whole[1 + len(self.gap) :]


class Splitter:
    """Takes the bytes of an answer, and gives blocks of rows.

    ``head`` is what stands before the first row, once that was found; ``envelope`` the answer as
    far as the head tells it. ``separator`` stands between rows, where there are several.
    """

    def __init__(self, block_bytes: int) -> None:
        self._block_bytes = block_bytes
        self._pending = bytearray()
        self._wanted = _HEAD_BYTES
        self.head: bytes | None = None
        self.envelope: Envelope | None = None
        self.separator: Separator | None = None

    def feed(self, chunk: bytes | memoryview) -> Iterator[bytes]:
        """Take bytes; yields the blocks that are complete."""
        self._pending += chunk
        while len(self._pending) >= self._wanted:
            block = self._next_block()
            if block is None:
                return
            yield block

    def rest(self) -> bytes:
        """What is left at the end: the last rows, and what stands after them."""
        if self.head is None:
            self._find_head()
        if self.head is not None and self.separator is None:
            self._find_separator()
        return bytes(self._pending)

    def _next_block(self) -> bytes | None:
        if self.head is None and not self._find_head():
            self._wanted = 2 * len(self._pending)
            return None
        self._wanted = self._block_bytes
        if len(self._pending) < self._wanted:
            return None
        separator = self.separator or self._find_separator()
        block = None if separator is None else self._cut(separator)
        if block is None:
            self._wanted = 2 * len(self._pending)
        return block

    def _find_head(self) -> bool:
        # A copy, since nothing can be taken off a bytearray while it is searched.
        for match in _RESULTS.finditer(bytes(self._pending)):
            head = match.string[: match.end()]
            envelope = _envelope(head)
            if envelope is not None:
                self.head, self.envelope = head, envelope
                del self._pending[: len(head)]
                return True
        return False

    def _find_separator(self) -> Separator | None:
        text = bytes(self._pending)
        key = _FIRST_KEY.match(text)
        if key is None:
            return None
        parts = (_SPACE, _SPACE, _SPACE, re.escape(key.group(1)), _SPACE)
        found = re.search(rb"\}(%b,%b)\{%b%b%b:" % parts, text)
        if found is not None:
            self.separator = Separator(found.group(), found.group(1))
        return self.separator

    def _cut(self, separator: Separator) -> bytes | None:
        """The rows up to a separator: the last one within a block's bytes, else the first."""
        at = self._pending.rfind(separator.whole, 0, self._block_bytes)
        if at < 0:
            at = self._pending.find(separator.whole)
        if at < 0:
            return None
        with memoryview(self._pending) as view:
            block = bytes(view[: at + 1])
        del self._pending[: at + 1 + separator.gap_bytes]
        return block


def _envelope(head: bytes) -> Envelope | None:
    """The answer that this would be the head of; ``None`` where the rows are not its own.

    Closed at once it is a whole one exactly where the list that was begun is the outermost
    object's, and not one within it.
    """
    try:
        return Envelope.read(f"{head.decode()}]}}")
    except (UnicodeDecodeError, MalformedResponse, RecursionError):
        return None

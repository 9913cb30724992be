"""How the rows of an answer lie on its line, as far as counting has told.

What belongs here: adding up and finding places. What does not: asking for counts (``counting``), or
choosing slices by them (``planner``). Counts age: events arrive while slices are pulled, so nothing
that must be complete rests on them.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Self

from pipelines.spans import BUCKETS, Grid, Position
from pipelines.windows import Window

# Rows spread over buckets by chance: so many standard deviations more than expected are allowed
# for. A slice that overflows all the same costs one call.
_DEVIATIONS: Final = 3.0
# Of a few rows chance would leave none to plan for: a share of them, then.
_LEAST_SHARE: Final = 0.5
# A piece that is so many times as dense as those beside it may owe that to a single cell.
_OUTSTANDING: Final = 4.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole cells and the rows in them, taken to be spread evenly.

    ``groups`` are the rows by hash, of so many equal groups of buckets; only for a single cell, and
    empty where nobody counted them.
    """

    window: Window
    rows: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Density:
    """Disjoint pieces in time order within ``window``; what lies between them has no rows.

    ``grid`` is where the answer may be cut in time; without one the window is a single cell.
    """

    window: Window
    pieces: tuple[Piece, ...]
    grid: Grid | None

    @classmethod
    def from_bins(
        cls, window: Window, bins: Mapping[int, int], width: int, grid: Grid | None
    ) -> Self:
        """From the rows of bins by their starts; the window may cut the first and last of them."""
        pieces = (
            Piece(Window(max(start, window.start), min(start + width, window.end)), rows)
            for start, rows in sorted(bins.items())
            if rows and start + width > window.start and start < window.end
        )
        return cls(window, tuple(pieces), grid)

    @classmethod
    def flat(cls, window: Window, rows: int, grid: Grid | None) -> Self:
        """Nothing is known but how many rows there are, or may be."""
        return cls(window, (Piece(window, rows),) if rows else (), grid)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(piece.rows for piece in self.pieces)

    def is_cell(self, window: Window) -> bool:
        """Whether time can't divide the window."""
        return self.grid is None or self.grid.cell_end(window.start) >= window.end

    def has_groups(self, cell: Window) -> bool:
        """Whether the rows of a cell were counted by their hash."""
        return any(piece.window == cell and piece.groups for piece in self.pieces)

    def rows_between(self, start: Position, end: Position) -> float:
        """The rows expected from ``start`` up to ``end``."""
        return sum(
            self._rows_before(piece, end) - self._rows_before(piece, start)
            for piece in takewhile(
                lambda piece: piece.window.start <= end.instant, self._from(start)
            )
        )

    def is_exact_at(self, edge: Position) -> bool:
        """Whether no piece goes on over the edge: what lies before it was counted apart."""
        return all(
            piece.window.end <= edge.instant or edge.instant <= piece.window.start
            for piece in self.pieces
        )

    def crossing(
        self, start: Position, rows: float, *, by_chance: bool = False
    ) -> tuple[Piece, float] | None:
        """The piece in which ``rows`` rows from ``start`` on are reached, and how many before it.

        ``by_chance``: or may be, since how many are left of a cell that was not counted by hash is
        left to chance. ``None`` where there are fewer than that in all.
        """
        before = 0.0
        for piece in self._from(start):
            inside = piece.rows - self._rows_before(piece, start)
            unsure = 0 < inside < piece.rows and not piece.groups and self.is_cell(piece.window)
            if before + (_at_most(inside, piece.rows) if by_chance and unsure else inside) >= rows:
                return piece, before
            before += inside
        return None

    def stands_out(self, piece: Piece) -> bool:
        """Whether a piece is so much denser than those beside it that one cell may be why."""
        number = bisect_left(self.pieces, piece.window.start, key=lambda each: each.window.start)
        beside = [
            each.rows / each.window.ticks
            if each.window.end == piece.window.start or each.window.start == piece.window.end
            else 0.0
            for each in (*self.pieces[max(0, number - 1) : number], *self.pieces[number + 1 :][:1])
        ]
        usual = sum(beside) / len(beside) if beside else 0.0
        return piece.rows / piece.window.ticks >= _OUTSTANDING * usual

    def bucket_before(self, piece: Piece, first: int, rows: float) -> int:
        """The bucket up to which a cell has fewer than ``rows`` rows, from bucket ``first`` on.

        Where a group of buckets alone has more, or nobody counted any, its rows are spread by
        chance, which is allowed for. What can't be had is one bucket; ``first`` itself is returned
        only where it is the last.
        """
        groups = piece.groups or (piece.rows,)
        each = BUCKETS // len(groups)
        left, reached = rows, first
        for number, count in enumerate(groups):
            end = (number + 1) * each
            if end <= first:
                continue
            inside = count * (end - reached) / each
            if (inside if piece.groups else _at_most(inside, count)) >= left:
                if left == rows:
                    reached = min(end, reached + int(_sure(left, count) / count * each))
                break
            left -= inside
            reached = end
        return min(max(reached, first + 1), BUCKETS - 1)

    def after(self, start: Position, end: Position, rows: int) -> Self:
        """What is left once ``rows`` rows were found from ``start`` up to ``end``.

        Where the end lies within a piece, that piece has what the count said of it less what was
        found: that is more exact than its share of time.
        """
        left = [piece for piece in self._from(end) if piece.window.end > end.instant]
        first = left[0] if left else None
        if first and first.window.start < end.instant < first.window.end:
            due = self.rows_between(start, Position(first.window.end)) - rows
            window = Window(end.instant, first.window.end)
            # Of the cell that the end lies in some buckets are gone, which the piece still spans.
            due *= window.ticks / (window.ticks - self._ticks_gone(end, window.end))
            left[0] = Piece(window, min(first.rows, max(0, round(due))))
        return self._with(left)

    def refined(self, part: "Density") -> Self:
        """The same with what a finer count says of one part of it."""
        outside = [rest for piece in self.pieces for rest in _without(piece, part.window)]
        return self._with(sorted((*outside, *part.pieces), key=lambda piece: piece.window))

    def to_dict(self) -> dict[str, Any]:
        """As JSON's values; the grid is the hunt's and isn't kept."""
        return {
            "window": [self.window.start, self.window.end],
            "pieces": [
                [piece.window.start, piece.window.end, piece.rows, list(piece.groups)]
                for piece in self.pieces
            ],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], grid: Grid | None) -> Self:
        """What ``to_dict`` gave. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        pieces = (
            Piece(Window(start, end), rows, tuple(groups))
            for start, end, rows, groups in values["pieces"]
        )
        return cls(Window(*values["window"]), tuple(pieces), grid)

    def _with(self, pieces: Sequence[Piece]) -> Self:
        return type(self)(self.window, tuple(pieces), self.grid)

    def _from(self, start: Position) -> Iterator[Piece]:
        """The pieces that end after a position."""
        first = bisect_right(self.pieces, start.instant, key=lambda piece: piece.window.end)
        return iter(self.pieces[first:])

    def _ticks_gone(self, position: Position, end: int) -> float:
        """The buckets before a position in its cell, as so much of the cell's time."""
        if self.grid is None or not position.bucket:
            return 0.0
        cell_end = min(self.grid.cell_end(position.instant), end)
        return (cell_end - position.instant) * position.bucket / BUCKETS

    def _rows_before(self, piece: Piece, position: Position) -> float:
        if position.instant >= piece.window.end:
            return piece.rows
        if position.instant < piece.window.start:
            return 0
        if not self.is_cell(piece.window):
            ticks: float = position.instant - piece.window.start
            ticks += self._ticks_gone(position, piece.window.end)
            return piece.rows * ticks / piece.window.ticks
        if not piece.groups:
            return piece.rows * position.bucket / BUCKETS
        whole, rest = divmod(position.bucket * len(piece.groups), BUCKETS)
        return sum(piece.groups[:whole]) + piece.groups[whole] * rest / BUCKETS


def _at_most(rows: float, of: float) -> float:
    """How many there may be where ``rows`` of ``of`` rows are expected."""
    return rows + _DEVIATIONS * math.sqrt(rows * max(0.0, 1 - rows / of))


def _sure(rows: float, of: float) -> float:
    """How many of ``of`` rows to expect so that chance hardly makes ``rows`` of them."""
    spread = _DEVIATIONS * math.sqrt(rows * max(0.0, 1 - rows / of))
    return max(_LEAST_SHARE * rows, rows - spread)


def _without(piece: Piece, window: Window) -> Iterable[Piece]:
    """What is left of a piece outside a window, its rows in proportion."""
    if piece.window.end <= window.start or window.end <= piece.window.start:
        yield piece
        return
    for start, end in (
        (piece.window.start, window.start),
        (window.end, piece.window.end),
    ):
        if start < end:
            yield Piece(Window(start, end), piece.rows * (end - start) // piece.window.ticks)

"""Plans as values: which slices are to be pulled, and what they should bring.

What belongs here: slices and plans, to print, compare and store. What does not: choosing the slices
(``planner``) and pulling them (``export``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pipelines.spans import Position, Span


@dataclass(frozen=True, slots=True)
class Slice:
    """What one call is to bring: a span, and at most ``limit`` rows of it (``None``: all).

    ``rows`` are those expected in the span, where anything is known; a span that has more than the
    limit is begun by this call and goes on with the next. ``by_hash``: the rows of a cell come in
    the order of their hash, so that what comes may end within a cell.
    """

    span: Span
    limit: int | None = None
    rows: float | None = None
    by_hash: bool = False

    @property
    def expected(self) -> float | None:
        """The rows that the call should bring."""
        if self.rows is None or self.limit is None:
            return self.rows
        return min(self.rows, self.limit)


@dataclass(frozen=True, slots=True)
class Plan:
    """Slices in time order, and the seconds of running time that each should take."""

    slices: tuple[Slice, ...]
    seconds: tuple[float, ...]

    @property
    def calls(self) -> int:
        """The calls in all."""
        return len(self.slices)

    @property
    def rows(self) -> int | None:
        """The rows to expect; ``None`` where nothing is known of some slice."""
        expected = [each.expected for each in self.slices]
        known = [rows for rows in expected if rows is not None]
        return round(sum(known)) if len(known) == len(expected) else None

    @property
    def running_seconds(self) -> float:
        """The running time in all."""
        return sum(self.seconds)

    def __add__(self, other: "Plan") -> "Plan":
        return Plan(self.slices + other.slices, self.seconds + other.seconds)

    def to_dict(self) -> dict[str, Any]:
        """As JSON's values; ``from_dict`` gives an equal plan."""
        return {
            "slices": [
                {
                    "start": str(each.span.start),
                    "end": str(each.span.end),
                    "limit": each.limit,
                    "rows": each.rows,
                    "by_hash": each.by_hash,
                    "seconds": seconds,
                }
                for each, seconds in zip(self.slices, self.seconds, strict=True)
            ]
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The plan that ``to_dict`` gave. Raises ``KeyError`` or ``ValueError`` for another."""
        slices = tuple(
            Slice(
                Span(Position.parse(each["start"]), Position.parse(each["end"])),
                each["limit"],
                each["rows"],
                each["by_hash"],
            )
            for each in values["slices"]
        )
        return cls(slices, tuple(each["seconds"] for each in values["slices"]))


def remaining(whole: Span, staged: Iterable[Span]) -> list[Span]:
    """What ``staged``, disjoint spans within ``whole``, leaves uncovered of it, in order."""
    gaps: list[Span] = []
    reached: Position = whole.start
    for done in sorted(staged):
        if done.start < reached or not whole.covers(done):
            raise ValueError(f"{done} overlaps another slice or lies outside {whole}")
        if reached < done.start:
            gaps.append(Span(reached, done.start))
        reached = done.end
    if reached < whole.end:
        gaps.append(Span(reached, whole.end))
    return gaps


def without(done: Span, rests: Iterable[Span]) -> list[Span]:
    """What is left of ``rests`` once ``done``, at the beginning of their first, is pulled."""
    return [Span(max(rest.start, done.end), rest.end) for rest in rests if rest.end > done.end]

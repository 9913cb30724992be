"""Which slices are still to be pulled, as a value.

What belongs here: cutting windows. What does not: why a window must be cut, and pulling it
(``export``); whether a hunt may be cut at all (``kql``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from pipelines.windows import Window


@dataclass(frozen=True, slots=True)
class Plan:
    """Disjoint windows still to be pulled, in time order; together with what is staged, the whole.

    A plan never changes: ``without_first`` and ``halved`` give the next one.
    """

    slices: tuple[Window, ...]

    @classmethod
    def remaining(cls, whole: Window, staged: Iterable[Window]) -> Self:
        """What ``staged``, disjoint windows within ``whole``, leaves uncovered of it."""
        gaps: list[Window] = []
        reached = whole.start
        for done in sorted(staged):
            if done.start < reached or not whole.covers(done):
                raise ValueError(f"{done} overlaps another slice or lies outside {whole}")
            if reached < done.start:
                gaps.append(Window(reached, done.start))
            reached = done.end
        if reached < whole.end:
            gaps.append(Window(reached, whole.end))
        return cls(tuple(gaps))

    @property
    def first(self) -> Window | None:
        """The slice to pull next; ``None`` when nothing is left."""
        return self.slices[0] if self.slices else None

    def without_first(self) -> Self:
        """The plan once the first slice is staged."""
        return type(self)(self.slices[1:])

    def halved(self) -> Self:
        """The plan with its first slice cut in two; ``ValueError`` where it is a single tick."""
        first, *rest = self.slices
        middle = first.start + first.ticks // 2
        return type(self)((Window(first.start, middle), Window(middle, first.end), *rest))

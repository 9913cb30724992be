"""Partitions with unusually many or few rows, by what the same weekday had in the weeks before.

What belongs here: the rule. What does not: where the rows come from (``landed``).

Rows are compared by their logarithm, since volume grows and shrinks by factors: a hunt of a hundred
rows and one of a million are judged alike. The usual is the median of the earlier weeks, and what
may differ from it follows from the median of their own distances to it, so that one odd week moves
neither. Under ``_FEW`` rows, numbers are not told apart: of an alert a week, none is no news.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from pipelines.soundness.landed import Landed
from pipelines.windows import TICKS_PER_SECOND

FEWEST_EARLIER: Final = 3
"""Weeks that must have landed before one is judged: of fewer, one odd one would be the median."""
_WEEKS: Final = 6
_WEEK_TICKS: Final = 7 * 86_400 * TICKS_PER_SECOND

_FEW: Final = 10
# Three times as many or few is news even where all weeks before were alike.
_LEAST_FACTOR: Final = 3.0
# So many deviations; one of a normal distribution is 1.4826 medians of the distance.
_DEVIATIONS: Final = 4 * 1.4826


@dataclass(frozen=True, slots=True)
class Usual:
    """What a partition should have, by the earlier ones. ``never_empty``: none of them was."""

    median: float
    least: float
    most: float
    never_empty: bool

    def has(self, rows: int) -> bool:
        """Whether so many rows are nothing unusual."""
        if rows == 0 and self.never_empty and self.median >= _FEW:
            return False
        return self.least <= max(rows, _FEW) <= self.most


@dataclass(frozen=True, slots=True)
class Volume:
    """A partition beside the earlier ones, newest first; ``usual`` is None where there are few."""

    landed: Landed
    earlier: tuple[int, ...]
    usual: Usual | None

    @property
    def is_unusual(self) -> bool:
        """Whether it has more or fewer rows than it should."""
        return self.usual is not None and not self.usual.has(self.landed.rows)


def usual(earlier: Sequence[int]) -> Usual | None:
    """What follows from the rows of earlier weeks; ``None`` where they are too few."""
    if len(earlier) < FEWEST_EARLIER:
        return None
    logs = [math.log(max(rows, _FEW)) for rows in earlier]
    middle = median(logs)
    spread = median(abs(each - middle) for each in logs)
    factor = math.exp(max(math.log(_LEAST_FACTOR), _DEVIATIONS * spread)) * (1 + _TRACE)
    centre = math.exp(middle)
    return Usual(median(earlier), centre / factor, centre * factor, min(earlier) > 0)


# What a logarithm and back may lack.
_TRACE: Final = 1e-9


def volumes(landed: Iterable[Landed], *, since: int) -> Iterator[Volume]:
    """Each partition that begins at ``since`` or later, beside those of the weeks before.

    Only what an equal hunt brought is compared: a hunt that was changed begins anew. What is not
    proven whole says nothing.
    """
    sound = [each for each in landed if each.partition is not None and not each.problems]
    starts: Mapping[int, Landed] = {
        each.partition.window.start: each for each in sound if each.partition is not None
    }
    for start, each in sorted(starts.items()):
        if start >= since:
            weeks = (starts.get(start - week * _WEEK_TICKS) for week in range(1, _WEEKS + 1))
            earlier = tuple(
                week.rows for week in weeks if week and week.fingerprint == each.fingerprint
            )
            yield Volume(each, earlier, usual(earlier))

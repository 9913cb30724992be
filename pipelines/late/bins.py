"""Which windows to pull again for the bins that grew.

What belongs here: joining bins into few windows. What does not: the calls that bring them
(``slicer``), which several windows share.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pipelines.windows import Window

# The service reads a query of so many windows without trouble; nobody has said how many it takes.
MOST_WINDOWS: Final = 200
# A receipt names each window that was pulled again, and what stands between.
MOST_IN_PARTITION: Final = 100
# What a count is too low by, once the pull comes.
_FILLED: Final = 0.8


@dataclass(frozen=True, slots=True)
class Wanted:
    """A window to be pulled again, and the rows that were counted in it."""

    window: Window
    rows: int


def adjoining(bins: Sequence[Wanted]) -> list[Wanted]:
    """Bins in order, each run of adjacent ones as one window."""
    runs: list[Wanted] = []
    for each in bins:
        if runs and runs[-1].window.end == each.window.start:
            runs[-1] = _over(runs[-1], 0, each)
        else:
            runs.append(each)
    return runs


def joined(
    partitions: Sequence[Sequence[Wanted]], counted: Mapping[int, int], *, most_rows: int
) -> list[list[Wanted]]:
    """Each partition's windows, joined over the gaps with the fewest rows where they are too many.

    ``counted`` are the rows of bins by their starts. One call takes ``MOST_WINDOWS`` windows, and
    less than ``most_rows`` rows. Windows are joined only as far as that makes no call more for the
    rows than it spares for the windows, and where a partition alone has too many for its receipt.
    """
    found = [
        _filled([each], counted, len(each) - MOST_IN_PARTITION, math.inf)[0] for each in partitions
    ]
    rows = sum(each.rows for windows in found for each in windows)
    room = most_rows * _FILLED
    calls = max(1, math.ceil(rows / room))
    too_many = sum(map(len, found)) - calls * MOST_WINDOWS
    return _filled(found, counted, too_many, calls * room - rows)


def _filled(
    partitions: Sequence[Sequence[Wanted]], counted: Mapping[int, int], number: int, spare: float
) -> list[list[Wanted]]:
    """The windows with so many of the smallest gaps filled, of ``spare`` rows at most."""
    if number <= 0:
        return [list(windows) for windows in partitions]
    starts = sorted(counted)
    gaps = sorted(
        (_rows_between(starts, counted, one.window.end, other.window.start), other.window.start)
        for windows in partitions
        for one, other in pairwise(windows)
    )
    filled: dict[int, int] = {}
    for rows, before in gaps[:number]:
        spare -= rows
        if spare < 0:
            break
        filled[before] = rows
    found = []
    for windows in partitions:
        runs: list[Wanted] = []
        for each in windows:
            if each.window.start in filled:
                runs[-1] = _over(runs[-1], filled[each.window.start], each)
            else:
                runs.append(each)
        found.append(runs)
    return found


def _over(one: Wanted, gap_rows: int, other: Wanted) -> Wanted:
    window = Window(one.window.start, other.window.end)
    return Wanted(window, one.rows + gap_rows + other.rows)


def _rows_between(starts: Sequence[int], counted: Mapping[int, int], start: int, end: int) -> int:
    inside = starts[bisect_left(starts, start) : bisect_left(starts, end)]
    return sum(counted[each] for each in inside)

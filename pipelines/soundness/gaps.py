"""Partitions that are missing between those that landed, and whether they can still be had.

What belongs here: finding them by what has landed. What does not: loading them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pipelines.hunts import Hunt
from pipelines.slicing import Partition, partitions_between
from pipelines.windows import TICKS_PER_SECOND, Window, instant_from_date

_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
# A night's load begins within two hours once a day has settled, and may wait hours for its quota.
_LOADED_WITHIN: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Gap:
    """Adjacent partitions that are missing. ``until`` is when the first of them is gone.

    ``None``: they are gone, all of them.
    """

    first: Partition
    last: Partition
    partitions: int
    until: int | None


def gaps(hunt: Hunt, landed: Collection[Partition], *, now: int, data_age_days: int) -> list[Gap]:
    """The gaps from the first partition that landed to the last that is due, oldest first.

    The hunt's own start, where it has one, is where they begin at the earliest. Of a hunt without a
    schedule nothing is due after the last that landed. None where nothing has landed.
    """
    if not landed:
        return []
    begin = min(each.window.start for each in landed)
    if hunt.export.start is not None:
        begin = max(begin, instant_from_date(hunt.export.start))
    end = _due(hunt, now) if hunt.export.schedule else max(each.window.end for each in landed)
    if end <= begin:
        return []
    there = {each.key for each in landed}
    due = partitions_between(hunt.export.partitions, Window(begin, end))
    missing = [each for each in due if each.key not in there]
    horizon = now - data_age_days * _DAY_TICKS
    return list(_joined(missing, hunt, horizon, data_age_days))


def _due(hunt: Hunt, now: int) -> int:
    """The end of the last UTC day that should have landed by now; nights load whole days."""
    late = hunt.export.settle + _LOADED_WITHIN
    return (now - round(late.total_seconds()) * TICKS_PER_SECOND) // _DAY_TICKS * _DAY_TICKS


def _joined(
    missing: list[Partition], hunt: Hunt, horizon: int, data_age_days: int
) -> Iterator[Gap]:
    run: list[Partition] = []
    for each in missing:
        if run and (
            run[-1].window.end != each.window.start
            or _is_gone(run[-1], hunt, horizon) != _is_gone(each, hunt, horizon)
        ):
            yield _gap(run, hunt, horizon, data_age_days)
            run = []
        run.append(each)
    if run:
        yield _gap(run, hunt, horizon, data_age_days)


def _gap(run: list[Partition], hunt: Hunt, horizon: int, data_age_days: int) -> Gap:
    until = run[0].window.start + data_age_days * _DAY_TICKS
    return Gap(run[0], run[-1], len(run), None if _is_gone(run[0], hunt, horizon) else until)


def _is_gone(each: Partition, hunt: Hunt, horizon: int) -> bool:
    """Whether it can't be had any more; of a snapshot, the state of a day that has passed."""
    return hunt.export.partitions == "snapshot" or each.window.start < horizon

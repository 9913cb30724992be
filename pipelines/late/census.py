"""Counting the partitions of several hunts again, in as few calls as may be.

What belongs here: which partitions and hunts share a call, how fine its bins are, and asking for
it. What does not: comparing with what landed (``landed``, ``recount``).

A histogram is of some windows, those of the partitions and nothing between them, so that partitions
that are far apart share a call too. Its bins are as fine as one answer has room for: the finer they
are, the fewer rows are pulled again for one that came late.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.clock import now_ticks
from pipelines.counting import count_by_hunt, count_rows, count_windows
from pipelines.errors import HuntlakeError, PartitionRefused, SliceFailed
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.kql import count_cells_of_all, may_share, may_share_query
from pipelines.late.bins import MOST_WINDOWS
from pipelines.pull import Caller, TooMuch
from pipelines.slicing import Partition
from pipelines.windows import TICKS_PER_SECOND, Window

_MOST_BINS: Final = 45_000
# All divide a day, so that they begin where KQL's bin() lets them begin.
WIDTHS: Final = tuple(
    seconds * TICKS_PER_SECOND
    for seconds in (1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
)
_HOUR_TICKS: Final = 3_600 * TICKS_PER_SECOND
# Hunts share a call only while at most half of what it reads is of partitions that they don't need.
_WASTE: Final = 2
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Asked:
    """Partitions of one hunt that are to be counted, oldest first."""

    at: HuntInTenant
    partitions: tuple[Partition, ...]

    @property
    def windows(self) -> tuple[Window, ...]:
        """Theirs, adjacent ones as one."""
        return merged(each.window for each in self.partitions)


@dataclass(frozen=True, slots=True)
class Told:
    """What was counted of one hunt's partitions: rows by the start of bins of ``width`` ticks.

    ``width`` is None where nothing but the number of all rows could be had, under the start of the
    one partition. ``calls`` and ``running_seconds`` are those of the count, if it is on the account
    of this hunt; ``counted_ns`` is when it was asked for.
    """

    asked: Asked
    rows: Mapping[int, int]
    width: int | None
    counted_ns: int
    calls: int
    running_seconds: float


def merged(windows: Iterator[Window] | Sequence[Window]) -> tuple[Window, ...]:
    """Windows in order without overlaps, those that touch as one."""
    found: list[Window] = []
    for each in sorted(windows):
        if found and each.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return tuple(found)


def census(asked: Sequence[Asked], failures: list[HuntlakeError]) -> Iterator[Told]:
    """Count all; a hunt whose count fails is left out, and why is added to ``failures``.

    Raises what is of no hunt but of the tenant: that the sign-in fails, say.
    """
    for group in _groups(asked):
        yield from _counted(group, failures)


def _groups(asked: Sequence[Asked]) -> list[list[Asked]]:
    """What is counted in one call each."""
    groups: list[list[Asked]] = []
    for each in asked:
        for part in _fitting(each):
            group = next((group for group in groups if _may_join(group, part)), None)
            if group is None:
                groups.append([part])
            else:
                group.append(part)
    return groups


def _fitting(asked: Asked) -> Iterator[Asked]:
    """Partitions of one hunt in parts that a count of the widest bins has room for."""
    analysis = asked.at.analysis
    part: list[Partition] = []
    for each in asked.partitions:
        wider = Asked(asked.at, (*part, each))
        alone = analysis.counting is None or analysis.uses_now
        if part and (alone or not _fits([wider])):
            yield Asked(asked.at, tuple(part))
            part = []
        part.append(each)
    if part:
        yield Asked(asked.at, tuple(part))


def _may_join(group: Sequence[Asked], another: Asked) -> bool:
    """Whether one query may count the group and another hunt, and is not mostly for nothing."""
    parts = [(each.at.hunt.query, each.at.analysis) for each in (*group, another)]
    if any(each.at.hunt.name == another.at.hunt.name for each in group):
        return False
    if not all(map(may_share_query, parts)):
        return False
    if not all(may_share(each, parts[-1]) for each in parts[:-1]):
        return False
    together = [*group, another]
    needed = sum(_ticks(each.windows) for each in together)
    read = len(together) * _ticks(_windows_of(together))
    return read <= _WASTE * needed and _fits(together)


def _windows_of(group: Sequence[Asked]) -> tuple[Window, ...]:
    return merged(window for each in group for window in each.windows)


def _fits(group: Sequence[Asked]) -> bool:
    windows = _windows_of(group)
    return len(windows) <= MOST_WINDOWS and _bins(windows, _widest(group)) * len(group) <= _most(
        group
    )


def _most(group: Sequence[Asked]) -> int:
    return min(_MOST_BINS, group[0].at.tenant.limits.rows - 1)


def _widest(group: Sequence[Asked]) -> int:
    """The widest bin that lies in one partition, whatever their lengths."""
    hourly = any(each.partitions[0].partitioning == "hourly" for each in group)
    return _HOUR_TICKS if hourly else _DAY_TICKS


def finest_width(windows: Sequence[Window], *, most: int, widest: int) -> int | None:
    """The finest bins of which the windows have no more than ``most``."""
    fitting = (each for each in WIDTHS if each <= widest and _bins(windows, each) <= most)
    return next(fitting, None)


def _bins(windows: Sequence[Window], width: int) -> int:
    return sum(-(-each.ticks // width) for each in windows)


def _ticks(windows: Sequence[Window]) -> int:
    return sum(each.ticks for each in windows)


def _counted(group: Sequence[Asked], failures: list[HuntlakeError]) -> Iterator[Told]:
    """One call, or several where that one can't be answered."""
    try:
        told = _asked_at_once(group)
    except PartitionRefused as error:
        left = _still_there(group)
        if left == list(group):
            failures.append(error)
        elif left:
            yield from _counted(left, failures)
        return
    except SliceFailed as error:
        if len(group) == 1:
            failures.append(error)
        else:
            # Of one hunt alone, a table that the tenant has no licence for, say.
            for each in group:
                yield from _counted([each], failures)
        return
    if isinstance(told, TooMuch):
        for part in _halves(group):
            yield from _counted(part, failures)
        if len(group) == len(group[0].partitions) == 1:
            failures.append(_cannot_count(group[0], told))
        return
    yield from told


def _halves(group: Sequence[Asked]) -> list[list[Asked]]:
    """A group that is too much for one call as two; none where it is one partition."""
    if len(group) > 1:
        middle = len(group) // 2
        return [list(group[:middle]), list(group[middle:])]
    at, partitions = group[0].at, group[0].partitions
    middle = len(partitions) // 2
    halves = (partitions[:middle], partitions[middle:])
    return [[Asked(at, half)] for half in halves] if middle else []


def _cannot_count(asked: Asked, told: TooMuch) -> SliceFailed:
    error = SliceFailed(
        f"{asked.at.hunt.name}, partition {asked.partitions[0].key}: it can't be counted again in "
        f"one call: {told.reason}. What landed of it stays as it is; export it with --refresh to "
        f"have what came late"
    )
    error.__cause__ = told.cause
    return error


def _still_there(group: Sequence[Asked]) -> list[Asked]:
    """The group without the partitions that have passed the horizon meanwhile."""
    left = []
    for each in group:
        horizon = horizon_of(each.at)
        partitions = tuple(one for one in each.partitions if one.window.start >= horizon)
        if partitions:
            left.append(Asked(each.at, partitions))
    return left


def horizon_of(at: HuntInTenant) -> int:
    """The oldest instant that the service still has."""
    return now_ticks(at.clock) - at.tenant.limits.data_age_days * _DAY_TICKS


def _asked_at_once(group: Sequence[Asked]) -> list[Told] | TooMuch:
    windows = _windows_of(group)
    whole = Window(windows[0].start, windows[-1].end)
    most = _most(group) // len(group)
    width = finest_width(windows, most=most, widest=_widest(group))
    caller = _caller(group)
    counted_ns = caller.clock.now_ns()
    found: list[Mapping[int, int]]
    if len(group) > 1 and width is not None:
        parts = [(each.at.hunt.query, each.at.analysis) for each in group]
        query = count_cells_of_all(parts, windows=windows, width=width)
        by_hunt = count_by_hunt(caller, query, whole)
        if isinstance(by_hunt, TooMuch):
            return by_hunt
        found = [by_hunt.get(number, {}) for number in range(len(group))]
    elif caller.analysis.counting is None or width is None:
        width = None
        counted = count_rows(caller, whole, now=whole.end)
        if isinstance(counted, TooMuch):
            return counted
        found = [{whole.start: sum(counted.cells.values())}]
    else:
        counted = count_windows(caller, windows, width, now=whole.end)
        if isinstance(counted, TooMuch):
            return counted
        found = [counted.cells]
    spent = caller.take_spent()
    return [
        Told(each, rows, width, counted_ns, *((0, 0.0) if number else (spent.calls, spent.seconds)))
        for number, (each, rows) in enumerate(zip(group, found, strict=True))
    ]


def _caller(group: Sequence[Asked]) -> Caller:
    """What asks for all: it speaks of the oldest partition, and of all hunts."""
    oldest = min(group, key=lambda each: each.partitions[0].window.start)
    caller = oldest.at.caller(oldest.partitions[0])
    if len(group) > 1:
        name = f"{oldest.at.hunt.name} and {len(group) - 1} more"
        caller.hunt = replace(oldest.at.hunt, name=name)
    return caller


def recounted(
    at: HuntInTenant, partition: Partition, windows: Sequence[Window], width: int
) -> Told | TooMuch:
    """Some windows of one hunt counted again, by finer bins."""
    caller = at.caller(partition)
    counted_ns = caller.clock.now_ns()
    # Where the end of a partition matters, the windows are of that one.
    counted = count_windows(caller, windows, width, now=partition.window.end)
    if isinstance(counted, TooMuch):
        return counted
    spent = caller.take_spent()
    asked = Asked(at, (partition,))
    return Told(asked, counted.cells, width, counted_ns, spent.calls, spent.seconds)

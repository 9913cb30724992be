"""What the lake never got: partitions that are due, can still be had, and have no file.

What belongs here: when a partition is due, and looking for its file. What does not: asking for it
(``assets``), or whether a file that is there is whole (``verify``): a commit is atomic.
"""

from datetime import timedelta

from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.slicing import Partition, partition_at, partitions_between
from pipelines.windows import TICKS_PER_SECOND, Window


def due_between(hunt: Hunt, after: int, until: int) -> list[Partition]:
    """The partitions that become due after one instant and up to another, oldest first.

    A partition is due once it has settled: so long after its end, or of a snapshot its day's start.
    """
    window = _due_window(hunt, after, until)
    return partitions_between(hunt.export.partitions, window) if window else []


def never_loaded(
    hunt: Hunt, layout: LakeLayout, tenant: str, *, since: int, due_by: int
) -> list[Partition]:
    """The partitions that start at ``since`` or later, were due by an instant, and have no file.

    Oldest first: they expire first. A sensor asks this of every hunt of every tenant four times an
    hour, mostly for nothing: then a listing of the files is all that it takes.
    """
    due, kind = _due_window(hunt, since, due_by), hunt.export.partitions
    if due is None:
        return []
    at_since = partition_at(kind, since).window
    start = max(due.start, since if at_since.start == since else at_since.end)
    if start >= due.end:
        return []
    there = layout.partition_keys(hunt.name, tenant)
    first, last = (partition_at(kind, each) for each in (start, due.end - 1))
    # Keys sort as times do.
    found = sum(len(key) == len(first.key) and first.key <= key <= last.key for key in there)
    if found == (due.end - start) // first.window.ticks:
        return []
    missing = partitions_between(kind, Window(start, due.end))
    return [each for each in missing if each.key not in there]


def _due_window(hunt: Hunt, after: int, until: int) -> Window | None:
    """All that becomes due after one instant and up to another."""
    kind, settle = hunt.export.partitions, _ticks(hunt.export.settle)
    if kind == "snapshot":
        today = partition_at(kind, until).window
        return today if after < today.start + settle <= until else None
    # What ends after `first` and not after `last`.
    first, last = after - settle, until - settle
    begin, end = partition_at(kind, first).window, partition_at(kind, last).window
    begins = begin.start if begin.end > first else begin.end
    ends = end.end if end.end <= last else end.start
    return Window(begins, ends) if begins < ends else None


def runs_of(missing: list[Partition], *, joined: int) -> list[tuple[Partition, Partition]]:
    """First and last of each stretch to ask for at once.

    Up to ``joined`` partitions that are there may lie between two that aren't: they cost nothing,
    and a run for each gap would.
    """
    runs: list[tuple[Partition, Partition]] = []
    for each in missing:
        if runs:
            first, last = runs[-1]
            between = (each.window.start - last.window.end) // each.window.ticks
            if between <= joined:
                runs[-1] = (first, each)
                continue
        runs.append((each, each))
    return runs


def _ticks(period: timedelta) -> int:
    return round(period.total_seconds()) * TICKS_PER_SECOND

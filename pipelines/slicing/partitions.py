"""Partitions: the UTC days and hours that an export is asked for.

What belongs here: their keys and windows. What does not: how a partition is cut into slices
(``plan``), and where its file lies (``lake``). Keys are spelled as Dagster spells them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pipelines.hunts import Partitioning
from pipelines.windows import Window, datetime_from_instant, format_instant

DAILY_KEY_FORMAT: Final = "%Y-%m-%d"
HOURLY_KEY_FORMAT: Final = "%Y-%m-%d-%H:%M"

_FORMATS: Final = {
    "daily": DAILY_KEY_FORMAT,
    "hourly": HOURLY_KEY_FORMAT,
    "snapshot": DAILY_KEY_FORMAT,
}
_LENGTHS: Final = {
    "daily": timedelta(days=1),
    "hourly": timedelta(hours=1),
    "snapshot": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Partition:
    """One day or hour of a hunt; of a snapshot, the day on which it is taken."""

    key: str
    window: Window
    partitioning: Partitioning

    def __str__(self) -> str:
        return self.key


def partition(partitioning: Partitioning, key: str) -> Partition:
    """The partition with this key. Raises ``ValueError`` for a key of another form."""
    key_format = _FORMATS[partitioning]
    try:
        start = datetime.strptime(key, key_format).replace(tzinfo=UTC)
        if start.minute:
            raise ValueError(key)  # noqa: TRY301 - a key of another form, like those strptime meets
    except ValueError:
        example = datetime(2026, 11, 20, 5, tzinfo=UTC).strftime(key_format)
        raise ValueError(
            f"{key!r} is no key of a partition that is {partitioning}; write it like {example}"
        ) from None
    return _starting_at(partitioning, start)


def partitions_between(partitioning: Partitioning, window: Window) -> list[Partition]:
    """The partitions that make up the window, oldest first: what expires first is pulled first.

    Raises ``ValueError`` where the window cuts a partition in two: half of one can't be committed.
    """
    found = list(_overlapping(partitioning, window))
    if found[0].window.start != window.start or found[-1].window.end != window.end:
        unit = "hour" if partitioning == "hourly" else "day"
        raise ValueError(
            f"{window} does not begin and end with a whole UTC {unit}; the nearest that does is "
            f"{Window(found[0].window.start, found[-1].window.end)}"
        )
    return found


def partition_at(partitioning: Partitioning, instant: int) -> Partition:
    """The partition that holds the instant."""
    return next(_overlapping(partitioning, Window(instant, instant + 1)))


def _overlapping(partitioning: Partitioning, window: Window) -> Iterator[Partition]:
    moment = datetime_from_instant(window.start).replace(minute=0, second=0, microsecond=0)
    if partitioning != "hourly":
        moment = moment.replace(hour=0)
    while True:
        each = _starting_at(partitioning, moment)
        if each.window.start >= window.end:
            return
        yield each
        moment += _LENGTHS[partitioning]


def _starting_at(partitioning: Partitioning, start: datetime) -> Partition:
    window = Window.between(start, start + _LENGTHS[partitioning])
    return Partition(start.strftime(_FORMATS[partitioning]), window, partitioning)


def describe(each: Partition) -> str:
    """``2026-11-20-05:00 (2026-11-20T05:00:00Z to 2026-11-20T06:00:00Z)`` for messages."""
    return f"{each.key} ({format_instant(each.window.start)} to {format_instant(each.window.end)})"

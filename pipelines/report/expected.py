"""Which partitions of a hunt the lake should have by now.

What belongs here: from a hunt's settings to how many of a day are due. What does not: what landed
(``gathering``), or comparing the two (``calendar``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pipelines.hunts import Hunt, Partitioning

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is wanted of a hunt in a tenant.

    ``start`` is the first day that it is wanted for; ``None``: as far back as something landed, or
    as the service's data reaches. ``settle`` is how long after its end a partition is first loaded.
    """

    tenant: str
    hunt: str
    title: str
    partitions: Partitioning
    start: date | None = None
    settle: timedelta = timedelta(hours=2)

    def until(self, day: date, now: datetime) -> datetime:
        """The end of the last of the day's partitions that are due by then."""
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if self.partitions == "hourly":
            return begins + self.due(day, now) * _HOUR
        return begins + _DAY

    def due(self, day: date, now: datetime) -> int:
        """How many partitions of the day should have landed by then."""
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if self.partitions == "snapshot":
            # Only today's can be taken; whether an earlier one was, nobody can change.
            return int(begins + self.settle <= now)
        if self.partitions == "daily":
            return int(begins + _DAY + self.settle <= now)
        return max(0, min(24, int((now - self.settle - begins) / _HOUR)))


def expected_of(tenant: str, hunts: Iterable[Hunt]) -> list[Expected]:
    """What a tenant's hunt files ask for."""
    return [
        Expected(
            tenant,
            hunt.name,
            hunt.title,
            hunt.export.partitions,
            hunt.export.start,
            hunt.export.settle,
        )
        for hunt in hunts
    ]

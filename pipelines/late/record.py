"""What each recount found, as a journal beside the lake: one row a partition and recount.

What belongs here: the rows. What does not: their columns and what each means (``lake.tables``), and
what they say of a partition (``freshness``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.lake import RECOUNTS, Journal, LakeLayout
from pipelines.windows import (
    NANOSECONDS_PER_TICK,
    Window,
    datetime_from_instant,
    instant_from_datetime,
)

# No partition that is recounted is older than what the service has, which is 30 days for all.
_KEPT_NS: Final = 62 * 86_400 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Recount:
    """One partition, counted again. Instants are Unix time in nanoseconds.

    ``landed_rows`` are those before it, ``late_rows`` those that it brought. Of a hunt that can't
    be told bin by bin the partition is one bin, which grew where its rows are others than landed.
    ``calls`` and ``running_seconds`` are of its pulls, and of a count that several share on the
    account of the first. ``what`` says in words what happened.
    """

    tenant: str
    hunt: str
    partition: str
    window: Window
    counted_ns: int
    landed_rows: int
    counted_rows: int
    bins_grown: int = 0
    bins_shrunk: int = 0
    late_rows: int = 0
    settled: bool = False
    unchanged_since_ns: int = 0
    calls: int = 0
    running_seconds: float = 0.0
    what: str = ""

    def to_row(self) -> dict[str, Any]:
        """As a row of the journal."""
        named = {name: getattr(self, name) for name in RECOUNTS.schema.names if hasattr(self, name)}
        return {
            **named,
            "window_start": datetime_from_instant(self.window.start),
            "window_end": datetime_from_instant(self.window.end),
            "counted_at": datetime_from_instant(self.counted_ns // NANOSECONDS_PER_TICK),
            "unchanged_since": datetime_from_instant(
                self.unchanged_since_ns // NANOSECONDS_PER_TICK
            ),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """What ``to_row`` gave, to the microsecond."""
        values = dict(row)
        window = Window.between(values.pop("window_start"), values.pop("window_end"))
        counted, unchanged = (
            instant_from_datetime(values.pop(name)) * NANOSECONDS_PER_TICK
            for name in ("counted_at", "unchanged_since")
        )
        return cls(window=window, counted_ns=counted, unchanged_since_ns=unchanged, **values)


@dataclass(frozen=True, slots=True)
class Recounts:
    """The journal of recounts of one lake."""

    layout: LakeLayout

    @property
    def _journal(self) -> Journal:
        return Journal(self.layout, RECOUNTS.kind, RECOUNTS.schema)

    def keep(self, tenant: str, recounts: Sequence[Recount], *, now_ns: int) -> None:
        """Write down recounts. Raises ``LakeUnwritable``."""
        self._journal.append(tenant, [each.to_row() for each in recounts], at_ns=now_ns)

    def by_partition(
        self, tenant: str, *, now_ns: int
    ) -> Mapping[tuple[str, str], Sequence[Recount]]:
        """A tenant's recounts of two months, oldest first, by hunt and partition."""
        found: dict[tuple[str, str], list[Recount]] = {}
        table = self._journal.read(tenant, since_ns=now_ns - _KEPT_NS)
        for row in table.to_pylist():
            each = Recount.from_row(row)
            found.setdefault((each.hunt, each.partition), []).append(each)
        return found

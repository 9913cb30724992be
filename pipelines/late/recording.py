"""What is known of the freshness of a tenant's partitions while they are recounted.

What belongs here: joining receipts, recounts and settings to say what is due, and writing down what
was found. What does not: the rule (``freshness``), and the file (``record``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipelines.clock import now_ticks
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.kql import Verdict
from pipelines.landing import Receipt
from pipelines.late.census import horizon_of
from pipelines.late.freshness import Freshness, freshness, is_due
from pipelines.late.record import Recount, Recounts
from pipelines.progress import Recounted
from pipelines.slicing import Partition, partitions_between
from pipelines.spans import Grid
from pipelines.windows import TICKS_PER_SECOND, Window

_HOUR = Grid(3_600 * TICKS_PER_SECOND)
_DAY = Grid(86_400 * TICKS_PER_SECOND)
# Its count must have come before it falls off.
_MARGIN_TICKS = 600 * TICKS_PER_SECOND


def is_told_by_pulling(at: HuntInTenant) -> bool:
    """Whether late events change an answer's rows without changing their number."""
    return at.analysis.verdict is not Verdict.ROW_WISE


@dataclass(slots=True)
class Recorder:
    """The recounts of one tenant's hunts, those of before and those that are made now."""

    at: HuntInTenant
    _recounts: Recounts = field(init=False)
    _known: dict[tuple[str, str], list[Recount]] = field(init=False)

    def __post_init__(self) -> None:
        self._recounts = Recounts(self.at.layout)
        known = self._recounts.by_partition(self.at.tenant.name, now_ns=self.at.clock.now_ns())
        self._known = {key: list(recounts) for key, recounts in known.items()}

    def due(self, at: HuntInTenant) -> list[Partition]:
        """The hunt's committed partitions that are provisional and worth a count, oldest first."""
        now_ns, settling = at.clock.now_ns(), at.hunt.export.settling
        by_pulling = is_told_by_pulling(at)
        return [
            each
            for each in recountable(at)
            if (receipt := at.committed(each)) is not None
            and is_due(
                self.freshness(at, receipt),
                settling=settling,
                now_ns=now_ns,
                by_pulling=by_pulling,
            )
        ]

    def freshness(self, at: HuntInTenant, receipt: Receipt, *more: Recount) -> Freshness:
        """What is known of a partition, and what more recounts would say."""
        known = self._known.get((at.hunt.name, receipt.partition), [])
        return freshness(
            receipt,
            [*known, *more],
            settling=at.hunt.export.settling,
            now_ns=at.clock.now_ns(),
            data_age_days=at.tenant.limits.data_age_days,
        )

    def has(self, hunt: str, partition: str, counted_ns: int) -> bool:
        """Whether a recount was written down already."""
        known = self._known.get((hunt, partition), [])
        return any(each.counted_ns // 1_000 == counted_ns // 1_000 for each in known)

    def keep(self, at: HuntInTenant, found: Sequence[tuple[Recount, Receipt]]) -> list[Recount]:
        """Write down recounts, each with the receipt of its partition as it is now, and tell."""
        kept = []
        for recount, receipt in found:
            fresh = self.freshness(at, receipt, recount)
            each = replace(
                recount, settled=fresh.settled, unchanged_since_ns=fresh.unchanged_since_ns
            )
            kept.append(each)
            self._known.setdefault((each.hunt, each.partition), []).append(each)
        self._recounts.keep(at.tenant.name, kept, now_ns=at.clock.now_ns())
        for each, (_, receipt) in zip(kept, found, strict=True):
            at.observer(
                Recounted(
                    each.hunt,
                    each.partition,
                    receipt.rows,
                    each.late_rows,
                    each.settled,
                    each.what,
                )
            )
        return kept


def recountable(at: HuntInTenant) -> list[Partition]:
    """The partitions that are over and within the horizon, there or not, oldest first."""
    kind = at.hunt.export.partitions
    if kind == "snapshot":
        return []
    grid = _HOUR if kind == "hourly" else _DAY
    start = grid.ceil(horizon_of(at) + _MARGIN_TICKS)
    end = grid.floor(now_ticks(at.clock))
    return partitions_between(kind, Window(start, end)) if start < end else []

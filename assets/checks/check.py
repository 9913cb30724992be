"""What a check is: a name, what it is for, and a judgement of the evidence.

What belongs here: the values that every check is made of. What does not: any check.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import dagster as dg

from pipelines.clock import Clock, now_ticks
from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.soundness import Landed, read_landed
from pipelines.windows import TICKS_PER_SECOND

WARN: Final = dg.AssetCheckSeverity.WARN
ERROR: Final = dg.AssetCheckSeverity.ERROR

_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that checks look at: one hunt's files in one tenant, oldest first, and the time."""

    hunt: Hunt
    landed: Sequence[Landed]
    now: int
    data_age_days: int

    @classmethod
    def gather(
        cls, layout: LakeLayout, hunt: Hunt, *, tenant: str, clock: Clock, data_age_days: int
    ) -> Self:
        """Read the lake's footers: a millisecond or two for each partition."""
        landed = read_landed(layout, hunt.name, tenant, hunt.export.partitions)
        return cls(hunt, landed, now_ticks(clock), data_age_days)

    @property
    def horizon(self) -> int:
        """The oldest instant that the service still has."""
        return self.now - self.data_age_days * _DAY_TICKS

    @property
    def recent(self) -> list[Landed]:
        """What the service still has too, so that it can be looked into, and pulled again.

        What is news stays in sight for as long, whatever was exported since; and no longer.
        """
        return [
            each
            for each in self.landed
            if each.partition is not None and each.partition.window.start >= self.horizon
        ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check says of a lake.

    ``partitions`` are the keys of those that it found wanting, and ``todo`` is what to do about
    them.
    """

    passed: bool
    description: str
    severity: dg.AssetCheckSeverity = WARN
    evidence: Mapping[str, Any] = field(default_factory=dict)
    todo: str = ""
    partitions: Collection[str] = ()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The evidence, and what to do about it."""
        # As text, since the page shows Markdown only once it is asked to.
        todo = {"what_to_do": dg.MetadataValue.text(self.todo)} if self.todo else {}
        return {**todo, **self.evidence}


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``blocking``: where it fails as an error, nothing downstream is made of it."""

    name: str
    description: str
    judge: Callable[[Evidence], Outcome]
    blocking: bool = False

    def spec(self, key: dg.AssetKey) -> dg.AssetCheckSpec:
        """The check of one asset."""
        return dg.AssetCheckSpec(
            self.name, asset=key, description=self.description, blocking=self.blocking
        )


def counted(number: int, noun: str) -> str:
    """``1 partition``, ``3 partitions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

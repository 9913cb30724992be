"""Partitions with other columns than the one before them.

What belongs here: comparing neighbours. What does not: what may differ at all (``landing``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.landing import Changes, changes
from pipelines.soundness.landed import Landed


@dataclass(frozen=True, slots=True)
class Drift:
    """A partition, and what its columns are compared with those of the one before it."""

    landed: Landed
    changes: Changes


def drifts(landed: Iterable[Landed]) -> Iterator[Drift]:
    """Those that differ, of partitions in order. One without columns is passed over."""
    before: Landed | None = None
    for each in landed:
        if not each.columns:
            continue
        if before is not None and each.columns != before.columns:
            found = changes(each.columns, before.columns, before.name)
            if found:
                yield Drift(each, found)
        before = each

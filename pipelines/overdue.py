"""Which partitions fall off the horizon before the quota lets them be pulled.

What belongs here: comparing when each slice's turn would come with when its data is gone, and
saying so. What does not: the slices (``slicing``), or when their turns come (``quota``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.kql import Verdict
from pipelines.slicing import Partition, Plan
from pipelines.spans import Span
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant

_DAY_NS: Final = 86_400 * NANOSECONDS_PER_SECOND
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class TooLate:
    """A partition, when its first data is gone, and when the last of it would be pulled.

    Unix time, nanoseconds.
    """

    partition: str
    expires_ns: int
    expected_ns: int

    def __str__(self) -> str:
        return (
            f"{self.partition} expires at {_minute(self.expires_ns)} and would be pulled by "
            f"{_minute(self.expected_ns)}"
        )


def too_late(
    at: HuntInTenant, pending: Sequence[Partition], plan: Plan, ends_ns: Sequence[int]
) -> tuple[TooLate, ...]:
    """The partitions of which some slice's call would start after its first instant is gone.

    ``ends_ns`` is when each of the plan's calls would be done.
    """
    if at.analysis.verdict is Verdict.SNAPSHOT:
        return ()
    age_ns = at.tenant.limits.data_age_days * _DAY_NS
    found = []
    for partition in pending:
        whole = Span.of(partition.window)
        ends, missed = [], False
        for each, seconds, end_ns in zip(plan.slices, plan.seconds, ends_ns, strict=True):
            if each.span.start < whole.end and whole.start < each.span.end:
                start_ns = end_ns - round(seconds * NANOSECONDS_PER_SECOND)
                # Where the partitions before it are gone, the export goes on with this one.
                first = max(each.span.start, whole.start).instant
                gone_ns = first * NANOSECONDS_PER_TICK + age_ns
                missed = missed or start_ns > gone_ns
                ends.append(end_ns)
        if missed:
            expires_ns = partition.window.start * NANOSECONDS_PER_TICK + age_ns
            found.append(TooLate(partition.key, expires_ns, max(ends)))
    return tuple(found)


def too_late_lines(found: Sequence[TooLate], pending: int) -> Iterator[str]:
    """What a person is told of them: which, and what may be done."""
    yield (
        f"{len(found)} of {pending} partitions will not make it before the horizon, as things are. "
        f"Filter the hunt further, give it a greater share of the quota, or let others wait"
    )
    for each in found[:_SHOWN]:
        yield f"  {each}"
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN} more, up to {found[-1].partition}"


def _minute(at_ns: int) -> str:
    return f"{format_instant(at_ns // NANOSECONDS_PER_TICK)[:16]}Z"

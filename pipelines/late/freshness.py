"""Whether a partition is provisional or settled, from its receipt and its recounts.

What belongs here: the rule. What does not: counting (``census``), or showing (the catalogue).

A pull is the first count of a partition: its rows are what the service had then. The partition is
settled once a count finds no more, ``settling`` after the last change: after its last slice was
pulled, and after the last count that had grown. It is settled too once the service has forgotten
it, since nothing more can come. Should the recounts be lost, it is provisional again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.landing import Receipt
from pipelines.late.record import Recount
from pipelines.windows import NANOSECONDS_PER_TICK

_DAY_NS: Final = 86_400 * NANOSECONDS_PER_SECOND
# Two counts of a night's load and of the next are further apart than this, whatever delays one.
_LEAST_BETWEEN_NS: Final = 12 * 3_600 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is known of a partition's late data. Instants are Unix time in nanoseconds.

    ``past_horizon``: it is settled since the service has nothing of it any more. ``recounts`` is
    how often it was counted again, and ``late_rows`` what that brought in all.
    """

    settled: bool
    past_horizon: bool
    last_counted_ns: int
    unchanged_since_ns: int
    recounts: int
    late_rows: int

    @property
    def state(self) -> str:
        """In one of the words of the design."""
        return "settled" if self.settled else "provisional"


def freshness(
    receipt: Receipt,
    recounts: Sequence[Recount],
    *,
    settling: timedelta,
    now_ns: int,
    data_age_days: int,
) -> Freshness:
    """What a partition's receipt and its recounts, in any order, say of it.

    A snapshot is of the instant at which it was taken, and never provisional.
    """
    pulled_ns = max((each.pulled_ns for each in receipt.slices), default=receipt.committed_ns)
    grown_ns = max((each.counted_ns for each in recounts if each.bins_grown), default=pulled_ns)
    counted_ns = max((each.counted_ns for each in recounts), default=pulled_ns)
    unchanged_since_ns = max(pulled_ns, grown_ns)
    horizon_ns = now_ns - data_age_days * _DAY_NS
    past_horizon = receipt.window.start * NANOSECONDS_PER_TICK < horizon_ns
    agreed = counted_ns >= unchanged_since_ns + _ns(settling)
    return Freshness(
        settled=agreed or past_horizon or receipt.verdict == "snapshot",
        past_horizon=past_horizon,
        last_counted_ns=max(pulled_ns, counted_ns),
        unchanged_since_ns=unchanged_since_ns,
        recounts=len(recounts),
        late_rows=sum(each.late_rows for each in recounts),
    )


def is_due(known: Freshness, *, settling: timedelta, now_ns: int, by_pulling: bool) -> bool:
    """Whether a count is worth its call now.

    Not within twelve hours of the last one, or half the settling time where that is less: what came
    late meanwhile comes with the next. A hunt that can only be pulled again (``by_pulling``) is
    left alone until that can settle it.
    """
    if known.settled:
        return False
    if by_pulling:
        return now_ns >= known.unchanged_since_ns + _ns(settling)
    return now_ns >= known.last_counted_ns + min(_LEAST_BETWEEN_NS, _ns(settling) // 2)


def _ns(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * 1_000

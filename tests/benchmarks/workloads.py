"""Days of events that are hard to slice, each in its own way.

What belongs here: when events happen. What does not: what slicing makes of them (``calls``).
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pipelines.slicing import Partition, partition
from pipelines.windows import TICKS_PER_SECOND

DAY: Final[Partition] = partition("daily", "2026-11-19")

_SECONDS: Final = 86_400
_MINUTES: Final = 1_440
_MINUTE_TICKS: Final = 60 * TICKS_PER_SECOND
# Of the rate in a minute, between its mean and its peak or trough.
_RHYTHM: Final = 0.8
_BURSTS: Final = 12
_LONGEST_BURST_SECONDS: Final = 8
# So heavy that the fullest minute of a day has a twentieth or so of its rows.
_TAIL: Final = 1.1
# In one tick, where nothing but a hash can part them.
_TICK_CAPS: Final = 2.5


@dataclass(frozen=True, slots=True)
class Workload:
    """One day's events: the instant of each, in no order; each bears its number."""

    name: str
    cap: int
    instants: Sequence[int]

    @property
    def rows(self) -> int:
        """How many events it has."""
        return len(self.instants)

    @property
    def lower_bound(self) -> int:
        """No plan needs fewer calls."""
        return max(1, math.ceil(self.rows / self.cap))


def workloads(*, rows: int, cap: int, seed: int = 3) -> Iterator[Workload]:
    """All of them: the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 - events that can be repeated, not secrets
    makers = {
        "uniform": _uniform,
        "daily rhythm": _rhythm,
        "bursty": _bursty,
        "heavy-tailed": _heavy_tailed,
    }
    for name, make in makers.items():
        yield Workload(name, cap, make(chance, rows))
    burst = min(rows, int(_TICK_CAPS * cap))
    tick = _anywhere(chance)
    yield Workload("one-tick burst", cap, [tick] * burst + _uniform(chance, rows - burst))
    # A sixteenth below the cap: an answer that reaches it must be taken for a cut one.
    yield Workload("fits one call", cap, _uniform(chance, min(rows, cap - cap // 16 - 1)))


def _anywhere(chance: random.Random) -> int:
    return chance.randrange(DAY.window.start, DAY.window.end)


def _uniform(chance: random.Random, rows: int) -> list[int]:
    return [_anywhere(chance) for _ in range(rows)]


def _rhythm(chance: random.Random, rows: int) -> list[int]:
    """Most in the afternoon, least in the night."""
    weights = [
        1 - _RHYTHM * math.cos(2 * math.pi * (minute / _MINUTES - 0.05))
        for minute in range(_MINUTES)
    ]
    return _by_minute(chance, weights, rows)


def _heavy_tailed(chance: random.Random, rows: int) -> list[int]:
    """A few minutes have most of it."""
    return _by_minute(chance, [chance.paretovariate(_TAIL) for _ in range(_MINUTES)], rows)


def _bursty(chance: random.Random, rows: int) -> list[int]:
    """A third of all in bursts of seconds, some far fuller than others."""
    bursts = [
        (_anywhere(chance), chance.randint(1, _LONGEST_BURST_SECONDS) * TICKS_PER_SECOND)
        for _ in range(_BURSTS)
    ]
    weights = [chance.paretovariate(1.0) for _ in bursts]
    chosen = chance.choices(bursts, weights, k=rows // 3)
    # A burst at midnight goes on at the other end of the same day.
    ticks = [(start + chance.randrange(length)) for start, length in chosen]
    wrapped = [DAY.window.start + (tick - DAY.window.start) % DAY.window.ticks for tick in ticks]
    return wrapped + _uniform(chance, rows - len(wrapped))


def _by_minute(chance: random.Random, weights: Sequence[float], rows: int) -> list[int]:
    minutes = chance.choices(range(_MINUTES), cum_weights=list(accumulate(weights)), k=rows)
    return [
        DAY.window.start + minute * _MINUTE_TICKS + chance.randrange(_MINUTE_TICKS)
        for minute in minutes
    ]

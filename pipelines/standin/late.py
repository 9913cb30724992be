"""Events that reach the stand-in only after their day was exported.

What belongs here: in which bins of time they happened. What does not: what they say
(``synthetic``).
"""

import random

import duckdb

from pipelines.standin.synthetic import insert_events_at
from pipelines.windows import Window

_MOST_IN_BIN = 3


def insert_late(  # noqa: PLR0913 - where, when and how many, each by name
    connection: duckdb.DuckDBPyConnection,
    table: str,
    window: Window,
    *,
    bin_ticks: int,
    share: float,
    seed: int,
) -> int:
    """Add one to three events to a share of the window's bins; how many events these are.

    The bins are chosen at random, and are the same for a seed.
    """
    chance = random.Random(f"{seed} {table} {window}")  # noqa: S311 - to be repeated, not secret
    starts = range(window.start, window.end, bin_ticks)
    chosen = chance.sample(starts, max(1, round(len(starts) * share)))
    instants = [
        start + chance.randrange(min(bin_ticks, window.end - start))
        for start in chosen
        for _ in range(chance.randint(1, _MOST_IN_BIN))
    ]
    insert_events_at(connection, table, instants, seed=seed)
    return len(instants)

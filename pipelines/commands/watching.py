"""How a command shows what goes on.

What belongs here: choosing the observer. What does not: drawing (``pipelines.console``).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pipelines.engine import Engine
from pipelines.hunts import Hunt
from pipelines.progress import Observer
from pipelines.slicing import Partition


@contextmanager
def watching(engine: Engine, hunt: Hunt, partitions: Sequence[Partition]) -> Iterator[Observer]:
    """What shows an export: a bar on a terminal, else a line for each event."""
    # rich takes a quarter of a second to import, which `huntlake sql` should not pay.
    from pipelines.console import Bar, PlainLines

    if not sys.stderr.isatty():
        with PlainLines() as lines:
            yield lines
        return
    with Bar(partitions, partial(engine.quota_left, hunt)) as bar:
        yield bar


@contextmanager
def plain_lines() -> Iterator[Observer]:
    """A line for each event."""
    from pipelines.console import PlainLines

    with PlainLines() as lines:
        yield lines

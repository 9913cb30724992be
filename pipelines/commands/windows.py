"""The window that a command is given, and the partitions that it holds.

What belongs here: ``--from`` and ``--to``. What does not: any command.
"""

from typing import Any

import click

from pipelines.clock import Clock
from pipelines.hunts import Hunt
from pipelines.slicing import Partition, partition_at, partitions_between
from pipelines.windows import Window, parse_instant


class _Instant(click.ParamType[int]):
    """A UTC date or time, as ticks."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return value if isinstance(value, int) else parse_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


from_option = click.option(
    "--from",
    "start",
    type=_Instant(),
    metavar="TIME",
    help="Where the first partition starts, UTC: 2026-11-20 or 2026-11-20T06:00.",
)
to_option = click.option(
    "--to",
    "end",
    type=_Instant(),
    metavar="TIME",
    help="Where the last partition ends; this instant itself is not in it.",
)


def partitions_of(hunt: Hunt, start: int | None, end: int | None, clock: Clock) -> list[Partition]:
    """The partitions of a hunt in the window; of a snapshot, the one that can be taken now."""
    kind = hunt.export.partitions
    if kind == "snapshot":
        return [partition_at(kind, clock.now_ns() // 100)]
    if start is None or end is None:
        raise click.UsageError(f"{hunt.name} is {kind}: say --from and --to")
    try:
        return partitions_between(kind, Window(start, end))
    except ValueError as error:
        raise click.UsageError(f"{hunt.name} is {kind}: {error}") from None

"""What the command line shows while an export goes on, and what it prints after.

What belongs here: a bar on a terminal, plain lines elsewhere. What does not: commands (``cli``).
Progress goes to standard error, so that standard output holds results alone.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from pipelines.errors import HuntlakeError
from pipelines.progress import (
    CallFailed,
    Counted,
    Event,
    HistoryNotKept,
    PartitionCommitted,
    PartitionNotCommitted,
    PartitionStarted,
    SliceCut,
    SliceStaged,
    SurfaceRetires,
    TryingLater,
    Waiting,
)
from pipelines.slicing import Partition
from pipelines.spans import Span


class PlainLines(AbstractContextManager["PlainLines"]):
    """One line an event, for logs and pipes."""

    def __call__(self, event: Event) -> None:
        """Print the event."""
        click.echo(str(event), err=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is open."""


class Bar(AbstractContextManager["Bar"]):
    """A bar over the time that the asked partitions span, with rows, quota left and time to go."""

    def __init__(self, partitions: Sequence[Partition], quota_left: Callable[[], str]) -> None:
        self._quota_left = quota_left
        self._slices = 0
        self._rows = 0
        self._done: dict[str, int] = {}
        fixed = Column(no_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}", table_column=fixed),
            BarColumn(bar_width=20),
            TaskProgressColumn(table_column=fixed),
            TimeRemainingColumn(table_column=fixed),
            TextColumn("to go", table_column=fixed),
            TextColumn(
                "[dim]{task.fields[note]}",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=Console(stderr=True),
            expand=True,
        )
        total = sum(partition.window.ticks for partition in partitions)
        self._task = self._progress.add_task("starting", total=total, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Move the bar, and print above it what a reader would want to keep."""
        match event:
            case PartitionStarted(staged=staged):
                self._done[event.partition] = sum(map(_ticks, staged))
                self._slices += len(staged)
            case SliceStaged(span=span, rows=rows):
                self._done[event.partition] = self._done.get(event.partition, 0) + _ticks(span)
                self._slices += 1
                self._rows += rows
            case PartitionCommitted(window=window):
                self._done[event.partition] = window.ticks
                self._progress.console.print(f"[green]✓[/] {event}", highlight=False)
            case PartitionNotCommitted(error=HuntlakeError()):
                self._progress.console.print("[red]✗[/]", end=" ")
                self._progress.console.print(str(event), markup=False, highlight=False)
            case (
                Counted()
                | SliceCut()
                | CallFailed()
                | HistoryNotKept()
                | SurfaceRetires()
                | TryingLater()
            ):
                self._progress.console.print(str(event), style="dim", markup=False, highlight=False)
        self._refresh(event)

    def _refresh(self, event: Event) -> None:
        note = f"{self._slices} slices, {self._rows:,} rows, quota left: {self._quota_left()}"
        if isinstance(event, Waiting):
            note = str(event).partition(": ")[2]
        self._progress.update(
            self._task,
            completed=sum(self._done.values()),
            description=f"{event.hunt} {event.partition}",
            note=note,
        )


def _ticks(span: Span) -> int:
    return span.end.instant - span.start.instant

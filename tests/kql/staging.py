"""Hunts put in sight with their events and their whole answers, for tests of how they are cut.

What belongs here: which hunts over which windows, and remembering what was made for each. What does
not: the hunts (``cases``), their events (``made_events``), or what must hold of their answers.
"""

from dataclasses import dataclass
from typing import Any, Final

from pipelines.kql import Analysis, analyse
from pipelines.windows import Window, parse_instant
from tests.kql import cases
from tests.kql.made_events import make_events
from tests.kql.running import Answer, Runner, run_window

DAY: Final = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))
# Holds the edges of months, of a year, and of weeks that start on Sunday and on Monday.
WINTER: Final = Window(parse_instant("2025-12-05"), parse_instant("2026-02-20"))

SLICED: Final = [
    *((hunt, DAY) for verdict, hunts in cases.DAY.items() for hunt in hunts if verdict != "whole"),
    *((hunt, WINTER) for hunt in cases.CALENDAR),
]


@dataclass(frozen=True, slots=True)
class Staged:
    """One hunt with its events, and its whole answer."""

    query: str
    window: Window
    analysis: Analysis
    runner: Runner
    number: int
    whole: Answer

    def answer(self, window: Window, **asked: Any) -> Answer:
        """What the hunt returns for a window of the partition."""
        now = self.window.end
        return run_window(self.runner, self.query, self.analysis, window, now, **asked)

    @property
    def times(self) -> list[int]:
        """The times of the answer's rows; empty where it has lost them."""
        column = self.analysis.time_column
        return [] if column is None else self.whole.column(column)


class Stage:
    """Puts one hunt after another in sight, and remembers those that were."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._staged: dict[tuple[str, Window], Staged] = {}

    def __call__(self, query: str, window: Window) -> Staged:
        """The hunt, whose events are in sight now."""
        staged = self._staged.get((query, window))
        if staged is None:
            analysis = analyse(query)
            read = (*(table.name for table in analysis.event_tables), *analysis.snapshot_tables)
            number = self._runner.fill(make_events(query, read, window))
            whole = run_window(self._runner, query, analysis, window, window.end)
            staged = Staged(query, window, analysis, self._runner, number, whole)
            self._staged[query, window] = staged
        self._runner.see(staged.number)
        return staged

"""Cuts at the very bucket of a row: random cuts of so many buckets next to never fall there."""

from pathlib import Path

import pytest

from pipelines.kql import analyse, restrict
from pipelines.landing import decode
from pipelines.slicing import partition
from pipelines.spans import Position, Span
from pipelines.windows import Window
from tests.slicing.evidence import ALL_TIME, NO_CAP, TABLE, Rows, as_counter
from tests.slicing.simulation import Simulation

DAY = partition("daily", "2026-11-19").window
CELL = Window(DAY.start, DAY.start + 1)


def answer(simulation: Simulation, query: str) -> Rows:
    with simulation.events.evaluate(query, visible=ALL_TIME, row_cap=NO_CAP) as evaluation:
        body = evaluation.body("odata", 0.0)
    return as_counter(decode(body, simulation.tenant.surface.dialect).table)


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("AlertInfo | project Timestamp, AlertId", CELL),
        ("AlertInfo | summarize n = count() by AlertId", DAY),
    ],
)
def test_a_row_at_a_cut_is_on_one_side_of_it(query: str, window: Window, tmp_path: Path) -> None:
    """What lies before each row's own bucket and what lies from there on is all, once."""
    names = [f"alert {number}" for number in range(12)]
    events = {TABLE: {"Timestamp": [DAY.start] * 12, "AlertId": names}}
    analysis = analyse(query)
    with Simulation(tmp_path, events) as simulation:

        def within(start: int, end: int) -> Rows:
            last = Position(window.start, end) if end else Position(window.end)
            span = Span(Position(window.start, start), last)
            text = restrict(query, analysis, window=window, now=DAY.end, span=span)
            return answer(simulation, text)

        whole = within(0, 0)
        assert sum(whole.values()) == 12
        cuts = 0
        for row in whole:
            # The bucket of the row, by halves.
            first, after = 0, 65_536
            while after - first > 1:
                middle = (first + after) // 2
                first, after = (first, middle) if row in within(0, middle) else (middle, after)
            for cut in {first, after} - {0, 65_536}:
                assert within(0, cut) + within(cut, 0) == whole
                cuts += 1
            if cuts >= 4:
                break
        assert cuts

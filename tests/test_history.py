"""What is kept between runs of a hunt."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.history import Census, History
from pipelines.slicing import Density, Piece, Rates
from pipelines.spans import TICKS
from pipelines.windows import Window

PIECES = (Piece(Window(0, 10), 5), Piece(Window(20, 21), 7, (3, 4)))
CENSUS = Census(Density(Window(0, 1_000), PIECES, TICKS), 1_795)
RATES = Rates(bytes_per_row=120.5, rows_per_hour=7.0)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "hunt" / "tenant", "key", TICKS)


def test_rates_are_read_as_they_were_kept(history: History) -> None:
    """And before the first export there are none."""
    assert history.rates() == Rates()
    history.keep_rates(RATES)
    assert history.rates() == RATES


def test_a_count_is_found_by_what_it_covers(history: History) -> None:
    """With its pieces, to the tick; not where it covers a part alone, nor once it has served."""
    other = Census(Density(Window(2_000, 3_000), (), TICKS), 1_800)
    history.keep_census(other)
    history.keep_census(CENSUS)
    assert history.census(Window(5, 1_000), now_ns=2_000) == CENSUS
    assert history.census(Window(2_000, 2_001), now_ns=2_000) == other
    assert history.census(Window(900, 2_100), now_ns=2_000) is None
    history.drop_census(CENSUS)
    assert history.census(Window(5, 1_000), now_ns=2_000) is None


def test_a_count_serves_for_a_day(history: History) -> None:
    """What arrived since is not in it."""
    history.keep_census(CENSUS)
    day_ns = 86_400 * 1_000_000_000
    assert history.census(Window(0, 1), now_ns=CENSUS.counted_ns + day_ns) == CENSUS
    assert history.census(Window(0, 1), now_ns=CENSUS.counted_ns + day_ns + 1) is None
    assert list(history.folder.iterdir()) == []


def test_another_form_of_the_hunt_has_none(history: History) -> None:
    """What a changed query's answers weigh is not known."""
    history.keep_rates(RATES)
    history.keep_census(CENSUS)
    changed = replace(history, key="other")
    assert changed.rates() == Rates()
    assert changed.census(Window(0, 1), now_ns=2_000) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '"x"', "{}", '{"key": "key"}', '{"key": "key", "window": [5, 1]}'),
        '{"key": "key", "window": "ab", "pieces": []}',
        '{"key": "key", "window": [0, 9], "pieces": [], "counted_ns": null}',
        '{"key": "key", "bytes_per_row": -3, "rows_per_hour": "x"}',
    ],
)
def test_damaged_files_are_none(text: str, history: History) -> None:
    """Losing them costs a count, so nothing fails for it."""
    history.folder.mkdir(parents=True)
    for name in ("rates.json", "count-1-2.json"):
        (history.folder / name).write_text(text)
    assert history.rates() == Rates()
    assert history.census(Window(0, 1), now_ns=2_000) is None

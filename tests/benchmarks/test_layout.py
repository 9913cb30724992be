"""The benchmark of the layout asks each layout the same, and gets the same."""

from collections.abc import Iterator
from itertools import pairwise

import pyarrow as pa
import pytest

from tests.benchmarks.layout import Bench, report, summary
from tests.benchmarks.layout_data import slices
from tests.benchmarks.layout_queries import QUERIES
from tests.benchmarks.layouts import OURS, layouts

ROWS = 5_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    found = Bench(tmp_path_factory.mktemp("layouts"), ROWS)
    yield found
    found.connection.close()


@pytest.mark.parametrize("query", QUERIES)
def test_each_layout_gives_the_same_answer(bench: Bench, query: str) -> None:
    """To the tick, with nulls and empty texts apart; and there is something to answer."""
    ours = sorted(map(repr, bench.answer(OURS, query)))
    assert ours
    for name in layouts():
        assert sorted(map(repr, bench.answer(name, query))) == ours, name


def test_it_prints_each_layout_with_each_query(bench: Bench) -> None:
    """As JSON for programs, and as a table with ratios for people."""
    bench.ask(1)
    found = summary(bench.measured)["layouts"]
    assert list(found) == list(layouts())
    for figures in found.values():
        assert figures["mb"] > 0
        assert list(figures["seconds"]) == list(QUERIES)
        assert min(figures["seconds"].values()) > 0
    text = "\n".join(report(bench.measured, ROWS, 1))
    assert all(text.count(name) >= 2 for name in layouts())


def test_events_are_the_same_each_time_and_rise_in_time() -> None:
    """However many slices they come in."""
    found = list(slices(2_500, 1_000))
    assert [table.num_rows for table in found] == [1_000, 1_000, 500]
    assert pa.concat_tables(found).equals(next(slices(2_500)))
    times = [tick for table in found for tick in table["Timestamp"].cast("int64").to_pylist()]
    assert all(before < after for before, after in pairwise(times))

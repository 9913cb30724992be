"""``python -m tests.benchmarks.layout``: what our layout gives to who asks, beside others.

What belongs here: measuring and printing. What does not: the events (``layout_data``), the queries
(``layout_queries``) and the layouts (``layouts``).

All layouts are on disk at once, since their queries are asked in turn: about 1.5 kB a row, in a
temporary folder that is removed. Files are warm. CSV and JSON lines are so slow and large that they
hold a part of the slices where there are many; their figures are those of the part, scaled up.
"""

import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import duckdb

from tests.benchmarks.layout_queries import QUERIES, values
from tests.benchmarks.layouts import OURS, layouts, staged

_ROWS: Final = 5_000_000
_ROUNDS: Final = 5
_SAMPLE_SLICES: Final = 3
_BYTES_PER_MB: Final = 1_000_000


@dataclass(slots=True)
class Measured:
    """A layout's size and times, scaled up to all rows."""

    mb: float
    written: float
    scale: float
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in QUERIES})

    @property
    def seconds(self) -> dict[str, float]:
        """The median of each query."""
        return {name: self.scale * statistics.median(times) for name, times in self.times.items()}


class Bench:
    """The layouts in a folder, and a connection with a view of each."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.measured: dict[str, Measured] = {}
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        sources = folder / "staged"
        sources.mkdir()
        slices = staged(rows, sources)
        for name, layout in layouts().items():
            part = slices[:: -(-len(slices) // _SAMPLE_SLICES)] if layout.sampled else slices
            scale = rows / sum(each.record.rows for each in part)
            target = folder / name.replace(" ", "-")
            target.mkdir()
            start = time.perf_counter()
            layout.write(part, target)
            written = time.perf_counter() - start
            size = sum(path.stat().st_size for path in target.iterdir())
            self.measured[name] = Measured(scale * size / _BYTES_PER_MB, scale * written, scale)
            view = layout.read(target)
            self.connection.execute(f'CREATE VIEW "{name}" AS {view}')
        shutil.rmtree(sources)
        self.values = values(self.connection, OURS)

    def answer(self, layout: str, query: str) -> list[tuple[object, ...]]:
        """A query's rows, to compare."""
        return self.connection.execute(self._sql(layout, query)).fetchall()

    def ask(self, rounds: int) -> None:
        """Time each query on each layout, in another order each time.

        Whoever comes after the slowest finds the caches empty.
        """
        chance = random.Random(rounds)  # noqa: S311 - an order that can be repeated, no secret
        for _ in range(rounds):
            for query in QUERIES:
                order = list(self.measured.items())
                chance.shuffle(order)
                for name, measured in order:
                    start = time.perf_counter()
                    self.connection.sql(self._sql(name, query)).to_arrow_table()
                    measured.times[query].append(time.perf_counter() - start)

    def _sql(self, layout: str, query: str) -> str:
        return QUERIES[query].format(events=f'"{layout}"', **self.values)


def summary(measured: Mapping[str, Measured]) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "layouts": {
            name: {"mb": each.mb, "seconds": each.seconds} for name, each in measured.items()
        }
    }


def report(measured: Mapping[str, Measured], rows: int, rounds: int) -> Iterator[str]:
    """The same for people: milliseconds, and how often ours goes into each layout's sum."""
    ours = measured[OURS]
    yield f"{rows:,} events; medians of {rounds} rounds, in ms\n"
    heads = [*QUERIES, "all"]
    yield f"{'':20}{'MB':>8}{'write s':>9}" + "".join(f"{head:>15}" for head in heads)
    for name, each in measured.items():
        times = _with_sum(each)
        cells = "".join(f"{1000 * seconds:15,.1f}" for seconds in times.values())
        yield f"{name:20}{each.mb:8,.0f}{each.written:9.1f}{cells}{_scaled(each)}"
    yield "\nTimes huntlake's\n"
    for name, each in measured.items():
        of_ours = _with_sum(ours)
        cells = "".join(f"{took / of_ours[head]:15.2f}" for head, took in _with_sum(each).items())
        yield f"{name:20}{each.mb / ours.mb:8.2f}{each.written / ours.written:9.2f}{cells}"


def _with_sum(measured: Measured) -> dict[str, float]:
    return {**measured.seconds, "all": sum(measured.seconds.values())}


def _scaled(measured: Measured) -> str:
    return f"  a part, times {measured.scale:.1f}" if measured.scale > 1 else ""


@click.command(help="Size and query times of huntlake's layout and of others.")
@click.option("--rows", type=click.IntRange(min=1), default=_ROWS, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=_ROUNDS, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(*, rows: int, rounds: int, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="huntlake-layout-") as folder:
        bench = Bench(Path(folder), rows)
        bench.ask(rounds)
        bench.connection.close()
    if as_json:
        click.echo(json.dumps(summary(bench.measured)))
    else:
        click.echo("\n".join(report(bench.measured, rows, rounds)))


if __name__ == "__main__":
    main()

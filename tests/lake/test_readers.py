"""Readers that go on asking while partitions are committed, and bring columns.

What belongs here: a process that reads, and one that commits. What does not: what a commit is made
of (``tests.landing``), or kills amid it (``tests.test_crash``). Nor a file that is replaced
just as DuckDB reads it: it opens a file once for its footer and once more for its rows, and so may
fail then, or mix the two (docs/catalogue.md).
"""

import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.lake import HuntCard, LakeLayout, LandedColumns, connect, publish
from pipelines.landing import write_atomically
from pipelines.landing.partition import RECEIPT_KEY
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition
from pipelines.windows import NANOSECONDS_PER_TICK
from tests import processes
from tests.lake.samples import receipt_of

DAYS: Final = [partition("daily", f"2026-11-{day:02}") for day in range(1, 26)]
# Large enough for several row groups.
ROWS: Final = 3_000
ROUNDS: Final = 6
# Each partition: how many rows, and whether all are of one version, which says how many there are.
COUNTED: Final = "SELECT date, count(*), min(version), max(version), sum(n) FROM"
# What the lake tells of its partitions is read from files that each commit writes anew.
TOLD: Final = """
    SELECT CAST(window_start AT TIME ZONE 'UTC' AS DATE), rows, version, version,
        (rows * (rows - 1) // 2)::BIGINT
    FROM (SELECT *, (rows - 3000) // 10 AS version FROM huntlake.partitions)
"""
QUESTIONS: Final = (
    *(
        f"{COUNTED} {view} GROUP BY ALL"
        for name in ("logons", "contoso.logons")
        for view in (name, f"{name}('2026-10-01')")
    ),
    TOLD,
)


def rows_of(version: int) -> int:
    return ROWS + 10 * version


def land(layout: LakeLayout, day: int, version: int, *, added: bool) -> None:
    """Commit a day as of some version, as a commit does: one rename, then the catalogue."""
    rows = rows_of(version)
    columns = {"Timestamp": "DateTime", "version": "Int64", "n": "Int64"}
    start = DAYS[day].window.start * NANOSECONDS_PER_TICK
    values: list[object] = [[start] * rows, [version] * rows, range(rows)]
    if added:
        columns |= {f"Added{version}": "Int64"}
        values.append([version] * rows)
    receipt = receipt_of("logons", "contoso", DAYS[day], rows=rows)
    schema = arrow_schema(columns).with_metadata({RECEIPT_KEY: receipt.to_json()})
    table = pa.table([*values, [None] * rows], schema=schema)
    target = layout.partition_file("logons", "contoso", DAYS[day])
    write_atomically(target, partial(pq.write_table, table, row_group_size=1_000))
    card = HuntCard("logons", "T", time_column="Timestamp", within_window=True)
    publish(layout, LandedColumns(layout, "logons"), "contoso", cards=[card])


def read(root: Path, stop: Path, *, reopens: bool) -> None:
    """Ask again and again; say what was wrong, or at the end what was seen."""
    layout = LakeLayout(root)
    answers = 0
    newest: dict[object, int] = {}
    with closing(_connections(layout, reopens=reopens)) as connections:
        while True:
            is_last = stop.exists()
            lake = next(connections)
            for question in QUESTIONS:
                try:
                    answer = lake.sql(question).fetchall()
                except duckdb.Error:
                    click.echo(f"failed: {traceback.format_exc()}")
                    return
                for date, rows, oldest, version, total in answer:
                    whole = (rows_of(version), version, sum(range(rows_of(version))))
                    if (rows, oldest, total) != whole or version < newest.get(date, 0):
                        click.echo(f"half: {date} {rows} {oldest} {version} {total} {newest}")
                        return
                    newest[date] = version
                answers += 1
            click.echo(f"round {answers // len(QUESTIONS)}.")
            if is_last:
                click.echo(f"done: {sorted(newest.values())}")
                return


def _connections(layout: LakeLayout, *, reopens: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    while True:
        with connect(layout) as lake:
            yield lake
            while not reopens:
                yield lake


@contextmanager
def reader(
    layout: LakeLayout, folder: Path, *, reopens: bool
) -> Iterator[tuple[Path, processes.ForkServerProcess]]:
    """A process that reads until the block ends."""
    said, stop = folder / f"said-{reopens}", folder / f"stop-{reopens}"
    process = processes.start(
        partial(read, reopens=reopens), layout.root, stop, environment={}, said=said
    )
    try:
        processes.wait_until_said("round 1.", said, process)
        yield said, process
    finally:
        stop.touch()
        processes.ended(process)


def test_no_answer_fails_or_has_half_a_partition(tmp_path: Path) -> None:
    """Whether a reader opens the catalogue for each question, or once and for all.

    Of each partition an answer has all or nothing; never less than an answer had that came earlier.
    """
    layout = LakeLayout(tmp_path / "data")
    land(layout, 0, 0, added=False)
    with (
        reader(layout, tmp_path, reopens=True) as reopening,
        reader(layout, tmp_path, reopens=False) as lasting,
    ):
        for version in range(1, ROUNDS + 1):
            for day in range(4 * version - 3, 4 * version + 1):
                land(layout, day, version, added=version % 3 == 0)
            for said, process in (reopening, lasting):
                # So that they read amid the commits, however slow they are.
                processes.wait_until_said(f"round {version}.", said, process)
    for said, _ in (reopening, lasting):
        last = said.read_text().splitlines()[-1]
        seen = sorted([0, *[*range(1, ROUNDS + 1)] * 4])
        assert last == f"done: {seen}", said.read_text()


@pytest.mark.parametrize("kind", ["removed", "moved"])
def test_an_open_connection_outlives_the_catalogue_s_file(tmp_path: Path, kind: str) -> None:
    """Who has it open goes on reading what there was, whatever becomes of its name."""
    layout = LakeLayout(tmp_path / "data")
    land(layout, 0, 0, added=False)
    with connect(layout) as lake:
        if kind == "removed":
            layout.catalogue.unlink()
        else:
            layout.catalogue.rename(layout.root / "elsewhere.duckdb")
        land(layout, 1, 0, added=True)
        assert lake.sql("SELECT count(*) FROM logons").fetchall() == [(2 * ROWS,)]

"""A disk that is full or may not be written, at every write of an export.

What belongs here: whole exports. What does not: each write by itself (``tests.landing``), and the
ledger's (``tests.quota``). A limit on the size of files stands for a full disk where that can't be
had; where this user may mount one, a small file system is filled up in earnest.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import committing
from pipelines.committing import PartitionExport
from pipelines.errors import LakeUnwritable
from pipelines.history import History
from pipelines.hunts import Hunt
from pipelines.kql.rewrite import ROWS
from pipelines.lake import connect
from pipelines.landing import Need, Room, Staging, room
from pipelines.progress import Event, HistoryNotKept, SliceStaged, Waiting
from pipelines.slicing import Rates, partition
from pipelines.standin import StandinLimits
from pipelines.windows import TICKS_PER_SECOND, parse_instant
from tests.files_end import files_end_at
from tests.slicing.simulation import Simulation

HUNT = Hunt("alerts", "AlertInfo")
FIRST, SECOND = partition("daily", "2026-11-18"), partition("daily", "2026-11-19")
ROWS_A_DAY, CAP = 240, 100
OPEN = StandinLimits(rows=CAP, calls=(), running=())


def events() -> dict[str, dict[str, list[Any]]]:
    """Rows that don't compress, so that a small limit is met in their midst."""
    start = parse_instant("2026-11-18")
    count = 2 * ROWS_A_DAY
    return {
        "AlertInfo": {
            "Timestamp": [start + i * 350 * TICKS_PER_SECOND for i in range(count)],
            "AlertId": [f"alert {i}" for i in range(count)],
            "Title": [os.urandom(100).hex() for _ in range(count)],
        }
    }


def names(path: Path) -> list[str]:
    found: list[str] = pq.read_table(path, partitioning=None).column("AlertId").to_pylist()
    return sorted(found)


ALL = {
    FIRST: sorted(f"alert {i}" for i in range(247)),
    SECOND: sorted(f"alert {i}" for i in range(247, 2 * ROWS_A_DAY)),
}


def limited(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, limit: int, *, after: int = 0
) -> None:
    """Let this one write find the disk full, once it was made so many times."""
    write = getattr(owner, name)
    times = iter(range(1_000))

    def attempt(*arguments: Any, **named: Any) -> Any:
        if next(times) < after:
            return write(*arguments, **named)
        with files_end_at(limit):
            return write(*arguments, **named)

    monkeypatch.setattr(owner, name, attempt)


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "data", events(), limits=OPEN) as simulation:
        yield simulation


def exported(
    simulation: Simulation, observer: Callable[[Event], None] = lambda _: None
) -> list[PartitionExport]:
    return list(simulation.exporter(HUNT, observer).export([FIRST, SECOND]))


def lake(simulation: Simulation) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in simulation.layout.lake.rglob("*") if p.is_file()}


def check_readable(simulation: Simulation, expected: int) -> None:
    """Whoever opens the catalogue sees these rows, and no file but partitions and cards."""
    assert {path.name for path in lake(simulation)} <= {"data.parquet", "_hunt.json"}
    with connect(simulation.layout) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM alerts").fetchall()
    assert count == expected


def check_goes_on(simulation: Simulation, staged: list[SliceStaged]) -> None:
    """Once there is room the export completes, and asks for nothing that was staged."""
    again: list[Event] = []
    exports = exported(simulation, again.append)
    assert {each.partition: names(each.path) for each in exports} == ALL
    for one in (each.span for each in again if isinstance(each, SliceStaged)):
        assert not any(one.start < each.span.end and each.span.start < one.end for each in staged)
    check_readable(simulation, 2 * ROWS_A_DAY)


@pytest.mark.parametrize("limit", [0, 20_000])
@pytest.mark.parametrize(
    ("owner", "name"),
    [(Staging, "write"), (committing, "commit")],
    ids=["staging a slice", "committing a partition"],
)
def test_a_full_disk_harms_nothing_and_the_export_goes_on(
    owner: object,
    name: str,
    limit: int,
    simulation: Simulation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its message names the file and what to do; what was committed and staged stays."""
    [first] = simulation.exporter(HUNT).export([FIRST])
    before = lake(simulation)
    told: list[Event] = []
    with monkeypatch.context() as patched:
        limited(patched, owner, name, limit, after=1 if name == "write" else 0)
        with pytest.raises(LakeUnwritable, match=r"File too large.*make room") as caught:
            exported(simulation, told.append)
    assert ".parquet" in str(caught.value)
    assert lake(simulation) == before
    assert names(first.path) == ALL[FIRST]
    check_readable(simulation, len(ALL[FIRST]))
    check_goes_on(simulation, [each for each in told if isinstance(each, SliceStaged)])


@pytest.mark.parametrize("limit", [5_000, 100_000])
def test_a_catalogue_that_can_not_be_written_stays_as_it_was(
    limit: int, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB itself says nothing where it can't write on closing. The next run makes up for it."""
    list(simulation.exporter(replace(HUNT, name="other")).export([FIRST]))
    before = simulation.layout.catalogue.read_bytes()
    with monkeypatch.context() as patched:
        limited(patched, committing, "publish", limit)
        with pytest.raises(LakeUnwritable, match=r"the catalogue .*lake\.duckdb can't be written"):
            exported(simulation)
    assert simulation.layout.catalogue.read_bytes() == before
    assert [p.name for p in simulation.layout.root.glob("lake.*")] == ["lake.duckdb"]
    calls = len(simulation.calls)
    # What was committed before the catalogue failed is not pulled again.
    [again] = simulation.exporter(HUNT).export([FIRST])
    assert again.reused
    assert len(simulation.calls) == calls
    check_readable(simulation, len(ALL[FIRST]))


@pytest.mark.parametrize("name", ["keep_rates", "keep_census"])
def test_history_is_not_worth_a_failure(
    name: str, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losing it costs a count, never a row: the export says so and completes."""

    def refuse(self: History, _: object) -> None:
        raise LakeUnwritable("rates.json can't be written")

    monkeypatch.setattr(History, name, refuse)
    told: list[Event] = []
    assert {each.partition: names(each.path) for each in exported(simulation, told.append)} == ALL
    assert any(ROWS in call.query for call in simulation.calls)
    assert any(isinstance(each, HistoryNotKept) for each in told)


def test_a_full_disk_is_an_error_of_the_history_s_own(tmp_path: Path) -> None:
    """With the file's name; what is tested above is what follows."""
    history = History(tmp_path, "key", None)
    with files_end_at(0), pytest.raises(LakeUnwritable, match=r"rates\.json can't be written"):
        history.keep_rates(Rates())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["state/locks", "state/staged", "lake"])
def test_a_file_in_the_place_of_a_folder_is_told_before_any_call(
    place: str, tmp_path: Path
) -> None:
    """Which path it is, and nothing of Python's own."""
    with Simulation(tmp_path / "data", events(), limits=OPEN) as simulation:
        folder = simulation.layout.root / place
        if folder.exists():
            folder.rmdir()
        folder.write_text("")
        with pytest.raises(LakeUnwritable, match=rf"{place}.* can't be \w+: .*; "):
            exported(simulation)
        assert simulation.calls == []


# Room


def test_without_room_for_an_answer_no_call_is_made(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quota is not spent on what has no place."""
    with monkeypatch.context() as patched:
        patched.setattr(room, "_LEAST_BYTES", 2**60)
        with pytest.raises(LakeUnwritable, match=r"alerts, partition 2026-11-18: .* No call was"):
            exported(simulation)
    assert simulation.calls == []
    check_goes_on(simulation, [])


def test_what_an_answer_may_weigh_is_room_that_it_needs(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the hunt's answers weighed before, and the rows of one answer."""
    needed: list[int] = []

    def note(self: Room, hunt: str, partition: str) -> None:
        needed.append(self.needs[0].bytes)

    monkeypatch.setattr(Room, "refuse_if_lacking", note)
    exported(simulation)
    assert max(needed) > CAP * 250
    assert len(needed) == 2 * len(simulation.calls)


def test_a_disk_that_fills_up_during_a_wait_costs_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours may lie between the decision to call and the call."""
    limits = StandinLimits(rows=CAP, calls=((2, 60.0),), running=())
    with Simulation(tmp_path, events(), limits=limits) as simulation:

        def fill(event: Event) -> None:
            if isinstance(event, Waiting):
                monkeypatch.setattr(room, "_LEAST_BYTES", 2**60)

        with pytest.raises(LakeUnwritable, match="make room"):
            exported(simulation, fill)
        assert len(simulation.calls) == 2


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    """Not even the folders that it asks about."""
    Room((Need(tmp_path / "a" / "b", 1), Need(tmp_path, 1))).probe()
    assert list(tmp_path.iterdir()) == []
    with files_end_at(0), pytest.raises(LakeUnwritable, match="can't be written: File too large"):
        Room((Need(tmp_path, 1),)).probe()


# Real file systems


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system in memory, where this user may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - it was found to mount


@pytest.mark.parametrize(
    ("place", "left"),
    [("lake", 0), ("state/staged", 0), ("state/staged", 40_960), ("state/history", 0)],
)
def test_a_disk_that_fills_up_during_a_call_loses_that_answer_alone(
    place: str, left: int, tmp_path: Path
) -> None:
    """In earnest; with so many bytes left, at whatever write they are used up."""
    root = tmp_path / "data"
    with (
        mounted(root / place, "size=24m"),
        Simulation(root, events(), limits=OPEN) as simulation,
    ):
        [first] = simulation.exporter(HUNT).export([FIRST])
        before = lake(simulation)
        filler = root / place / "filler"
        told: list[Event] = []

        def fill(query: str) -> None:
            del query
            disk = os.statvfs(root / place)
            filler.write_bytes(b"\0" * (disk.f_bavail * disk.f_frsize - left))
            simulation.before_call(lambda _: None)

        simulation.before_call(fill)
        try:
            exported(simulation, told.append)
        except LakeUnwritable as error:
            assert str(root / place) in str(error)  # noqa: PT017 - only some are too small
        else:
            assert place == "state/history" or left
        filler.unlink()
        assert before.items() <= lake(simulation).items()
        assert names(first.path) == ALL[FIRST]
        check_goes_on(simulation, [each for each in told if isinstance(each, SliceStaged)])


def test_a_disk_that_is_read_only_is_told_before_any_call(tmp_path: Path) -> None:
    """Also to root, who may write anywhere else."""
    with (
        mounted(tmp_path / "lake", "size=1m,ro"),
        Simulation(tmp_path, events(), limits=OPEN) as simulation,
    ):
        with pytest.raises(LakeUnwritable, match=r"lake.* can't be written"):
            exported(simulation)
        assert simulation.calls == []


def test_a_disk_that_can_hold_no_more_files_is_told_before_any_call(tmp_path: Path) -> None:
    """It has room in bytes, and none for a name."""
    with mounted(tmp_path, "size=64m,nr_inodes=3"):
        (tmp_path / "one").write_text("")
        (tmp_path / "two").write_text("")
        with pytest.raises(LakeUnwritable, match="no inodes left"):
            Room((Need(tmp_path, 1),)).refuse_if_lacking("alerts", "2026-11-18")

"""Kills amid a recount: nothing is lost or doubled, and what was pulled is not pulled again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipelines import committing
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.hunts import Hunt
from pipelines.kql import ROWS
from pipelines.landing import Receipt
from pipelines.late import Recount, Recounts, mending
from pipelines.late.recording import Recorder
from tests.late.scene import (
    ALERTS,
    BINNED,
    DAYS,
    HOUR,
    SECOND,
    START,
    TABLE,
    alerts,
    all_ids,
    check_receipt,
    counts,
    exported,
    hourly,
    ids_of,
    pulls,
    recounted,
    rows_of,
    simulated,
)
from tests.slicing.simulation import Simulation

# Three hours of two days, each with more events than an answer may have.
LATE = [
    START + hour * HOUR + second * SECOND for hour in (1, 2, 30) for second in range(0, 600, 10)
]


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with simulated(tmp_path, *hourly(), rows=50) as simulation:
        yield simulation


def late_alerts(simulation: Simulation) -> None:
    simulation.events.insert(TABLE, alerts(*LATE, name="late "))


def die_at_pull(simulation: Simulation, number: int) -> None:
    """Let the process end before so many pulls are answered."""
    seen = 0

    def act(query: str) -> None:
        nonlocal seen
        if ROWS not in query:
            seen += 1
            if seen > number:
                raise KeyboardInterrupt

    simulation.before_call(act)


def live(simulation: Simulation) -> None:
    simulation.before_call(lambda _: None)


@pytest.mark.parametrize("answered", [0, 1, 2, 3])
def test_killed_between_two_pulls(answered: int, simulation: Simulation) -> None:
    """What is staged is what the next run begins with; readers see the old file until then."""
    [at] = exported(simulation, ALERTS)
    before = ids_of(at)
    late_alerts(simulation)
    die_at_pull(simulation, answered)
    with pytest.raises(KeyboardInterrupt):
        recounted(at)
    if answered < 3:
        assert ids_of(at) == before
    made = len(simulation.calls)
    live(simulation)
    found = recounted(at, partitions=None)
    rest = simulation.calls[made:]
    assert ids_of(at) == all_ids(simulation)
    assert counts(rest) == []
    assert {each.partition for each in found} >= {"2026-11-17"}
    # Undisturbed it takes as many in all.
    # 180 rows and those of the same bins, in pages of which all but the last row lands.
    assert answered + len(pulls(rest)) == -(-(len(LATE) + 3) // 49)
    for each in DAYS:
        check_receipt(at, each)


@pytest.mark.parametrize("hunt", [ALERTS, BINNED], ids=lambda hunt: hunt.name)
def test_killed_before_the_commit(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, hunt: Hunt
) -> None:
    """The first day is staged: the next run commits it, and pulls what is left of the other."""
    [at] = exported(simulation, hunt)
    before = rows_of(at)
    late_alerts(simulation)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(committing, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            recounted(at)
    assert rows_of(at) == before
    made = len(simulation.calls)
    first, *_ = recounted(at, partitions=None)
    assert first.bins_grown
    assert len(simulation.calls) - made <= 1
    assert all(call.rows < 50 for call in simulation.calls[made:])
    lake = rows_of(at)
    list(simulation.exporter(hunt).export(DAYS, refresh=True))
    assert rows_of(at) == lake


def test_killed_between_the_commit_and_its_record(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run writes it down, once, and pulls what is left of the other day."""
    [at] = exported(simulation, ALERTS)
    late_alerts(simulation)
    keep = Recorder.keep

    def die(
        recorder: Recorder, at: HuntInTenant, found: Sequence[tuple[Recount, Receipt]]
    ) -> list[Recount]:
        if any(recount.late_rows for recount, _ in found):
            raise KeyboardInterrupt
        return keep(recorder, at, found)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "keep", die)
        with pytest.raises(KeyboardInterrupt):
            recounted(at)
    made = len(simulation.calls)
    for _ in range(2):
        recounted(at, partitions=None)
    assert sum(call.rows for call in pulls(simulation.calls[made:])) < len(LATE) / 4
    assert ids_of(at) == all_ids(simulation)
    kept = Recounts(at.layout).by_partition(at.tenant.name, now_ns=simulation.clock.now_ns())
    assert [each.late_rows for each in kept["alerts", "2026-11-16"]] == [120]
    assert sum(each.late_rows for rows in kept.values() for each in rows) == len(LATE)


def test_killed_while_what_was_mended_is_removed(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run removes the rest, since nobody else would ever know whose it is."""
    [at] = exported(simulation, ALERTS)
    late_alerts(simulation)

    def die(folder: Path, **_: object) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mending.shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            recounted(at)
    assert at.layout.mending_folders("alerts", at.tenant.name)
    recounted(at, partitions=None)
    assert ids_of(at) == all_ids(simulation)
    assert not any(at.layout.state.glob("staged/*/*/*"))


def test_an_export_meanwhile_makes_the_plan_worthless(simulation: Simulation) -> None:
    """What was pulled anew is newer than what was staged."""
    [at] = exported(simulation, ALERTS)
    late_alerts(simulation)
    die_at_pull(simulation, 2)
    with pytest.raises(KeyboardInterrupt):
        recounted(at)
    live(simulation)
    simulation.events.insert(TABLE, alerts(START + 3, name="latest "))
    list(simulation.exporter(ALERTS).export(DAYS, refresh=True))
    made = len(simulation.calls)
    assert recounted(at, partitions=None) == []
    assert len(simulation.calls) == made
    assert ids_of(at) == all_ids(simulation)
    assert not any(at.layout.mending_folders("alerts", at.tenant.name))

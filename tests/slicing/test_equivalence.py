"""Slicing changes nothing: whatever the events, the caps and the hunt, what lands is its answer."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings

from pipelines.committing import PartitionExport
from pipelines.errors import CannotSplit
from pipelines.progress import Event, SliceCut
from pipelines.standin import StandinLimits
from tests.slicing.evidence import (
    ALIGNED,
    KEYED,
    ROW_WISE,
    SNAPSHOTS,
    WHOLE,
    Case,
    cases,
    check_costs,
    check_receipt,
    crowd,
    landed,
    truth,
)
from tests.slicing.simulation import Simulation

# More calls than any of these exports needs: one that never ends must fail.
_ENDLESS = 1_500


@contextmanager
def simulated(case: Case) -> Iterator[Simulation]:
    limits = StandinLimits(rows=case.cap, calls=(), running=())
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulation(Path(folder), case.tables, limits=limits) as simulation,
    ):
        simulation.before_call(lambda _: _refuse_endless(simulation))
        yield simulation


def _refuse_endless(simulation: Simulation) -> None:
    assert len(simulation.calls) < _ENDLESS


def check(case: Case) -> None:
    """Export the case, and hold what it says and lands against the truth."""
    with simulated(case) as simulation:
        seen: list[Event] = []
        exports: list[PartitionExport] = []
        try:
            exports.extend(simulation.exporter(case.hunt, seen.append).export(case.partitions))
        except CannotSplit:
            cut = [each for each in seen if isinstance(each, SliceCut)][-1]
            assert crowd(case, simulation, cut.span) >= case.cap
            missing = [each for each in case.partitions if each.key == cut.partition]
            assert len(missing) == 1
            assert missing[0] not in [each.partition for each in exports]
        else:
            assert [each.partition for each in exports] == case.partitions
            check_costs(exports, simulation)
        for each in exports:
            rows = landed(each)
            assert rows == truth(case, simulation, each.partition)
            check_receipt(each, rows, case.cap)


def examples(queries: Sequence[str], count: int):
    def decorated(test):
        return settings(max_examples=count, deadline=None)(given(cases(queries))(test))

    return decorated


@examples(ROW_WISE, 20)
def test_a_row_wise_hunt_lands_its_own_rows(case: Case) -> None:
    """With and without time in the answer, over one partition or several that a call may span."""
    check(case)


@examples(ALIGNED, 12)
def test_an_aligned_hunt_lands_its_own_bins(case: Case) -> None:
    """However its bins lie to the partitions, and whether or not keys divide them."""
    check(case)


@examples(KEYED, 8)
def test_a_keyed_hunt_lands_its_own_groups(case: Case) -> None:
    """Divided by its key alone."""
    check(case)


@examples(WHOLE, 6)
def test_a_whole_hunt_lands_its_one_answer(case: Case) -> None:
    """Or nothing, where one call can't bring it."""
    check(case)


@examples(SNAPSHOTS, 8)
def test_a_snapshot_lands_what_is(case: Case) -> None:
    """Divided by the hash of its key, or else of whole rows."""
    check(case)

"""What an export would do: verdict, slices, calls, rows, running time, and when it would be done.

What belongs here: planning without pulling. What does not: the choice of slices (``slicing``), and
printing (``cli``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.batch import Batch, StagedPartition
from pipelines.errors import PartitionRefused
from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.overdue import TooLate, too_late
from pipelines.slicer import Slicer
from pipelines.slicing import Partition, Plan

Basis = Literal["count", "history", "nothing"]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """The plan of an export. ``basis`` is what its rows rest on, at the weakest.

    ``refused`` are the partitions that can't be exported now, with why, and ``too_late`` those to
    pull that fall off the horizon before their turn comes; ``finish_ns`` is when the quota would
    let the last call end (Unix time, nanoseconds), if nobody else calls.
    """

    hunt: str
    verdict: str
    reason: str
    to_pull: tuple[str, ...]
    committed: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    plan: Plan
    basis: Basis
    counting_calls: int
    finish_ns: int
    too_late: tuple[TooLate, ...]


def plan_export(
    at: HuntInTenant, partitions: Sequence[Partition], *, may_count: bool
) -> ExportPlan:
    """What exporting the partitions would take; what is committed takes nothing.

    Pulls nothing. With ``may_count`` it asks the service to count rows where counting is possible
    and was not done yet, one call for adjacent partitions; the export then plans with that count.
    """
    admitted, refused = _admitted(at, partitions)
    committed = [each for each in admitted if at.committed(each)]
    pending = [at.staged(each) for each in admitted if each not in committed]
    plan = Plan((), ())
    counting_calls = 0
    bases: set[Basis] = set()
    for batch in _batches(at, pending):
        caller = at.caller(batch.partitions[0].partition, interactive=True)
        slicer = Slicer(caller, batch, at.layout)
        if may_count:
            slicer.count_all()
        counting_calls += caller.spent.counting_calls
        bases.add(slicer.basis)
        plan += slicer.plan()
    ends_ns = at.tenant.gate.ends_ns(plan.seconds)
    return ExportPlan(
        hunt=at.hunt.name,
        verdict=str(at.analysis.verdict),
        reason=at.analysis.reason,
        to_pull=tuple(each.partition.key for each in pending),
        committed=tuple(each.key for each in committed),
        refused=tuple(refused),
        plan=plan,
        basis=next(basis for basis in _WEAKEST_FIRST if basis in bases or basis == "count"),
        counting_calls=counting_calls,
        finish_ns=ends_ns[-1] if ends_ns else at.clock.now_ns(),
        too_late=too_late(at, [each.partition for each in pending], plan, ends_ns),
    )


_WEAKEST_FIRST: tuple[Basis, ...] = ("nothing", "history", "count")


def _admitted(
    at: HuntInTenant, partitions: Sequence[Partition]
) -> tuple[list[Partition], list[tuple[str, str]]]:
    admitted, refused = [], []
    for partition in partitions:
        try:
            at.refuse(partition)
        except PartitionRefused as error:
            refused.append((partition.key, str(error)))
        else:
            admitted.append(partition)
    return admitted, refused


def _batches(at: HuntInTenant, pending: Sequence[StagedPartition]) -> list[Batch]:
    runs: list[list[StagedPartition]] = []
    for each in pending:
        if runs and at.may_span(runs[-1][-1].partition, each.partition):
            runs[-1].append(each)
        else:
            runs.append([each])
    return [Batch(run) for run in runs]

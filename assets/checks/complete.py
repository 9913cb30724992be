"""The check ``complete``: every partition's file is what its receipt proves.

What belongs here: what the check says. What does not: what a receipt proves
(``pipelines.soundness``).
"""

from assets.checks.check import ERROR, Check, Evidence, Outcome, counted
from assets.tables import table


def _judge(evidence: Evidence) -> Outcome:
    unsound = [each for each in evidence.landed if each.problems]
    looked_at = counted(len(evidence.landed), "partition")
    if not unsound:
        return Outcome(
            passed=True,
            severity=ERROR,
            description=f"the receipts of {looked_at} prove them whole",
            evidence={"partitions": len(evidence.landed)},
        )
    records = [
        {"partition": each.name, "problem": problem}
        for each in unsound
        for problem in each.problems
    ]
    return Outcome(
        passed=False,
        severity=ERROR,
        partitions={each.name for each in unsound},
        description=f"{len(unsound):,} of {looked_at} can't be relied on",
        evidence={
            "partitions": len(evidence.landed),
            "partitions_unsound": len(unsound),
            "problems": table(records, partition="string", problem="string"),
        },
        todo=(
            "Look at the files: something other than huntlake wrote, moved or damaged them. "
            "Materialize these partitions again with `refresh: true` while the service still has "
            "them. Put back from a backup, or move out of the lake, what is older."
        ),
    )


COMPLETE = Check(
    "complete",
    "Every file's footer is read again: its receipt's slices cover the partition without a gap "
    "or an overlap, each is proven whole, and their rows are those in the file and no fewer than "
    "the service had counted. Where they aren't, nothing downstream is made of them.",
    _judge,
    blocking=True,
)

"""The check ``schema_change``: columns and types are those of the partition before.

What belongs here: what the check says. What does not: the comparison (``pipelines.soundness``).
"""

from assets.checks.check import Check, Evidence, Outcome, counted
from assets.findings import changed_columns
from assets.tables import table
from pipelines.soundness import drifts


def _judge(evidence: Evidence) -> Outcome:
    recent = evidence.recent
    names = {each.name for each in recent}
    changed = [each for each in drifts(evidence.landed) if each.landed.name in names]
    looked_at = counted(len(recent), "partition")
    if not changed:
        return Outcome(
            passed=True,
            description=f"the columns of {looked_at} are what they were before",
            evidence={"partitions_changed": 0},
        )
    records = [
        {
            "partition": each.landed.name,
            "column": column,
            "before": before,
            "now": now,
            "compared_with": each.changes.against,
        }
        for each in reversed(changed)
        for column, before, now in changed_columns(each.changes)
    ]
    columns = ("partition", "column", "before", "now", "compared_with")
    return Outcome(
        passed=False,
        partitions={each.landed.name for each in changed},
        description=f"the columns of {len(changed):,} of {looked_at} changed, last in "
        f"{changed[-1].landed.name}",
        evidence={
            "partitions_changed": len(changed),
            "changes": table(records, **dict.fromkeys(columns, "string")),
        },
        todo=(
            "The hunt's view shows all columns, null where a partition lacks one. See that queries "
            "and reports which name a column go on to find what they expect; to have the same ones "
            "always, name them in the hunt, by `project`."
        ),
    )


SCHEMA_CHANGE = Check(
    "schema_change",
    "Warns of a partition, of those that the service still has, with other columns or types than "
    "the one before it. What does not fit together fails the export instead.",
    _judge,
)

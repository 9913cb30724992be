"""The check ``truncation``: no answer was cut, nor looks as if it had been.

What belongs here: what the check says. What does not: the suspicion (``pipelines.soundness``).
"""

from assets.checks.check import ERROR, WARN, Check, Evidence, Outcome, counted
from assets.tables import table
from pipelines.soundness import suspicious_answers


def _judge(evidence: Evidence) -> Outcome:
    unproven = [(each, text) for each in evidence.landed for text in each.may_be_cut]
    suspicious = list(suspicious_answers(evidence.landed, evidence.hunt.query))
    if not unproven and not suspicious:
        return Outcome(
            passed=True,
            description=f"no answer in {counted(len(evidence.landed), 'partition')} was cut, or "
            f"looks like it",
        )
    records = [
        *({"partition": each.name, "answer": text, "why": _REACHED} for each, text in unproven),
        *(
            {
                "partition": ", ".join(each.partitions),
                "answer": f"{each.rows:,} rows",
                "why": "exactly as many as a cap of the service",
            }
            for each in suspicious
        ),
    ]
    told = [
        *([f"{counted(len(unproven), 'answer')} reached the limit"] if unproven else []),
        *([f"{counted(len(suspicious), 'answer')} of exactly a cap's rows"] if suspicious else []),
    ]
    return Outcome(
        passed=False,
        severity=ERROR if unproven else WARN,
        partitions={
            *(each.name for each, _ in unproven),
            *(name for each in suspicious for name in each.partitions),
        },
        description=", ".join(told),
        evidence={"answers": table(records, partition="string", answer="string", why="string")},
        todo=(
            "Count the partitions again, with `huntlake verify`. Should rows be missing, the "
            "service has a lower cap than huntlake knows of: set `HUNTLAKE_LIMITS` to it, as in "
            "`graph,rows=10000`, and materialize them again with `refresh: true`."
        ),
    )


_REACHED = "nothing proves that there were no more rows"

TRUNCATION = Check(
    "truncation",
    "The service cuts answers without a word. An error where a slice has as many rows as were "
    "allowed and nothing proves it whole; a warning where a whole answer has exactly 10,000, "
    "30,000 or 100,000 rows, as if there were a cap that huntlake doesn't know of.",
    _judge,
    blocking=True,
)

"""The check ``volume``: no partition has unusually many or few rows for its weekday.

What belongs here: what the check says. What does not: what is usual (``pipelines.soundness``).
"""

from assets.checks.check import Check, Evidence, Outcome, counted
from assets.tables import table
from pipelines.soundness import FEWEST_EARLIER, Volume, volumes


def _judge(evidence: Evidence) -> Outcome:
    recent = list(volumes(evidence.landed, since=evidence.horizon))
    judged = [each for each in recent if each.usual is not None]
    unusual = [each for each in judged if each.is_unusual]
    numbers = {"partitions_compared": len(judged), "partitions_unusual": len(unusual)}
    if not judged:
        return Outcome(
            passed=True,
            description=f"not enough history: none of {counted(len(recent), 'partition')} has "
            f"{FEWEST_EARLIER} of the same weekday in the weeks before it",
            evidence=numbers,
        )
    looked_at = counted(len(judged), "partition")
    if not unusual:
        return Outcome(
            passed=True,
            description=f"{looked_at} have about as many rows as in the weeks before",
            evidence=numbers,
        )
    return Outcome(
        passed=False,
        partitions={each.landed.name for each in unusual},
        description=f"unusual: {_words(unusual[-1])}"
        + (f", and {len(unusual) - 1:,} more" if len(unusual) > 1 else "")
        + f", of {looked_at}",
        evidence={
            **numbers,
            "unusual": table(
                [_record(each) for each in reversed(unusual)],
                partition="string",
                rows="int",
                usual="string",
                earlier_weeks="string",
            ),
        },
        todo=(
            "See whether something happened: an outage of a source, an agent that was removed or "
            "rolled out, or an attack. `huntlake verify` counts again and says whether the service "
            "has other rows by now; `refresh: true` pulls them."
        ),
    )


def _words(each: Volume) -> str:
    return f"{each.landed.rows:,} rows in {each.landed.name}, where {_usual(each)} are usual"


def _record(each: Volume) -> dict[str, object]:
    return {
        "partition": each.landed.name,
        "rows": each.landed.rows,
        "usual": _usual(each),
        "earlier_weeks": ", ".join(f"{rows:,}" for rows in each.earlier),
    }


def _usual(each: Volume) -> str:
    if each.usual is None:
        return "unknown"
    return f"{each.usual.least:,.0f} to {each.usual.most:,.0f}"


VOLUME = Check(
    "volume",
    "Warns of partitions that the service still has whose rows are far from those of the same "
    "weekday (and hour) in the six weeks before: by a factor of three at least, and by more where "
    "those weeks differ among themselves. Also of none at all where there were always some.",
    _judge,
)

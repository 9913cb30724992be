"""The check ``gaps``: no day or hour is missing between the first that landed and the last due.

What belongs here: what the check says, and how bad it is. What does not: finding gaps
(``pipelines.soundness``), or loading them (the catch-up sensor).
"""

from typing import Final

from assets.checks.check import ERROR, WARN, Check, Evidence, Outcome, counted
from assets.tables import table
from pipelines.soundness import Gap, gaps
from pipelines.windows import TICKS_PER_SECOND, format_instant

# From here on somebody has to act at once.
_URGENT_DAYS: Final = 3
_URGENT_TICKS: Final = _URGENT_DAYS * 86_400 * TICKS_PER_SECOND


def _judge(evidence: Evidence) -> Outcome:
    landed = {each.partition for each in evidence.landed if each.partition is not None}
    found = gaps(evidence.hunt, landed, now=evidence.now, data_age_days=evidence.data_age_days)
    unit = "hour" if evidence.hunt.export.partitions == "hourly" else "day"
    if not found:
        return Outcome(
            passed=True,
            description=f"no {unit} is missing among {counted(len(landed), unit)} that landed",
            evidence={"missing": 0},
        )
    lost = sum(each.partitions for each in found if each.until is None)
    loadable = sum(each.partitions for each in found) - lost
    first_gone = min((each.until for each in found if each.until is not None), default=None)
    is_urgent = first_gone is not None and first_gone - evidence.now < _URGENT_TICKS
    told = [
        *([f"{counted(loadable, unit)} can still be loaded"] if loadable else []),
        *([f"the first until {format_instant(first_gone)}"] if first_gone is not None else []),
        *([f"{counted(lost, unit)} lost for good"] if lost else []),
    ]
    return Outcome(
        passed=False,
        severity=ERROR if is_urgent else WARN,
        description=f"missing: {', '.join(told)}",
        evidence={
            "missing": loadable + lost,
            "lost": lost,
            "gaps": table(
                [_record(each) for each in found],
                **{"from": "string", "to": "string", "partitions": "int", "loadable": "string"},
            ),
        },
        todo=_todo(loadable=loadable > 0, lost=lost > 0, snapshot=_is_snapshot(evidence)),
    )


def _record(gap: Gap) -> dict[str, object]:
    until = "no, they are lost" if gap.until is None else f"until {format_instant(gap.until)}"
    return {
        "from": gap.first.key,
        "to": gap.last.key,
        "partitions": gap.partitions,
        "loadable": until,
    }


def _is_snapshot(evidence: Evidence) -> bool:
    return evidence.hunt.export.partitions == "snapshot"


def _todo(*, loadable: bool, lost: bool, snapshot: bool) -> str:
    parts = []
    if loadable:
        parts.append(
            "Materialize the missing partitions before they fall off the service's horizon, which "
            "is the oldest instant that it still has."
        )
    if lost:
        why = (
            "a snapshot shows only the day on which it is taken"
            if snapshot
            else "the service has forgotten them"
        )
        parts.append(
            f"What is lost can't be had any more: {why}. To have this check pass over it, set "
            f"`export: start:` of the hunt to a later day."
        )
    return " ".join(parts)


GAPS = Check(
    "gaps",
    "Warns of days or hours without a file, between the first that landed and the last that should "
    "have: those that can still be loaded, and until when, and those that are lost. An error once "
    f"something falls off the horizon in less than {_URGENT_DAYS} days.",
    _judge,
)

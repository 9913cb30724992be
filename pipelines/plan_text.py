"""Plans and verifications as text for a terminal, and as JSON for programs.

What belongs here: words and columns. What does not: computing what they say (``planning``,
``verify``).
"""

import json
from collections.abc import Iterator
from typing import Final

from pipelines.overdue import too_late_lines
from pipelines.planning import ExportPlan
from pipelines.slicing import Slice
from pipelines.verify import Verification
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant

_SLICES_SHOWN: Final = 20
_BINS_SHOWN: Final = 24
_BASES: Final = {
    "count": "counted by the service",
    "history": "expected by what earlier exports brought",
    "nothing": "not known before the first call",
}


def plan_lines(planned: ExportPlan) -> Iterator[str]:
    """The plan, as a person reads it."""
    yield f"{planned.hunt} is {planned.verdict}, since {planned.reason}"
    total = len(planned.to_pull) + len(planned.committed) + len(planned.refused)
    yield (
        f"{_several(total, 'partition')}: {len(planned.to_pull)} to pull, "
        f"{len(planned.committed)} committed, {len(planned.refused)} refused"
    )
    for _, why in planned.refused:
        yield f"  refused: {why}"
    if not planned.to_pull:
        yield "nothing to pull"
        return
    rows = "rows" if planned.plan.rows is None else f"{planned.plan.rows:,} rows"
    yield f"{rows} {_BASES[planned.basis]}{_counted(planned)}"
    yield (
        f"{_several(planned.plan.calls, 'call')}, about {planned.plan.running_seconds:,.0f} s of "
        f"running time; the quota lets the last end at {finish(planned)}"
    )
    if planned.too_late:
        yield from too_late_lines(planned.too_late, len(planned.to_pull))
    yield from _slice_lines(planned.plan.slices)


def plan_json(planned: ExportPlan) -> str:
    """The plan as one JSON object, with every slice."""
    return json.dumps(
        {
            "hunt": planned.hunt,
            "verdict": planned.verdict,
            "reason": planned.reason,
            "to_pull": planned.to_pull,
            "committed": planned.committed,
            "refused": dict(planned.refused),
            "basis": planned.basis,
            "counting_calls": planned.counting_calls,
            "calls": planned.plan.calls,
            "rows": planned.plan.rows,
            "running_seconds": round(planned.plan.running_seconds, 3),
            "finish": finish(planned),
            "too_late": {
                each.partition: {
                    "expires": _second(each.expires_ns),
                    "expected": _second(each.expected_ns),
                }
                for each in planned.too_late
            },
            **planned.plan.to_dict(),
        }
    )


def finish(planned: ExportPlan) -> str:
    """When the last call would end, to the second."""
    return _second(planned.finish_ns)


def verification_lines(verification: Verification) -> Iterator[str]:
    """One partition's verification, with the bins that differ."""
    key = verification.partition.key
    if verification.why is not None:
        yield f"{key}: not verified, since {verification.why}"
        return
    if verification.holds:
        yield f"{key}: {verification.landed:,} rows landed and counted"
        return
    yield f"{key}: DIFFERS: {verification.landed:,} rows landed, {verification.counted:,} counted"
    for each in verification.by_bin[:_BINS_SHOWN]:
        yield f"  {each.window}: {each.landed:,} landed, {each.counted:,} counted"
    if len(verification.by_bin) > _BINS_SHOWN:
        yield f"  and {_several(len(verification.by_bin) - _BINS_SHOWN, 'bin')} more"


def _second(at_ns: int) -> str:
    return f"{format_instant(at_ns // NANOSECONDS_PER_TICK)[:19]}Z"


def _counted(planned: ExportPlan) -> str:
    if planned.counting_calls:
        return f" ({_several(planned.counting_calls, 'call')} made)"
    return ""


def _slice_lines(slices: tuple[Slice, ...]) -> Iterator[str]:
    for number, each in enumerate(slices[:_SLICES_SHOWN], start=1):
        rows = "" if each.expected is None else f"  {each.expected:>9,.0f} rows"
        yield f"{number:>4}  {each.span}{rows}"
    if len(slices) > _SLICES_SHOWN:
        yield f"      and {len(slices) - _SLICES_SHOWN} more; --output json has them all"


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"

"""The state of the quotas as text for a terminal of 80 columns, and as JSON for programs.

What belongs here: words and columns. What does not: computing what they say (``quota_report``), or
the picture (``quota_plot``).
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

import click

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.quota import CallQuota, Queued, Quota, Urgency
from pipelines.quota_report import QuotaReport, QuotaState, Spending, last_day
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant

_BAR: Final = 20
_NAME: Final = 22
_HUNT: Final = 26
_HUNTS_SHOWN: Final = 20
_QUEUE_SHOWN: Final = 20
_WHOLE, _LARGE = 0.05, 100
# Two of a unit at least, before a larger one says enough.
_SECONDS, _MINUTES, _HOURS = 120, 120, 48
_TIGHT, _USED_UP = 0.7, 0.95
_PER: Final = {"min": "a minute", "h": "an hour", "day": "a day"}
_WHY: Final = {
    Urgency.EXPIRING: "falls off the horizon within a day",
    Urgency.INTERACTIVE: "somebody waits for it",
    Urgency.NIGHTLY: "the last days",
    Urgency.BACKFILL: "older days",
}


def quota_lines(report: QuotaReport) -> Iterator[str]:
    """The state of the quotas, as a person reads it."""
    yield click.style(f"Quota of tenant {report.tenant} at {_instant(report.now_ns)}", bold=True)
    yield ""
    for state in report.quotas:
        yield from _quota(state, report)
    if not report.states_running_time:
        yield from _unstated(report)
    if report.refused is not None:
        until = _when(report.refused.at_ns, report.now_ns)
        yield click.style(f"refused until {until}:", fg="red")
        yield click.style(f"  {report.refused.reason}", fg="red")
    yield ""
    yield from _spent(report)
    yield ""
    yield from _in_flight(report)
    yield from _queue(report)


def _quota(state: QuotaState, report: QuotaReport) -> Iterator[str]:
    quota, used = state.quota, state.used
    total = state.ours + state.by_others
    name = f"{_what(quota)} {_PER[quota.unit]}"
    unit = "" if isinstance(quota, CallQuota) else " s"
    yield (
        f"{name:<{_NAME}} {_bar(total / quota.amount)}  {_amount(total)} of "
        f"{_amount(quota.amount)}{unit} used, {_amount(state.left)}{unit} left"
    )
    if used.frees_ns is not None and used.all_free_ns is not None:
        now_ns = report.now_ns
        all_free = f"; all at {_when(used.all_free_ns, now_ns)}"
        alone = used.all_free_ns == used.frees_ns
        yield f"  some is free at {_when(used.frees_ns, now_ns)}{'' if alone else all_free}"
    if state.by_others:
        yield f"  {_amount(state.by_others)}{unit} of it by others, as the service's refusals told"
    if report.limits.share < 1:
        yield f"  huntlake's share is {_amount(state.share)}{unit}"
    if report.limits.reserve:
        yield (
            f"  schedules and backfills leave {_amount(state.share - state.background)}{unit} to "
            f"people: {_amount(state.left_to_background)}{unit} left to them"
        )


def _unstated(report: QuotaReport) -> Iterator[str]:
    hour = sum(each.running_seconds for each in report.spent_last_hour)
    yield f"{'running time':<{_NAME}} {_amount(hour)} s used in the last hour"
    yield "  no quota of it is stated: how much is too much, only the service's 429 tells"


def _spent(report: QuotaReport) -> Iterator[str]:
    when = _period(report)
    if not report.spent:
        yield f"Nothing was called {when}."
        if report.other_tenants:
            yield f"The ledger knows calls to {', '.join(report.other_tenants)}; see --tenant."
        return
    hour = {each.hunt: each for each in report.spent_last_hour}
    yield click.style(f"Who spent it {when}", bold=True)
    yield _dim(f"  {'hunt':<{_HUNT}} calls seconds of it in 1 h failed 429s  last call")
    for each in report.spent[:_HUNTS_SHOWN]:
        latest = hour.get(each.hunt)
        yield (
            f"  {_cut(each.hunt, _HUNT):<{_HUNT}} {each.calls:>5,} "
            f"{_amount(each.running_seconds):>7} {each.part:>5.0%} "
            f"{_amount(latest.running_seconds) if latest else '-':>6} "
            f"{each.failed or '-':>6} {each.refused or '-':>4}  "
            f"{_time(each.last_ns, report.now_ns)}"
        )
    rest = report.spent[_HUNTS_SHOWN:]
    if rest:
        yield f"  and {len(rest)} more, {_amount(sum(each.running_seconds for each in rest))} s"


def _in_flight(report: QuotaReport) -> Iterator[str]:
    call = report.in_flight
    if call is not None:
        since = _span(report.now_ns - call.started_ns)
        yield f"In flight for {since}: {call.hunt} {call.partition}".rstrip()
    elif report.forecast.queue:
        yield "No call is in flight."
    else:
        yield "No call is in flight, and nobody waits."


def _queue(report: QuotaReport) -> Iterator[str]:
    queue = report.forecast.queue
    if not queue:
        return
    yield ""
    yield click.style("Who waits, in the order of their next calls", bold=True)
    for number, each in enumerate(queue[:_QUEUE_SHOWN], start=1):
        turn = each.waiter.turn
        yield f"{number:>3}  {turn.hunt} {turn.partition}".rstrip()
        yield f"     {turn.urgency}: {_WHY[turn.urgency]}"
        calls = f"{each.calls:,} call{'' if each.calls == 1 else 's'}, {_amount(each.seconds)} s"
        yield f"     {calls}; {_forecast(each, report)}"
    if len(queue) > _QUEUE_SHOWN:
        yield f"     and {len(queue) - _QUEUE_SHOWN} more; --output json has them all"


def _forecast(each: Queued, report: QuotaReport) -> str:
    reach = _when(report.forecast.until_ns, report.now_ns)
    if each.start_ns is None:
        return f"starts after {reach}"
    start = (
        "starts now"
        if each.start_ns <= report.now_ns
        else f"starts {_time(each.start_ns, report.now_ns)}"
    )
    if each.done_ns is None:
        return f"{start}, done after {reach}"
    return f"{start}, done {_when(each.done_ns, report.now_ns)}"


def quota_json(report: QuotaReport) -> str:
    """All of it as one JSON object; times are UTC, amounts are calls or seconds."""
    limits = report.limits
    return json.dumps(
        {
            "tenant": report.tenant,
            "now": _instant(report.now_ns),
            "share": limits.share,
            "reserve": limits.reserve,
            "quotas": [_quota_values(each) for each in report.quotas],
            "refused": None
            if report.refused is None
            else {"until": _instant(report.refused.at_ns), "reason": report.refused.reason},
            "from": _instant(report.period.since_ns),
            "to": _instant(report.period.until_ns),
            "hunts": [_spending_values(each) for each in report.spent],
            "hunts_last_hour": [_spending_values(each) for each in report.spent_last_hour],
            "in_flight": None
            if report.in_flight is None
            else {
                "hunt": report.in_flight.hunt,
                "partition": report.in_flight.partition,
                "urgency": str(report.in_flight.urgency),
                "started": _instant(report.in_flight.started_ns),
            },
            "queue": [_queued_values(each) for each in report.forecast.queue],
            "forecast_until": _instant(report.forecast.until_ns),
        }
    )


def _quota_values(state: QuotaState) -> dict[str, Any]:
    quota, used = state.quota, state.used
    return {
        "quota": str(quota),
        "of": "calls" if isinstance(quota, CallQuota) else "running_seconds",
        "per_seconds": quota.per_seconds,
        "windows": "calendar" if quota.calendar else "sliding",
        "amount": quota.amount,
        "share": state.share,
        "share_of_background": state.background,
        "used": round(state.ours + state.by_others, 3),
        "used_by_others": round(state.by_others, 3),
        "left": round(state.left, 3),
        "left_to_background": round(state.left_to_background, 3),
        "next_free": _instant_or_none(used.frees_ns),
        "all_free": _instant_or_none(used.all_free_ns),
    }


def _spending_values(each: Spending) -> dict[str, Any]:
    return {
        "hunt": each.hunt,
        "calls": each.calls,
        "running_seconds": round(each.running_seconds, 3),
        "part": round(each.part, 4),
        "failed": each.failed,
        "refused": each.refused,
        "last_call": _instant(each.last_ns),
    }


def _queued_values(each: Queued) -> dict[str, Any]:
    turn = each.waiter.turn
    return {
        "hunt": turn.hunt,
        "partition": turn.partition,
        "urgency": str(turn.urgency),
        "since": _instant(each.waiter.since_ns),
        "falls_off_the_horizon": _instant_or_none(turn.due_ns),
        "calls": each.calls,
        "running_seconds": round(each.seconds, 3),
        "starts": _instant_or_none(each.start_ns),
        "done": _instant_or_none(each.done_ns),
    }


def _period(report: QuotaReport) -> str:
    if report.period == last_day(report.now_ns):
        return "in the last day"
    return f"on {_instant(report.period.since_ns)[:10]}"


def _what(quota: Quota) -> str:
    return "calls" if isinstance(quota, CallQuota) else "running time"


def _bar(part: float) -> str:
    # Whatever is used shows, and it is full only when nothing is left.
    filled = min(_BAR if part >= 1 else _BAR - 1, math.ceil(part * _BAR))
    colour = "green" if part < _TIGHT else "yellow" if part < _USED_UP else "red"
    return click.style("█" * filled, fg=colour) + _dim("░" * (_BAR - filled))


def _amount(number: float) -> str:
    """Calls are whole anyway; of seconds, as many digits as matter."""
    is_whole = abs(number - round(number)) < _WHOLE
    return f"{number:,.0f}" if is_whole or number >= _LARGE else f"{number:,.1f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _instant(at_ns: int) -> str:
    return f"{format_instant(at_ns // NANOSECONDS_PER_TICK)[:19]}Z"


def _instant_or_none(at_ns: int | None) -> str | None:
    return None if at_ns is None else _instant(at_ns)


def _time(at_ns: int, now_ns: int) -> str:
    """The time of day, and the day where that isn't today."""
    text = _instant(at_ns)
    same_day = text[:10] == _instant(now_ns)[:10]
    return text[11:] if same_day else f"{text[5:10]} {text[11:16]}Z"


def _when(at_ns: int, now_ns: int) -> str:
    return f"{_time(at_ns, now_ns)} (in {_span(at_ns - now_ns)})"


def _span(ns: int) -> str:
    """A duration, rounded up: nothing is promised too early."""
    seconds = max(0, math.ceil(ns / NANOSECONDS_PER_SECOND))
    if seconds < _SECONDS:
        return f"{seconds} s"
    minutes = math.ceil(seconds / 60)
    if minutes < _MINUTES:
        return f"{minutes} min"
    hours = math.ceil(minutes / 60)
    return f"{hours} h" if hours < _HOURS else f"{hours / 24:.1f} days"


def _dim(text: str) -> str:
    return click.style(text, dim=True)

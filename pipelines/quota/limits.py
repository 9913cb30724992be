"""What the service allows: caps of one response and quotas over time, as profiles.

What belongs here: the numbers, their sources, and overriding them one by one.
What does not: counting calls against them (``ledger``).

Limits differ by contract, tenant and year, so nothing else in huntlake knows a number. All are for
one tenant, shared by every application and perhaps by people in the portal.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeVar

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class CallQuota:
    """At most ``calls`` calls may start in any ``per_seconds``; ``calendar``: in each whole one."""

    calls: int
    per_seconds: int
    calendar: bool = False

    @property
    def amount(self) -> float:
        """What it allows, in calls."""
        return self.calls

    @property
    def unit(self) -> str:
        """The window's short name: min, h, day."""
        return _UNITS[self.per_seconds]

    def part(self, share: float) -> float:
        """A share of it, in whole calls; one at least, without which nothing is ever done."""
        return max(1, math.floor(self.calls * share + _TRACE))

    def of(self, amount: float) -> "CallQuota":
        """The same with another amount."""
        return replace(self, calls=int(amount))

    def __str__(self) -> str:
        return f"{self.calls:,} calls {_PER[self.per_seconds]}"


@dataclass(frozen=True, slots=True)
class RunningQuota:
    """Calls may run for at most ``seconds`` in all in any ``per_seconds``.

    ``calendar``: in each whole one.
    """

    seconds: float
    per_seconds: int
    calendar: bool = False

    @property
    def amount(self) -> float:
        """What it allows, in seconds."""
        return self.seconds

    @property
    def unit(self) -> str:
        """The window's short name: min, h, day."""
        return _UNITS[self.per_seconds]

    def part(self, share: float) -> float:
        """A share of it, in seconds."""
        return self.seconds * share

    def of(self, amount: float) -> "RunningQuota":
        """The same with another amount."""
        return replace(self, seconds=amount)

    def __str__(self) -> str:
        return f"{self.seconds:,g} s of running time {_PER[self.per_seconds]}"


Quota = CallQuota | RunningQuota


@dataclass(frozen=True, slots=True)
class Limits:
    """One contract with the service.

    ``rows`` and ``response_bytes`` are caps of one response (``None``: no cap is stated),
    ``request_seconds`` is how long one call may run, ``data_age_days`` how far back data reaches.
    ``share`` is the part of each quota that huntlake uses at all, which leaves the rest to people
    and other tools; ``reserve`` the part of it that schedules and backfills leave to what a person
    runs by hand.
    """

    rows: int
    response_bytes: int | None
    request_seconds: float
    data_age_days: int
    calls: tuple[CallQuota, ...]
    running: tuple[RunningQuota, ...]
    share: float = 1.0
    reserve: float = 0.0

    def usable(self, *, reserve: bool) -> float:
        """The part of each quota for a call that may use the ``reserve`` too, or may not."""
        return self.share if reserve else self.share - self.reserve

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """All quotas over time, those of calls first."""
        return (*self.calls, *self.running)


# What a product of floats may lack.
_TRACE: Final = 1e-9

_PER: Final[Mapping[int, str]] = {
    MINUTE_SECONDS: "a minute",
    HOUR_SECONDS: "an hour",
    DAY_SECONDS: "a day",
}

_UNITS: Final[Mapping[int, str]] = {
    MINUTE_SECONDS: "min",
    HOUR_SECONDS: "h",
    DAY_SECONDS: "day",
}

# The contract that huntlake was asked for; fewer calls than any surface allows today.
_SEED: Final = Limits(
    rows=100_000,
    response_bytes=None,
    request_seconds=600,
    data_age_days=30,
    calls=(CallQuota(15, MINUTE_SECONDS),),
    running=(RunningQuota(600, HOUR_SECONDS), RunningQuota(14_400, DAY_SECONDS)),
)

# Today's surfaces, from their documentation. The newer two state a share of CPU for each 15 minutes
# instead of running time: nothing can be counted beforehand, so their 429 is the only measure.
PROFILES: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "seed": _SEED,
        "xdr": Limits(
            rows=100_000,
            response_bytes=None,
            request_seconds=180,
            data_age_days=30,
            calls=(CallQuota(45, MINUTE_SECONDS),),
            running=(),
        ),
        "graph": Limits(
            rows=100_000,
            response_bytes=50_000_000,
            request_seconds=180,
            data_age_days=30,
            calls=(CallQuota(45, MINUTE_SECONDS),),
            running=(),
        ),
        "mde": Limits(
            rows=100_000,
            response_bytes=50_000_000,
            request_seconds=200,
            data_age_days=30,
            calls=(CallQuota(45, MINUTE_SECONDS), CallQuota(1_500, HOUR_SECONDS)),
            running=(RunningQuota(600, HOUR_SECONDS), RunningQuota(10_800, DAY_SECONDS)),
        ),
    }
)

_CALLS: Final = {"calls_per_minute": MINUTE_SECONDS, "calls_per_hour": HOUR_SECONDS}
_RUNNING: Final = {"running_per_hour": HOUR_SECONDS, "running_per_day": DAY_SECONDS}
OVERRIDES: Final = (
    "rows",
    "response_bytes",
    "data_age_days",
    "request_seconds",
    *_CALLS,
    *_RUNNING,
    "share",
    "reserve",
    "windows",
)
_Quota = TypeVar("_Quota", CallQuota, RunningQuota)


def parse_limits(text: str) -> Limits:
    """A profile's name, then overrides: ``seed,rows=50000,calls_per_minute=30,share=0.8``.

    ``windows=calendar`` holds for the quotas named before it. Raises ``ValueError`` for an unknown
    profile or override, or a number that isn't positive.
    """
    name, *overrides = (part.strip() for part in text.split(","))
    if name not in PROFILES:
        raise ValueError(f"{name!r} is no profile of limits; there are {', '.join(PROFILES)}")
    limits = PROFILES[name]
    for override in overrides:
        limits = _overridden(limits, override)
    if limits.reserve >= limits.share:
        raise ValueError(
            f"reserve={limits.reserve:g} leaves nothing of share={limits.share:g} to schedules and "
            f"backfills; make it smaller"
        )
    return limits


def _overridden(limits: Limits, override: str) -> Limits:  # noqa: PLR0911 - one for each limit
    key, _, value = (part.strip() for part in override.partition("="))
    if key in _CALLS:
        calls = CallQuota(_whole(key, value), _CALLS[key])
        return replace(limits, calls=_with(limits.calls, calls))
    if key in _RUNNING:
        running = RunningQuota(_number(key, value), _RUNNING[key])
        return replace(limits, running=_with(limits.running, running))
    match key:
        case "rows":
            return replace(limits, rows=_whole(key, value))
        case "response_bytes":
            return replace(limits, response_bytes=_whole(key, value))
        case "data_age_days":
            return replace(limits, data_age_days=_whole(key, value))
        case "request_seconds":
            return replace(limits, request_seconds=_number(key, value))
        case "share":
            return replace(limits, share=_share(key, value))
        case "reserve":
            return replace(limits, reserve=_share(key, value))
        case "windows":
            return _with_windows(limits, value)
    raise ValueError(f"{key!r} is no limit; there are {', '.join(OVERRIDES)}")


def _with_windows(limits: Limits, value: str) -> Limits:
    """Sliding windows, or those of the calendar: the service starts each anew at its first second.

    No source says that it does, so every profile slides, which no calendar can catch out.
    """
    if value not in ("sliding", "calendar"):
        raise ValueError(f"windows must be sliding or calendar, not {value!r}")
    calendar = value == "calendar"
    return replace(
        limits,
        calls=tuple(replace(each, calendar=calendar) for each in limits.calls),
        running=tuple(replace(each, calendar=calendar) for each in limits.running),
    )


def _share(key: str, text: str) -> float:
    number = _number(key, text)
    if number > 1:
        raise ValueError(f"{key} is a part of the quota, up to 1, not {text!r}")
    return number


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise ValueError(f"{key} must be a number above 0, not {text!r}")
    return number


def _whole(key: str, text: str) -> int:
    number = _number(key, text)
    if number != int(number):
        raise ValueError(f"{key} must be a whole number, not {text!r}")
    return int(number)


def _with(quotas: tuple[_Quota, ...], quota: _Quota) -> tuple[_Quota, ...]:
    others: list[_Quota] = [other for other in quotas if other.per_seconds != quota.per_seconds]
    others.append(quota)
    return tuple(sorted(others, key=lambda each: each.per_seconds))

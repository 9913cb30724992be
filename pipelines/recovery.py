"""What to do about a failed call: one table, and the bounds of each remedy.

What belongs here: the policy. What does not: telling errors apart (``api``), or acting (``pull``).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pipelines.errors import (
    ConnectionFailed,
    HuntlakeError,
    MalformedResponse,
    ServiceUnavailable,
    Throttled,
    TooMuchForOneCall,
)


class Remedy(StrEnum):
    """What may follow a failed call."""

    WAIT = "wait"  # the ledger knows until when; then the same call again
    RETRY = "retry"  # the same call again, after a pause that grows
    CUT = "cut"  # smaller slices
    FAIL = "fail"  # nothing that huntlake can do


@dataclass(frozen=True, slots=True)
class Policy:
    """A remedy, how often in a row it is tried for one slice, and what follows after that."""

    remedy: Remedy
    tries: int = 1
    then: Remedy = Remedy.FAIL


# A 500 or 504 can mean "passing" or "too heavy" (both are recorded), so retries end in a cut.
_POLICIES: Final[Mapping[type[HuntlakeError], Policy]] = MappingProxyType(
    {
        Throttled: Policy(Remedy.WAIT, tries=20),
        TooMuchForOneCall: Policy(Remedy.CUT),
        ServiceUnavailable: Policy(Remedy.RETRY, tries=4, then=Remedy.CUT),
        ConnectionFailed: Policy(Remedy.RETRY, tries=4),
        MalformedResponse: Policy(Remedy.RETRY, tries=2),
    }
)
_FAIL: Final = Policy(Remedy.FAIL, tries=0)

_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


def remedy_for(error: HuntlakeError, attempt: int) -> Remedy:
    """The remedy after a slice failed for the ``attempt``-th time in a row (counted from 1)."""
    policy = next(
        (_POLICIES[cls] for cls in type(error).__mro__ if cls in _POLICIES),
        _FAIL,
    )
    return policy.remedy if attempt <= policy.tries else policy.then


def pause_seconds(attempt: int) -> float:
    """How long to wait before the next try: doubling, capped, and jittered.

    Jitter keeps many clients that failed together from coming back together.
    """
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311 - nothing secret about a pause

"""What to do about a failed call: one table, and the bounds of each remedy.

What belongs here: the policy. What does not: telling errors apart (``api``), or acting (``pull``).
``docs/failures.md`` is this table for whoever runs exports; a test compares the two.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pipelines.errors import (
    CallTimedOut,
    ConnectionFailed,
    Forbidden,
    HuntlakeError,
    LakeUnwritable,
    MalformedResponse,
    QueryRejected,
    QueryTooHeavy,
    ResultTooLarge,
    ServiceUnavailable,
    SignInError,
    SignInUnavailable,
    Throttled,
    Unauthorized,
    UnexpectedResponse,
)


class Remedy(StrEnum):
    """What may follow a failed call."""

    WAIT = "wait"  # the ledger knows until when; then the same call again
    RETRY = "retry"  # the same call again, after a pause that grows
    FRESH_TOKEN = "fresh token"  # noqa: S105 - the same call again, signed in anew
    CUT = "cut"  # smaller slices
    FAIL = "fail"  # nothing that huntlake can do


@dataclass(frozen=True, slots=True)
class Policy:
    """What follows an error of one kind.

    ``remedy`` is tried ``tries`` times for one slice, and ``then`` follows. If that is a cut, its
    parts are not tried again but cut again, until an answer comes; after ``cuts`` cuts in a row
    (``None``: as long as there is something to cut) the slice has failed. A slice that can't be cut
    is asked for ``uncut_tries`` times more instead. ``sign`` is what the error is known by, and
    ``advice`` what is to be done once the slice has failed.
    """

    sign: str
    remedy: Remedy
    advice: str
    tries: int = 0
    then: Remedy = Remedy.FAIL
    uncut_tries: int = 0
    cuts: int | None = None


# By then a month is cut to ten minutes: it is not for their size that they fail.
_CUTS_OF_A_FAILING_SERVICE: Final = 12
_LATER: Final = "wait until the service is well, and run the export again"
_SMALLER_HUNT: Final = "filter or summarise the hunt further, or make its partitions hourly"

POLICIES: Final[Mapping[type[HuntlakeError], Policy]] = MappingProxyType(
    {
        Throttled: Policy(
            "429, whichever quota it names",
            Remedy.WAIT,
            "see who else uses the tenant's quota, and give huntlake a smaller share of it",
            tries=20,
        ),
        ResultTooLarge: Policy("400: allowed result size", Remedy.CUT, _SMALLER_HUNT),
        # "This could possibly be due to high CPU and/or memory": sometimes it passes.
        QueryTooHeavy: Policy(
            "400: exceeded the allowed limits", Remedy.CUT, _SMALLER_HUNT, uncut_tries=2
        ),
        # Its running time is spent, ten minutes of an hour's ten perhaps: one more try, no more.
        CallTimedOut: Policy(
            "408, 504, or silence for longer than a call may take",
            Remedy.RETRY,
            _SMALLER_HUNT,
            tries=1,
            then=Remedy.CUT,
            cuts=_CUTS_OF_A_FAILING_SERVICE,
        ),
        # A 500 can mean "passing" or "too heavy" (both are recorded), so retries end in a cut.
        ServiceUnavailable: Policy(
            "500, 502, 503, and any other 5xx",
            Remedy.RETRY,
            _LATER,
            tries=4,
            then=Remedy.CUT,
            cuts=_CUTS_OF_A_FAILING_SERVICE,
        ),
        ConnectionFailed: Policy(
            "no connection, one that broke, or a body that ended too early",
            Remedy.RETRY,
            "check the network, HTTPS_PROXY and HUNTLAKE_CA_BUNDLE",
            tries=4,
        ),
        MalformedResponse: Policy(
            "200 with a body that is no whole answer",
            Remedy.RETRY,
            "see what stands between huntlake and the service, and report it with the request id",
            tries=2,
        ),
        SignInUnavailable: Policy(
            "the sign-in service can't be reached, or is not well",
            Remedy.RETRY,
            "check the network, AZURE_AUTHORITY_HOST, HTTPS_PROXY and HUNTLAKE_CA_BUNDLE",
            # For a minute msal itself repeats what a failing sign-in service has said.
            tries=6,
        ),
        Unauthorized: Policy(
            "401",
            Remedy.FRESH_TOKEN,
            "check AZURE_TENANT_ID, HUNTLAKE_SURFACE and the tenant's licence",
            tries=1,
        ),
        SignInError: Policy(
            "the sign-in service refuses the application",
            Remedy.FAIL,
            "do what the message says about its AADSTS code",
        ),
        Forbidden: Policy(
            "403",
            Remedy.FAIL,
            "grant the permission that the message names, with admin consent",
        ),
        QueryRejected: Policy(
            "400: any other, such as a semantic error or a table that isn't there",
            Remedy.FAIL,
            "correct the hunt, or get the licence for its table",
        ),
        UnexpectedResponse: Policy(
            "any other status",
            Remedy.FAIL,
            "check HUNTLAKE_API_URL and HTTPS_PROXY: another host may have answered",
        ),
        LakeUnwritable: Policy(
            "a file can't be written, or there is no room for an answer",
            Remedy.FAIL,
            "make room, or let huntlake write there, and run the export again",
        ),
    }
)
# What is wrong with a hunt, its settings or its partition is no call's failure.
_FAIL: Final = Policy("", Remedy.FAIL, "do what the message says")

_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


def policy_for(error: HuntlakeError) -> tuple[type[HuntlakeError], Policy]:
    """The policy of the error's kind, and that kind."""
    kinds = (kind for kind in type(error).__mro__ if issubclass(kind, HuntlakeError))
    kind = next((kind for kind in kinds if kind in POLICIES), HuntlakeError)
    return kind, POLICIES.get(kind, _FAIL)


def remedy_for(
    policy: Policy, attempt: int, *, can_be_cut: bool = True, cuts_before: int = 0
) -> Remedy:
    """The remedy after a slice failed in one way for the ``attempt``-th time (counted from 1).

    ``cuts_before`` are the cuts for the same since the last answer.
    """
    last = policy.then if policy.tries else policy.remedy
    tries = 0 if last is Remedy.CUT and can_be_cut and cuts_before else policy.tries
    if attempt <= tries:
        return policy.remedy
    if last is not Remedy.CUT:
        return last
    if not can_be_cut:
        return Remedy.RETRY if attempt <= tries + policy.uncut_tries else Remedy.FAIL
    return Remedy.CUT if policy.cuts is None or cuts_before < policy.cuts else Remedy.FAIL


@dataclass(frozen=True, slots=True)
class Step:
    """What follows one failure, and after how many seconds; ``attempt`` is the call that failed."""

    remedy: Remedy
    pause_seconds: float
    attempt: int


@dataclass(slots=True)
class Failures:
    """The failures in a row of one slice; ``cuts`` are those since the last answer, by kind."""

    cuts: Counter[type[HuntlakeError]]
    can_be_cut: bool = True
    _seen: Counter[type[HuntlakeError]] = field(default_factory=Counter)

    def next_step(self, error: HuntlakeError) -> Step:
        """What follows one failure more."""
        kind, policy = policy_for(error)
        self._seen[kind] += 1
        before = self.cuts[kind]
        remedy = remedy_for(
            policy, self._seen[kind], can_be_cut=self.can_be_cut, cuts_before=before
        )
        attempt = self._seen.total()
        # A service that fails is not helped by less, but by time: the pause is before a cut too.
        passes = remedy is Remedy.RETRY or (remedy is policy.then and policy.remedy is Remedy.RETRY)
        pause = pause_seconds(attempt + before) if passes and remedy is not Remedy.FAIL else 0.0
        if remedy is Remedy.CUT:
            self.cuts[kind] += 1
        return Step(remedy, pause, attempt)


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures: doubling, capped, and jittered.

    Jitter keeps many clients that failed together from coming back together.
    """
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311 - nothing secret about a pause

"""What follows a failed call: the table, its bounds, and the pauses."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import errors
from pipelines.errors import (
    ApiError,
    CallTimedOut,
    ConnectionFailed,
    Forbidden,
    HuntlakeError,
    LakeUnwritable,
    MalformedResponse,
    PartitionRefused,
    QueryRejected,
    QueryTooHeavy,
    ResultTooLarge,
    ServiceUnavailable,
    SignInError,
    SignInUnavailable,
    Throttled,
    TooMuchForOneCall,
    Unauthorized,
    UnexpectedResponse,
)
from pipelines.recovery import POLICIES, Failures, Remedy, pause_seconds, policy_for

THROTTLED = Throttled("", retry_after_seconds=1, quota="calls")
WAIT, RETRY, CUT, FAIL, TOKEN = (
    Remedy.WAIT,
    Remedy.RETRY,
    Remedy.CUT,
    Remedy.FAIL,
    Remedy.FRESH_TOKEN,
)


def remedies(error: HuntlakeError, count: int, *, can_be_cut: bool = True) -> list[Remedy]:
    """What follows so many failures in a row of one slice."""
    failures = Failures(Counter(), can_be_cut=can_be_cut)
    return [failures.next_step(error).remedy for _ in range(count)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (THROTTLED, [WAIT] * 20 + [FAIL]),
        (ResultTooLarge(""), [CUT]),
        (QueryTooHeavy(""), [CUT]),
        (CallTimedOut(""), [RETRY, CUT]),
        (ServiceUnavailable(""), [RETRY] * 4 + [CUT]),
        (ConnectionFailed(""), [RETRY] * 4 + [FAIL]),
        (MalformedResponse(""), [RETRY] * 2 + [FAIL]),
        (SignInUnavailable(""), [RETRY] * 6 + [FAIL]),
        (Unauthorized(""), [TOKEN, FAIL]),
        (Forbidden(""), [FAIL]),
        (SignInError(""), [FAIL]),
        (QueryRejected(""), [FAIL]),
        (UnexpectedResponse(""), [FAIL]),
        (LakeUnwritable(""), [FAIL]),
        (PartitionRefused(""), [FAIL]),
    ],
)
def test_each_error_has_its_remedy_within_bounds(
    error: HuntlakeError, expected: list[Remedy]
) -> None:
    """The attempts in a row, and what follows the last of them."""
    assert remedies(error, len(expected)) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ResultTooLarge(""), [FAIL]),
        (QueryTooHeavy(""), [RETRY] * 2 + [FAIL]),
        (CallTimedOut(""), [RETRY, FAIL]),
        (ServiceUnavailable(""), [RETRY] * 4 + [FAIL]),
    ],
)
def test_what_can_not_be_cut_is_tried_again_where_that_may_help(
    error: HuntlakeError, expected: list[Remedy]
) -> None:
    """A query that was preempted may have been in bad company; one too large stays too large."""
    assert remedies(error, len(expected), can_be_cut=False) == expected


@pytest.mark.parametrize(("kind", "bound"), [(ServiceUnavailable, 12), (CallTimedOut, 12)])
def test_a_service_that_fails_is_not_cut_for_ever(kind: type[ApiError], bound: int) -> None:
    """Its parts aren't tried again, but cut, a pause before each; twelve cuts make a month ten
    minutes, and what fails then fails for another reason.
    """
    cuts: Counter[type[HuntlakeError]] = Counter()
    steps = []
    while not steps or steps[-1].remedy is not FAIL:
        failures = Failures(cuts)
        steps.append(failures.next_step(kind("")))
        while steps[-1].remedy is RETRY:
            steps.append(failures.next_step(kind("")))
    tries = POLICIES[kind].tries
    assert [step.remedy for step in steps] == [RETRY] * tries + [CUT] * bound + [FAIL]
    assert all(step.pause_seconds for step in steps[:-1])


def test_troubles_of_one_kind_use_up_no_tries_of_another() -> None:
    """A token may expire after a row of failures; each attempt is counted all the same."""
    failures = Failures(Counter())
    for error in [*[ServiceUnavailable("")] * 4, *[MalformedResponse("")] * 2]:
        assert failures.next_step(error).remedy is RETRY
    step = failures.next_step(Unauthorized(""))
    assert (step.remedy, step.attempt) == (TOKEN, 7)


def test_no_row_of_errors_is_endless() -> None:
    """Whatever kinds are mixed, a slice is given up, or cut, within the sum of all bounds."""
    most = sum(each.tries + each.uncut_tries for each in POLICIES.values())
    failures = Failures(Counter())
    kinds = [THROTTLED, *(kind("") for kind in POLICIES if kind is not Throttled)]
    passing = [each for each in kinds if policy_for(each)[1].tries]
    seen = [failures.next_step(passing[number % len(passing)]) for number in range(most + 1)]
    assert any(step.remedy in (CUT, FAIL) for step in seen)


def leaves(kind: type[HuntlakeError]) -> Iterator[type[HuntlakeError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for each in below:
        yield from leaves(each)


def test_every_error_of_a_call_has_a_policy_of_its_own() -> None:
    """Whoever adds one decides what follows it."""
    of_calls = {*leaves(ApiError), MalformedResponse, LakeUnwritable}
    assert of_calls <= POLICIES.keys()
    assert POLICIES.keys() - of_calls == {SignInError}
    assert TooMuchForOneCall not in POLICIES
    assert all(getattr(errors, kind.__name__) is kind for kind in POLICIES)


@given(st.integers(1, 50))
def test_pauses_grow_are_jittered_and_end(failures: int) -> None:
    """Between half and the whole of a doubling time, a minute at most."""
    longest = min(2.0 * 2 ** (failures - 1), 60.0)
    assert longest / 2 <= pause_seconds(failures) <= longest

"""What follows a failed call: the table, its bounds, and the pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import (
    ApiError,
    CallTimedOut,
    ConnectionFailed,
    Forbidden,
    HuntlakeError,
    MalformedResponse,
    PartitionRefused,
    QueryRejected,
    QueryTooHeavy,
    ResultTooLarge,
    ServiceUnavailable,
    SignInError,
    Throttled,
    Unauthorized,
    UnexpectedResponse,
)
from pipelines.recovery import Remedy, pause_seconds, remedy_for


@pytest.mark.parametrize(
    ("error", "remedies"),
    [
        (Throttled("", retry_after_seconds=1, quota="calls"), [Remedy.WAIT] * 20 + [Remedy.FAIL]),
        (ResultTooLarge(""), [Remedy.CUT]),
        (QueryTooHeavy(""), [Remedy.CUT]),
        (CallTimedOut(""), [Remedy.CUT]),
        (ServiceUnavailable(""), [Remedy.RETRY] * 4 + [Remedy.CUT]),
        (ConnectionFailed(""), [Remedy.RETRY] * 4 + [Remedy.FAIL]),
        (MalformedResponse(""), [Remedy.RETRY] * 2 + [Remedy.FAIL]),
        (Forbidden(""), [Remedy.FAIL]),
        (Unauthorized(""), [Remedy.FAIL]),
        (SignInError(""), [Remedy.FAIL]),
        (QueryRejected(""), [Remedy.FAIL]),
        (UnexpectedResponse(""), [Remedy.FAIL]),
        (PartitionRefused(""), [Remedy.FAIL]),
    ],
)
def test_each_error_has_its_remedy_within_bounds(
    error: HuntlakeError, remedies: list[Remedy]
) -> None:
    """The attempts in a row, and what follows the last of them."""
    assert [remedy_for(error, attempt) for attempt in range(1, len(remedies) + 1)] == remedies


def test_no_error_is_tried_for_ever() -> None:
    """Whatever it is, the hundredth attempt is not repeated."""
    for kind in (ApiError, ServiceUnavailable, ConnectionFailed, MalformedResponse):
        assert remedy_for(kind(""), 100) in (Remedy.FAIL, Remedy.CUT)


@given(st.integers(1, 50))
def test_pauses_grow_are_jittered_and_end(attempt: int) -> None:
    """Between half and the whole of a doubling time, a minute at most."""
    longest = min(2.0 * 2 ** (attempt - 1), 60.0)
    assert longest / 2 <= pause_seconds(attempt) <= longest

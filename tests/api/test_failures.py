"""What a response that is no answer means: the contract's table, row by row."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.api import SURFACES, failure
from pipelines.errors import (
    ApiError,
    CallTimedOut,
    Forbidden,
    QueryRejected,
    QueryTooHeavy,
    ResultTooLarge,
    ServiceUnavailable,
    Throttled,
    Unauthorized,
    UnexpectedResponse,
)

RECORDED = Path(__file__).parents[3] / "shared" / "responses" / "errors"
NOW = datetime(2026, 11, 20, 6, 5, 30, tzinfo=UTC)
GRAPH = SURFACES["graph"]


def read(status: int, body: object, headers: dict[str, str] | None = None) -> ApiError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure(status, headers or {}, content, GRAPH, NOW)


def enveloped(message: str, code: str = "BadRequest") -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Query execution has exceeded the allowed result size. Optimize", ResultTooLarge),
        (400, "Query execution has exceeded the allowed amount of results", ResultTooLarge),
        (400, "Query execution has exceeded the allowed limits. The query", QueryTooHeavy),
        (400, "'where' operator: Failed to resolve table or column expression", QueryRejected),
        (400, "'summarize' operator: Failed to resolve scalar expression", QueryRejected),
        (401, "Unauthorized request - reason of failure: Account mode", Unauthorized),
        (403, "Missing application roles. API required roles: X", Forbidden),
        (408, "", CallTimedOut),
        (500, "", ServiceUnavailable),
        (502, "", ServiceUnavailable),
        (503, "", ServiceUnavailable),
        (504, "", CallTimedOut),
        (302, "", UnexpectedResponse),
        (418, "teapot", UnexpectedResponse),
    ],
)
def test_each_row_of_the_contract_is_an_error_of_its_own(
    status: int, message: str, kind: type[ApiError]
) -> None:
    """Status and message decide; the status and the code are kept."""
    error = read(status, enveloped(message))
    assert type(error) is kind
    assert (error.status, error.code) == (status, "BadRequest")


@pytest.mark.parametrize(
    ("message", "code", "headers", "seconds", "quota"),
    [
        ("maximum allowed 45 per 00:01:00", "429", {}, 60, "unknown"),
        ("API calls quota exceeded! maximum allowed 45 per 00:01:00", "429", {}, 60, "calls"),
        ("API calls quota exceeded! maximum allowed 1500 per 01:00:00", "429", {}, 3_600, "calls"),
        (
            "API calls quota exceeded! Maximum allowed 30 per 00:01:00. Send again in 8 seconds.",
            "429",
            {},
            8,
            "calls",
        ),
        (
            "You have exceeded processing resources. You can run queries again in 2871 seconds",
            "CpuQuotaExceeded",
            {},
            2_871,
            "running time",
        ),
        ("Please retry again later.", "TooManyRequests", {"retry-after": "10"}, 10, "unknown"),
        ("again in 99 seconds", "429", {"retry-after": "10"}, 10, "unknown"),
        # 06:05:30 is nine and a half minutes before the next quarter of an hour.
        ("Please retry again later.", "TooManyRequests", {}, 570, "unknown"),
        ("Please retry again later.", "429", {"retry-after": "soon"}, 570, "unknown"),
    ],
)
def test_how_long_to_wait_comes_from_what_says_it_best(
    message: str, code: str, headers: dict[str, str], seconds: float, quota: str
) -> None:
    """Header, "again in N seconds", the window named, the next 15 minutes: in this order."""
    error = read(429, enveloped(message, code), headers)
    assert isinstance(error, Throttled)
    assert (error.retry_after_seconds, error.quota) == (seconds, quota)


def test_a_retry_after_may_be_a_date() -> None:
    """HTTP allows both forms."""
    date = format_datetime(NOW + timedelta(seconds=42), usegmt=True)
    error = read(429, enveloped(""), {"retry-after": date})
    assert isinstance(error, Throttled)
    assert error.retry_after_seconds == 42


def test_a_date_is_read_by_the_sender_s_clock() -> None:
    """Ours may be wrong by minutes, and the wait would be as wrong: endless, or none at all."""
    theirs = NOW - timedelta(minutes=20)
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=42), usegmt=True),
    }
    error = read(429, enveloped(""), headers)
    assert isinstance(error, Throttled)
    assert error.retry_after_seconds == 42


@given(st.text() | st.floats().map(str) | st.datetimes().map(format_datetime), st.text())
def test_no_header_or_message_makes_a_wait_that_is_no_wait(header: str, message: str) -> None:
    """Never negative, never endless, never not a number."""
    error = read(429, enveloped(message), {"retry-after": header})
    assert isinstance(error, Throttled)
    assert 0 <= error.retry_after_seconds <= 86_400


@pytest.mark.parametrize(
    "header",
    [
        "nan",
        "inf",
        "-5",
        "1e300",
        "Mon, 99 Foo 2026",
        f"Fri, 20 Nov {'9' * 30} 06:00:00 GMT",
        f"Fri, 20 Nov 2026 06:00:00 +{'9' * 30}",
        "Fri, 20 Nov 2020 06:00:00 GMT",
        "Fri, 20 Nov 2026 06",
    ],
)
@pytest.mark.parametrize(
    "message",
    [
        "",
        f"again in {'9' * 5_000} seconds",
        f"again in {'9' * 400}.5 seconds",
        f"per {'9' * 5_000}:00:00",
        "per 9999:99:99",
    ],
)
def test_an_absurd_wait_is_kept_within_a_day(header: str, message: str) -> None:
    """Whatever a gateway writes, the export neither crashes nor sleeps for ever."""
    error = read(429, enveloped(message), {"retry-after": header})
    assert isinstance(error, Throttled)
    assert 0 <= error.retry_after_seconds <= 86_400


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_headers_are_read_without_case(name: str) -> None:
    """As httpx hands them over."""
    error = failure(429, httpx.Headers({name: "7"}), b"{}", GRAPH, NOW)
    assert isinstance(error, Throttled)
    assert error.retry_after_seconds == 7


@given(st.integers(201, 599), st.binary(max_size=300) | st.sampled_from([b"{}", b"null"]))
def test_any_body_ends_in_a_named_error(status: int, body: bytes) -> None:
    """A page, half a JSON, nothing at all: an ``ApiError``, and no other exception."""
    assert isinstance(read(status, body), ApiError)


def test_a_page_keeps_its_first_part() -> None:
    """Some 403 are HTML; what it says is worth more than that it is no JSON."""
    error = read(403, b"<html><h1>Forbidden by the proxy</h1>" + b"x" * 5_000)
    assert isinstance(error, Forbidden)
    assert "Forbidden by the proxy" in str(error)
    assert len(str(error)) < 1_000


@pytest.mark.parametrize("status", [302, 400, 404, 405])
def test_a_page_of_another_host_is_not_the_query_s_fault(status: int) -> None:
    """A gateway that turned the call down knows nothing of KQL; the settings lead to it."""
    error = read(status, b"<html>Bad Request</html>")
    assert type(error) is UnexpectedResponse
    assert "HUNTLAKE_API_URL" in str(error)
    assert "Bad Request" in str(error)


def test_a_missing_permission_is_named_for_the_surface() -> None:
    """The remedy is the permission of the surface that was called."""
    assert "ThreatHunting.Read.All" in str(read(403, enveloped("no")))
    xdr = failure(403, {}, b"{}", SURFACES["xdr"], NOW)
    assert "AdvancedHunting.Read.All" in str(xdr)


def test_the_request_id_is_kept() -> None:
    """From the body where Graph puts it, else from the headers."""
    inner = {"innerError": {"request-id": "in-the-body"}, "code": "x", "message": ""}
    assert read(500, {"error": inner}, {"request-id": "in-a-header"}).request_id == "in-the-body"
    assert read(500, {}, {"request-id": "in-a-header"}).request_id == "in-a-header"


KINDS = {
    "400_result_size": ResultTooLarge,
    "graph_400_limits_preempted": QueryTooHeavy,
    "graph_400_semantic": QueryRejected,
    "graph_400_unknown_table": QueryRejected,
    "graph_429_cpu_quota": Throttled,
    "graph_429_generic_docs": Throttled,
    "graph_500_unknown": ServiceUnavailable,
    "graph_504_unknown": CallTimedOut,
    "legacy_429_calls_1500_per_hour": Throttled,
    "legacy_429_calls_45_per_minute": Throttled,
    "mde_401_account_inactive": Unauthorized,
    "mde_403_missing_roles": Forbidden,
    "mde_429_per_key_send_again_in_8_seconds": Throttled,
}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses are not here")
def test_each_recorded_error_is_the_right_one() -> None:
    """Every body that was recorded of the service."""
    found = {path.stem: json.loads(path.read_text()) for path in RECORDED.glob("*.json")}
    assert found.keys() == KINDS.keys()
    for name, recorded in found.items():
        assert type(read(recorded["_status"], recorded["body"])) is KINDS[name], name

"""The replies of faults that are refusals: status and body alone.

What belongs here: a reply for each such fault. What does not: faults of the connection or of the
body, which spoil an answer on its way (``spoiling``).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.hunts import SurfaceName
from pipelines.standin.faults import Fault
from pipelines.standin.replies import TOO_HEAVY, Reply, error_reply

_WAIT_SECONDS: Final = 10
_UNKNOWN: Final = "UnknownError"
_CALLS: Final = "API calls quota exceeded! maximum allowed"


def refuse(fault: Fault | None, surface: SurfaceName, clock: Clock) -> Reply:
    """The reply of a fault that is a refusal."""
    if fault is None:
        raise ValueError("no fault")
    if fault is Fault.RETRY_AFTER_DATE:
        now = datetime.fromtimestamp(clock.now_ns() // NANOSECONDS_PER_SECOND, UTC)
        date = format_datetime(now + timedelta(seconds=_WAIT_SECONDS), usegmt=True)
        return _gateway(surface, date)
    return _REPLIES[fault](surface)


def _gateway(surface: SurfaceName, retry_after: str) -> Reply:
    return error_reply(
        surface,
        429,
        "TooManyRequests",
        "Please retry again later.",
        {"Retry-After": retry_after},
    )


def _says(status: int, code: str, message: str) -> Callable[[SurfaceName], Reply]:
    return lambda surface: error_reply(surface, status, code, message)


_REPLIES: Final[Mapping[Fault, Callable[[SurfaceName], Reply]]] = {
    Fault.CALLS_A_MINUTE: _says(429, "429", f"{_CALLS} 45 per 00:01:00"),
    Fault.CALLS_AN_HOUR: _says(429, "429", f"{_CALLS} 1500 per 01:00:00"),
    Fault.SEND_AGAIN: _says(
        429,
        "429",
        "API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key "
        "Destination+TenantID+AppID. You can send requests again in 8 seconds.",
    ),
    Fault.CPU: _says(
        429,
        "CpuQuotaExceeded",
        "You have exceeded processing resources allocated to this tenant. You can run queries "
        "again in 2871 seconds",
    ),
    Fault.RETRY_AFTER: lambda surface: _gateway(surface, str(_WAIT_SECONDS)),
    Fault.TIMED_OUT: _says(408, "RequestTimeout", "The request timed out."),
    Fault.SERVER_ERROR: _says(500, _UNKNOWN, ""),
    Fault.BAD_GATEWAY: _says(502, _UNKNOWN, ""),
    Fault.UNAVAILABLE: _says(503, _UNKNOWN, ""),
    Fault.GATEWAY_TIMEOUT: _says(504, _UNKNOWN, ""),
    Fault.TOO_HEAVY: _says(400, "BadRequest", TOO_HEAVY),
    Fault.FORBIDDEN_HTML: lambda _: Reply(
        403, b"<html><body><h1>403 Forbidden</h1></body></html>", content_type="text/html"
    ),
}

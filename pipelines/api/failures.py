"""What a response that is no answer means.

What belongs here: from status, headers and body to one of the ``ApiError`` classes. What does not:
what to do about it (``recovery``). The service names the kind of quota, and how long to wait, only
in the text of its message; the texts are those that were recorded.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypedDict

from pipelines.api.surfaces import Surface
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

_EXCERPT_CHARACTERS: Final = 500
_LONGEST_WAIT_SECONDS: Final = 86_400.0
_CYCLE: Final = timedelta(minutes=15)

_AGAIN: Final = re.compile(r"again in (\d{1,9}(?:\.\d{1,9})?) seconds", re.IGNORECASE)
_WINDOW: Final = re.compile(r"\bper (\d{1,4}):(\d{2}):(\d{2})")
# "amount of results" is the older text of the same error.
_TOO_LARGE: Final = ("allowed result size", "amount of results")
_TOO_HEAVY: Final = ("exceeded the allowed limits", "was preempted")
_NO_TABLE: Final = "failed to resolve table"


class _About(TypedDict):
    """What every ``ApiError`` carries."""

    status: int
    code: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What the body of an error says; ``found`` is whether it said so in an envelope."""

    found: bool
    code: str | None
    message: str
    request_id: str | None


def failure(
    status: int, headers: Mapping[str, str], body: bytes, surface: Surface, now: datetime
) -> ApiError:
    """The error that a response with another status than 200 is. ``now`` is an aware datetime."""
    envelope = _envelope(headers, body)
    about = _About(status=status, code=envelope.code, request_id=envelope.request_id)
    said = f"the service says: {envelope.message}" if envelope.message else f"HTTP {status}"
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(
                f"a quota of the tenant is used up; {said}",
                retry_after_seconds=_retry_after(headers, envelope.message, now),
                quota=_quota(envelope),
                **about,
            )
        case HTTPStatus.BAD_REQUEST:
            return _bad_request(surface, envelope, said, about)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _no_access(surface, said, about)
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.GATEWAY_TIMEOUT:
            return CallTimedOut(f"the call took longer than one may; {said}", **about)
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ServiceUnavailable(f"the service failed with {status}; {said}", **about)
    return _unexpected(surface, said, about)


def request_id_of(headers: Mapping[str, str], otherwise: str | None = None) -> str | None:
    """The id by which Microsoft's support finds the request."""
    for name in ("request-id", "x-ms-request-id", "client-request-id"):
        if value := headers.get(name):
            return value
    return otherwise


def _no_access(surface: Surface, said: str, about: _About) -> ApiError:
    if about["status"] == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(
            f"the token was refused; {said}. Check that AZURE_TENANT_ID is the tenant that has "
            f"Defender, and that HUNTLAKE_SURFACE is the one you have a licence for",
            **about,
        )
    return Forbidden(
        f"a permission is missing; {said}. Grant {surface.permission} and the tenant's admin "
        f"consent to it",
        **about,
    )


def _unexpected(surface: Surface, said: str, about: _About) -> ApiError:
    return UnexpectedResponse(
        f"HTTP {about['status']}, which {surface.name} is not known to answer; {said}. Check "
        f"HUNTLAKE_API_URL, HUNTLAKE_SURFACE and HTTPS_PROXY, since another host may have answered",
        **about,
    )


def _bad_request(surface: Surface, envelope: _Envelope, said: str, about: _About) -> ApiError:
    text = envelope.message.lower()
    if any(phrase in text for phrase in _TOO_LARGE):
        return ResultTooLarge(f"the answer has more bytes than one may have; {said}", **about)
    if any(phrase in text for phrase in _TOO_HEAVY):
        return QueryTooHeavy(f"the query needs more than one call may use; {said}", **about)
    if _NO_TABLE in text:
        return QueryRejected(
            f"the tenant has no such table: it may be misspelt, or need a licence or a permission "
            f"that the application lacks; {said}",
            **about,
        )
    if not envelope.found:
        # A gateway's own page: the query may never have reached the service.
        return _unexpected(surface, said, about)
    return QueryRejected(f"the query is wrong; {said}", **about)


def _quota(envelope: _Envelope) -> str:
    if envelope.code == "CpuQuotaExceeded" or "processing resources" in envelope.message.lower():
        return "running time"
    return "calls" if "calls quota" in envelope.message.lower() else "unknown"


def _retry_after(headers: Mapping[str, str], message: str, now: datetime) -> float:
    """Seconds to wait, from what says it best: header, message, the window it names, the cycle."""
    header = headers.get("retry-after", "").strip()
    # By the sender's own clock, where it tells it: ours may be minutes off.
    seconds = _header_seconds(header, _moment(headers.get("date", "")) or now)
    if seconds is None and (again := _AGAIN.search(message)):
        seconds = float(again.group(1))
    if seconds is None and (window := _WINDOW.search(message)):
        hours, minutes, rest = (int(part) for part in window.groups())
        seconds = float(hours * 3_600 + minutes * 60 + rest)
    if seconds is None:
        seconds = _to_next_cycle(now)
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def _header_seconds(header: str, now: datetime) -> float | None:
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        moment = _moment(header)
        return (moment - now).total_seconds() if moment else None
    return seconds if math.isfinite(seconds) else None


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_next_cycle(now: datetime) -> float:
    """Seconds to the next quarter of an hour, when the service gives out CPU anew."""
    since_hour = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    return (_CYCLE - since_hour % _CYCLE).total_seconds()


def _envelope(headers: Mapping[str, str], body: bytes) -> _Envelope:
    """The body's envelope; of a body that has none, its first part."""
    excerpt = " ".join(body.decode("utf-8", "replace").split())[:_EXCERPT_CHARACTERS]
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if not isinstance(error, dict):
        return _Envelope(found=False, code=None, message=excerpt, request_id=request_id_of(headers))
    inner = error.get("innerError") or error.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    request_id = inner.get("request-id")
    return _Envelope(
        found=True,
        code=error["code"] if isinstance(error.get("code"), str) else None,
        message=error["message"] if isinstance(error.get("message"), str) else excerpt,
        request_id=request_id if isinstance(request_id, str) else request_id_of(headers),
    )

"""What the stand-in says when it says no, in the words that were recorded of the service.

What belongs here: status, headers and bodies of refusals. What does not: when they are due.
"""

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pipelines.hunts import SurfaceName
from pipelines.standin.limits import Refusal

TOO_LARGE: Final = (
    "Query execution has exceeded the allowed result size. Optimize your query by limiting the "
    "number of results and try again."
)
TOO_HEAVY: Final = (
    "Query execution has exceeded the allowed limits. The query execution was preempted. This "
    "could possibly be due to high CPU and/or memory resource consumption. Optimize your query by "
    "following best practices and try again."
)
PERMISSIONS: Final[Mapping[SurfaceName, str]] = {
    "graph": "ThreatHunting.Read.All",
    "xdr": "AdvancedHunting.Read.All",
    "mde": "AdvancedQuery.Read.All",
}


REQUEST_ID: Final = "request-id"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer to one request."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def head(
    reply: Reply, length: int, encoding: str | None, client_request_id: str | None
) -> Mapping[str, str]:
    """The headers of a reply whose body has this length on the wire."""
    headers = {
        "Content-Type": reply.content_type,
        "Content-Length": str(length),
        REQUEST_ID: str(uuid.uuid4()),
        **reply.headers,
    }
    if client_request_id:
        headers["client-request-id"] = client_request_id
    if encoding:
        headers["Content-Encoding"] = encoding
    return headers


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a JSON body."""
    return Reply(status, json.dumps(value).encode(), headers or {})


def error_reply(
    surface: SurfaceName,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error in the envelope of the surface; its id is the header's too."""
    error: dict[str, Any] = {"code": code, "message": message}
    request_id = str(uuid.uuid4())
    if surface == "graph":
        error["innerError"] = {
            "date": "2026-01-01T00:00:00",
            "request-id": request_id,
            "client-request-id": str(uuid.uuid4()),
        }
    else:
        error["target"] = "|stand-in"
    return json_reply(status, {"error": error}, {REQUEST_ID: request_id, **(headers or {})})


def quota_reply(surface: SurfaceName, refusal: Refusal) -> Reply:
    """The 429 for a quota that is used up."""
    wait = math.ceil(refusal.wait_seconds)
    if refusal.of_running_time:
        return error_reply(
            surface,
            HTTPStatus.TOO_MANY_REQUESTS,
            "CpuQuotaExceeded",
            f"You have exceeded processing resources allocated to this tenant. You can run queries "
            f"again in {wait} seconds",
        )
    minutes, seconds = divmod(int(refusal.window_seconds), 60)
    hours, minutes = divmod(minutes, 60)
    window = f"{refusal.amount:.0f} per {hours:02}:{minutes:02}:{seconds:02}"
    if surface == "graph":
        message = (
            f"API calls quota exceeded! Maximum allowed {window} for the key "
            f"Destination+TenantID+AppID. You can send requests again in {wait} seconds."
        )
    else:
        # The older words, which tell no wait.
        message = f"API calls quota exceeded! maximum allowed {window}."
    return error_reply(surface, HTTPStatus.TOO_MANY_REQUESTS, "429", message)


def unauthorized(surface: SurfaceName, reason: str) -> Reply:
    """The 401 for a token that isn't taken."""
    message = f"Unauthorized request - reason of failure: {reason}"
    return error_reply(surface, HTTPStatus.UNAUTHORIZED, "Unauthorized", message)


def forbidden(surface: SurfaceName) -> Reply:
    """The 403 for a permission that is missing."""
    message = (
        f"Missing application roles. API required roles: {PERMISSIONS[surface]}, application roles"
    )
    return error_reply(surface, HTTPStatus.FORBIDDEN, "Forbidden", message)

"""The stand-in's endpoints for managed identities: App Service's and the virtual machines'.

What belongs here: what the two ask for and answer. What does not: tokens (``signin``). The real
ones speak plain HTTP on the machine itself; these speak HTTPS like all of the stand-in.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pipelines.clock import NANOSECONDS_PER_SECOND, SystemClock
from pipelines.standin.refused import SignInRefused

# A token's word and life for a resource.
Issue = Callable[[str], tuple[str, int]]

APP_SERVICE: Final = "/msi/token"
VIRTUAL_MACHINE: Final = "/metadata/identity/oauth2/token"
_Answer = tuple[HTTPStatus, Mapping[str, Any]]


@dataclass(slots=True)
class ManagedIdentities:
    """The identities of the resource that asks: its own, and user-assigned ones by client id."""

    issue: Issue
    has_own: bool = True
    assigned: set[str] = field(default_factory=set)
    # Proves that who asks runs on the resource.
    header: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def answer(self, path: str, asked: Mapping[str, str], headers: Mapping[str, str]) -> _Answer:
        """What the endpoint at the path answers."""
        given = {name.lower(): value for name, value in headers.items()}
        if path == APP_SERVICE:
            return self._app_service(asked, given)
        return self._virtual_machine(asked, given)

    def _app_service(self, asked: Mapping[str, str], headers: Mapping[str, str]) -> _Answer:
        if not secrets.compare_digest(headers.get("x-identity-header", ""), self.header):
            return _said(HTTPStatus.UNAUTHORIZED, "The identity header is missing or wrong.")
        if not self._has(asked):
            return _said(
                HTTPStatus.BAD_REQUEST,
                "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
            )
        try:
            word, seconds = self.issue(asked.get("resource", ""))
        except SignInRefused as refused:
            return _said(HTTPStatus.BAD_REQUEST, f"AADSTS{refused.code}: {refused}")
        # msal takes the time until then by the machine's clock, whatever the stand-in's own says.
        now = SystemClock().now_ns() // NANOSECONDS_PER_SECOND
        return HTTPStatus.OK, {
            "access_token": word,
            "expires_on": str(now + seconds),
            "resource": asked.get("resource"),
            "token_type": "Bearer",
        }

    def _virtual_machine(self, asked: Mapping[str, str], headers: Mapping[str, str]) -> _Answer:
        # Keeps what can be made to fetch a page, but not with a header, from fetching a token.
        if headers.get("metadata") != "true":
            return _failed("invalid_request", "Required metadata header not specified")
        if not self._has(asked):
            return _failed("invalid_request", "Identity not found")
        try:
            word, seconds = self.issue(asked.get("resource", ""))
        except SignInRefused as refused:
            return _failed(refused.error, f"AADSTS{refused.code}: {refused}")
        return HTTPStatus.OK, {
            "access_token": word,
            "expires_in": str(seconds),
            "resource": asked.get("resource"),
            "token_type": "Bearer",
        }

    def _has(self, asked: Mapping[str, str]) -> bool:
        client_id = asked.get("client_id")
        return self.has_own if client_id is None else client_id in self.assigned


def _said(status: HTTPStatus, message: str) -> _Answer:
    return status, {"statusCode": status.value, "message": message}


def _failed(error: str, description: str) -> _Answer:
    return HTTPStatus.BAD_REQUEST, {"error": error, "error_description": description}

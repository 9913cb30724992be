"""The stand-in without a socket: a call is a function call.

What belongs here: what HTTP does between a client and the service, faults too. What does not: what
is answered (``service``). Tests and simulations that make thousands of calls run the engine's real
client over this, in a few milliseconds a call; what needs TLS or a server needs ``Standin``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import httpx

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.hunts import SurfaceName
from pipelines.standin.faults import Fault
from pipelines.standin.replies import head, json_reply
from pipelines.standin.service import PATHS, Service
from pipelines.standin.signin import RESOURCES, SignIn
from pipelines.standin.spoiling import packed

_DEFAULT_SCOPE: Final = "/.default"


@dataclass(frozen=True, slots=True)
class InProcessTransport(httpx.BaseTransport):
    """Hands each request to the service, and its reply back."""

    service: Service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The reply to the request. Raises what httpx raises of a connection that breaks."""
        surface = PATHS.get(request.url.path)
        if request.method != "POST" or surface is None:
            reply, fault = json_reply(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound"}}), None
        else:
            authorization = request.headers.get("Authorization", "")
            reply, fault = self.service.answer(surface, authorization, request.read())
        if reply.status != HTTPStatus.OK:
            fault = None
        if fault is Fault.RESET:
            raise httpx.ReadError("the stand-in reset the connection", request=request)
        body, encoding = reply.body, None
        if reply.status == HTTPStatus.OK:
            accepted = request.headers.get("Accept-Encoding", "")
            body, encoding = packed(reply.body, fault, accepted)
        seconds = self.service.clock.now_ns() / NANOSECONDS_PER_SECOND
        headers = {
            "Date": formatdate(seconds, usegmt=True),
            **head(reply, len(body), encoding, request.headers.get("client-request-id")),
        }
        stream = _Body(body, fault, self.service, request)
        return httpx.Response(reply.status, headers=headers, stream=stream)


@dataclass(frozen=True, slots=True)
class _Body(httpx.SyncByteStream):
    """A body on its way, in two halves: what goes wrong in its middle goes wrong between them."""

    content: bytes
    fault: Fault | None
    service: Service
    request: httpx.Request

    def __iter__(self) -> Iterator[bytes]:
        middle = len(self.content) // 2
        yield self.content[:middle]
        if self.fault is Fault.RESET_MID_BODY:
            raise httpx.ReadError("the stand-in reset the connection", request=self.request)
        if self.fault is Fault.SLOW_BODY:
            self.service.clock.sleep(self.service.faults.slow_seconds)
        yield self.content[middle:]


@dataclass(slots=True)
class InProcessTokens:
    """Signs in with the application's secret, and renews a token once it has expired."""

    sign_in: SignIn
    surface: SurfaceName
    _token: str = field(default="", repr=False)

    def token(self) -> str:
        """A token that is good at the moment."""
        if self.sign_in.find(self._token) is None:
            form = {
                "client_id": self.sign_in.client_id,
                "client_secret": self.sign_in.client_secret,
                "scope": RESOURCES[self.surface] + _DEFAULT_SCOPE,
            }
            issued = self.sign_in.issue(form, self.sign_in.tenant_id, "")
            self._token = str(issued["access_token"])
        return self._token

    def discard(self) -> None:
        """Forget the token that was refused."""
        self._token = ""

    def close(self) -> None:
        """Nothing is open."""

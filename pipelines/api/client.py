"""One call: a query goes out, and the bytes of its answer come back as they arrive.

What belongs here: the protocol, and telling a whole answer from a broken one. What does not: what
the bytes say (``landing``), when a call may be made (``quota``), what follows a failure
(``recovery``).
"""

import hashlib
import json
import ssl
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self, cast

import httpx
from isal import isal_zlib

from pipelines.api.connection import open_connection
from pipelines.api.failures import failure, request_id_of
from pipelines.api.signin import TokenSource
from pipelines.api.surfaces import Surface
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.errors import CallTimedOut, ConnectionFailed

_CONNECT_SECONDS: Final = 20.0
# The service ends a call by itself when its time is up; only a dead connection says nothing.
_READ_GRACE_SECONDS: Final = 30.0
# A hundred megabytes at a megabit a second; a connection that trickles holds the tenant's one call.
_BODY_SECONDS: Final = 900.0
_GZIP_WINDOW: Final = 16 + isal_zlib.MAX_WBITS
# Its stubs call the class an instance.
_NO_GZIP: Final = cast("type[Exception]", isal_zlib.error)


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of a whole answer: its inflated bytes, the seconds on the wire, and its id.

    ``sha256`` and ``body_bytes`` are of the inflated body.
    """

    body_bytes: int
    wire_seconds: float
    request_id: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class RawAnswer(Received):
    """The same, with the body itself."""

    body: bytes = field(repr=False)


class HuntingClient:
    """Sends queries to one surface. A context manager: it holds what connections need."""

    def __init__(  # noqa: PLR0913 - its parts, each by name; built in one place (`engine`)
        self,
        surface: Surface,
        *,
        api_url: str | None,
        tokens: TokenSource,
        tls: ssl.SSLContext,
        clock: Clock,
        request_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._surface = surface
        self._endpoint = surface.endpoint(api_url)
        self._tokens = tokens
        self._clock = clock
        self._http = open_connection(
            tls,
            httpx.Timeout(_CONNECT_SECONDS, read=request_seconds + _READ_GRACE_SECONDS),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def run(self, query: str) -> RawAnswer:
        """One call with this query, for answers that are small. Raises what ``stream`` raises."""
        body = bytearray()
        received = self.stream(query, body.extend)
        return RawAnswer(**asdict(received), body=bytes(body))

    def stream(self, query: str, receive: Callable[[bytes], None]) -> Received:
        """One call with this query, whose answer is handed over, inflated, while it comes in.

        What was handed over is an answer only if this returns. Raises the ``ApiError`` that the
        service's answer, or the lack of one, amounts to.
        """
        client_request_id = str(uuid.uuid4())
        token = self._tokens.token()
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json; charset=utf-8",
            "client-request-id": client_request_id,
        }
        started_ns = self._clock.now_ns()
        digest, body_bytes, refused = hashlib.sha256(), 0, bytearray()
        try:
            with self._http.stream(
                "POST", self._endpoint, content=json.dumps({"Query": query}), headers=headers
            ) as response:
                take = receive if response.status_code == httpx.codes.OK else refused.extend
                for chunk in self._within_time(_inflated(response), client_request_id):
                    digest.update(chunk)
                    body_bytes += len(chunk)
                    take(chunk)
        except httpx.TimeoutException as error:
            raise self._timed_out(error, client_request_id) from error
        except httpx.HTTPError as error:
            raise self._broken(error, client_request_id) from error
        if response.status_code != httpx.codes.OK:
            now = datetime.fromtimestamp(self._clock.now_ns() / NANOSECONDS_PER_SECOND, UTC)
            # A gateway's page may show the request that it turned down.
            shown = bytes(refused).replace(token.encode(), b"(token)")
            refusal = failure(response.status_code, response.headers, shown, self._surface, now)
            refusal.request_id = refusal.request_id or client_request_id
            raise refusal
        return Received(
            body_bytes=body_bytes,
            wire_seconds=(self._clock.now_ns() - started_ns) / NANOSECONDS_PER_SECOND,
            request_id=request_id_of(response.headers, client_request_id),
            sha256=digest.hexdigest(),
        )

    def _within_time(self, chunks: Iterator[bytes], request_id: str) -> Iterator[bytes]:
        """The chunks; raises where they trickle in for longer than any answer takes."""
        started_ns = self._clock.now_ns()
        for chunk in chunks:
            yield chunk
            if self._clock.now_ns() - started_ns > _BODY_SECONDS * NANOSECONDS_PER_SECOND:
                raise CallTimedOut(
                    f"the answer of {self._surface.name} was not whole after {_BODY_SECONDS:.0f} "
                    f"s; the call's running time is spent",
                    request_id=request_id,
                )

    def _timed_out(
        self, error: httpx.TimeoutException, request_id: str
    ) -> CallTimedOut | ConnectionFailed:
        # Before it waits for the answer, the service has not run anything.
        if not isinstance(error, httpx.ReadTimeout):
            return self._broken(error, request_id)
        return CallTimedOut(
            f"{self._surface.name} sent nothing for too long; the call's running time is spent",
            request_id=request_id,
        )

    def _broken(self, error: httpx.HTTPError, request_id: str) -> ConnectionFailed:
        return ConnectionFailed(
            f"the connection to {self._endpoint} failed: {error or type(error).__name__}. Check "
            f"HUNTLAKE_API_URL, HTTPS_PROXY and HUNTLAKE_CA_BUNDLE if it stays so",
            request_id=request_id,
        )


def _inflated(response: httpx.Response) -> Iterator[bytes]:
    """The body's bytes; raises where a gzip stream stops before its end, which httpx lets pass."""
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        yield from response.iter_bytes()
        return
    inflate = isal_zlib.decompressobj(_GZIP_WINDOW)
    try:
        for chunk in response.iter_raw():
            yield inflate.decompress(chunk)
        yield inflate.flush()
    except _NO_GZIP as error:
        raise httpx.DecodingError(f"the answer is not the gzip it says it is ({error})") from error
    if not inflate.eof:
        raise httpx.DecodingError("the gzip of the answer ends too early")
    if inflate.unused_data:
        raise httpx.DecodingError("the answer goes on after the end of its gzip")

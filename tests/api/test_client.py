"""One call: what is sent, and telling a whole answer from a broken one."""

import gzip
import hashlib
import json
import logging
import ssl
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest

from pipelines.api import SURFACES, HuntingClient
from pipelines.clock import SimulatedClock
from pipelines.errors import (
    ApiError,
    CallTimedOut,
    ConnectionFailed,
    Forbidden,
    Unauthorized,
    UnexpectedResponse,
)

SECRET = "token-that-nobody-may-see"
BODY = json.dumps({"schema": [], "results": []}).encode()


class Tokens:
    """Hands out numbered tokens, a new one after each ``discard``."""

    def __init__(self) -> None:
        self.discarded = 0

    def token(self) -> str:
        return f"{SECRET}-{self.discarded}"

    def discard(self) -> None:
        self.discarded += 1

    def close(self) -> None:
        """Nothing is open."""


def gzipped(content: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """A response whose body is still to be read, as from a socket."""
    headers = {"Content-Encoding": "gzip", **(headers or {})}
    return httpx.Response(200, stream=httpx.ByteStream(content), headers=headers)


def a_client(
    handler: Callable[[httpx.Request], httpx.Response],
    surface: str = "graph",
    api_url: str | None = None,
    clock: SimulatedClock | None = None,
) -> HuntingClient:
    return HuntingClient(
        SURFACES[surface],
        api_url=api_url,
        tokens=Tokens(),
        tls=ssl.create_default_context(),
        clock=clock or SimulatedClock(0),
        request_seconds=5,
        transport=httpx.MockTransport(handler),
    )


@pytest.mark.parametrize(
    ("surface", "url"),
    [
        ("graph", "https://graph.microsoft.com/v1.0/security/runHuntingQuery"),
        ("xdr", "https://api.security.microsoft.com/api/advancedhunting/run"),
        ("mde", "https://api.securitycenter.microsoft.com/api/advancedqueries/run"),
    ],
)
def test_the_query_goes_to_the_surface_s_own_place(surface: str, url: str) -> None:
    """As JSON with its charset, with the token, asking for gzip."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=BODY)

    with a_client(handler, surface) as client:
        client.run("T | where é == '😀'")
    [request] = seen
    assert (request.method, str(request.url)) == ("POST", url)
    assert json.loads(request.content) == {"Query": "T | where é == '😀'"}
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["Authorization"] == f"Bearer {SECRET}-0"
    assert request.headers["Accept-Encoding"] == "gzip"


def test_another_host_takes_the_place_of_the_surface_s() -> None:
    """A regional host, a proxy or the stand-in; the path stays."""
    urls: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, content=BODY)

    with a_client(handler, "xdr", "https://eu.api.security.microsoft.com") as client:
        client.run("T")
    assert urls == ["https://eu.api.security.microsoft.com/api/advancedhunting/run"]


def test_the_body_is_inflated_and_its_hash_is_of_what_was_inflated() -> None:
    """Hash and length are of the same bytes whether or not they came compressed."""

    def handler(request: httpx.Request) -> httpx.Response:
        return gzipped(gzip.compress(BODY), {"request-id": "r-1"})

    with a_client(handler) as client:
        answer = client.run("T")
    assert answer.body == BODY
    assert answer.sha256 == hashlib.sha256(BODY).hexdigest()
    assert answer.request_id == "r-1"


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-9], lambda whole: whole[:1], lambda _: b""]
)
def test_a_gzip_that_ends_too_early_is_no_answer(spoil: Callable[[bytes], bytes]) -> None:
    """httpx itself lets it pass, and half an answer would land."""

    def handler(request: httpx.Request) -> httpx.Response:
        return gzipped(spoil(gzip.compress(BODY * 50)))

    with a_client(handler) as client, pytest.raises(ConnectionFailed, match="ends too early"):
        client.run("T")


def test_a_gzip_that_is_none_is_no_answer() -> None:
    """The header says gzip and the bytes don't."""

    def handler(request: httpx.Request) -> httpx.Response:
        return gzipped(BODY)

    with a_client(handler) as client, pytest.raises(ConnectionFailed, match="not the gzip"):
        client.run("T")


def test_a_gzip_with_more_behind_it_is_no_answer() -> None:
    """What a decoder stops at is not the end of what was sent."""

    def handler(request: httpx.Request) -> httpx.Response:
        return gzipped(gzip.compress(BODY) + gzip.compress(BODY))

    with a_client(handler) as client, pytest.raises(ConnectionFailed, match="goes on after"):
        client.run("T")


def test_a_body_shorter_than_announced_is_no_answer() -> None:
    """httpx notices, on a real connection; the fault is named and the call may be made again."""

    def half() -> Iterator[bytes]:
        yield BODY[:5]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=half())

    with a_client(handler) as client, pytest.raises(ConnectionFailed, match="without sending"):
        client.run("T")


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, Forbidden)])
def test_a_call_is_sent_once(status: int, kind: type[ApiError]) -> None:
    """Also where its token is refused: each call is to be in the ledger before it is sent."""
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(status, content=b"{}")

    with a_client(handler) as client, pytest.raises(kind):
        client.run("T")
    assert len(calls) == 1


def test_an_answer_that_trickles_in_ends() -> None:
    """Else it would hold the tenant's one call for as long as a byte comes now and then."""
    clock = SimulatedClock(0)

    def trickle() -> Iterator[bytes]:
        while True:
            clock.sleep(25)
            yield b" "

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=trickle())

    with (
        a_client(handler, clock=clock) as client,
        pytest.raises(CallTimedOut, match="was not whole after 900 s") as caught,
    ):
        client.run("T")
    assert caught.value.request_id


def test_no_redirect_is_followed() -> None:
    """A token is sent to the configured host alone."""
    urls: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        urls.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://evil.example/"})

    with a_client(handler) as client, pytest.raises(UnexpectedResponse):
        client.run("T")
    assert urls == ["graph.microsoft.com"]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ReadTimeout("slow"), CallTimedOut),
        (httpx.ConnectTimeout("nobody"), ConnectionFailed),
        (httpx.WriteTimeout("stuck"), ConnectionFailed),
        (httpx.PoolTimeout("full"), ConnectionFailed),
        (httpx.ConnectError("refused"), ConnectionFailed),
        (httpx.RemoteProtocolError("peer closed"), ConnectionFailed),
        (httpx.ReadError(""), ConnectionFailed),
    ],
)
def test_each_way_for_a_connection_to_fail_is_named(
    raised: httpx.HTTPError, kind: type[Exception]
) -> None:
    """A read time-out has spent the call's running time, the others have not."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise raised

    with a_client(handler) as client, pytest.raises(kind) as caught:
        client.run("T")
    assert type(caught.value) is kind
    assert caught.value.request_id
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 504])
def test_no_error_shows_the_token(status: int) -> None:
    """Neither the message, nor the chain of causes, nor the client itself."""

    def handler(request: httpx.Request) -> httpx.Response:
        # Some gateways show the request that they turned down.
        return httpx.Response(status, content=f"<p>{request.headers['Authorization']}".encode())

    with a_client(handler) as client:
        with pytest.raises(ApiError) as caught:
            client.run("T")
        assert SECRET not in repr(client)
    assert "<p>Bearer (token)" in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown


def test_nothing_logs_the_token_or_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """At any level; the answer is the tenant's data."""
    caplog.set_level(logging.DEBUG)

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"a-record")

    with a_client(handler) as client:
        answer = client.run("T | where Secret == 'a-word'")
    assert answer.body == b"a-record"
    for hidden in (SECRET, "a-record", "a-word"):
        assert hidden not in caplog.text + repr(answer)


def test_a_failed_call_can_be_named_to_support() -> None:
    """By the service's id where it gave one, else by the one that was sent."""
    sent: list[str] = []
    headers: dict[str, str] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["client-request-id"])
        return httpx.Response(500, content=b"{}", headers=headers)

    with a_client(handler) as client:
        with pytest.raises(ApiError) as caught:
            client.run("T")
        assert caught.value.request_id == sent[0]
        headers["x-ms-request-id"] = "theirs"
        with pytest.raises(ApiError) as caught:
            client.run("T")
    assert caught.value.request_id == "theirs"
    assert sent[0] != sent[1]


def test_a_query_may_hold_a_lone_surrogate() -> None:
    """JSON can carry it, though UTF-8 can't."""
    seen: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, content=BODY)

    with a_client(handler) as client:
        client.run("T | where x == '\ud800'")
    assert json.loads(seen[0]) == {"Query": "T | where x == '\ud800'"}


def test_the_wait_for_an_answer_is_longer_than_a_call_may_run() -> None:
    """The service ends a call by itself; to connect takes no such time."""
    seen: list[dict[str, float]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, content=BODY)

    with a_client(handler) as client:
        client.run("T")
    assert seen[0]["read"] > 5
    assert seen[0]["connect"] <= 20


def test_the_seconds_on_the_wire_are_the_clock_s() -> None:
    """They count against the quota where the service doesn't say how long it ran."""
    clock = SimulatedClock(10**18)

    def handler(request: httpx.Request) -> httpx.Response:
        clock.sleep(12.5)
        return httpx.Response(200, content=BODY)

    with a_client(handler, clock=clock) as client:
        assert client.run("T").wire_seconds == 12.5


def test_an_answer_is_handed_over_while_it_comes_in() -> None:
    """So that reading it needs no time of its own; what it was is told at the end."""
    handed: list[bytes] = []
    seen: list[int] = []

    def halves() -> Iterator[bytes]:
        yield BODY[:5]
        seen.append(len(handed))
        yield BODY[5:]

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=halves())

    with a_client(handler) as client:
        received = client.stream("T", handed.append)
    assert (b"".join(handed), seen) == (BODY, [1])
    assert received.body_bytes == len(BODY)
    assert received.sha256 == hashlib.sha256(BODY).hexdigest()


def test_a_refusal_is_never_handed_over_as_an_answer() -> None:
    """Whoever takes the bytes takes them for rows."""
    handed: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, content=BODY)

    with a_client(handler) as client, pytest.raises(ApiError):
        client.stream("T", handed.append)
    assert not handed


def test_a_gzip_with_a_flipped_bit_is_no_answer() -> None:
    """Its checksum tells, where the bytes alone would still inflate."""
    packed = bytearray(gzip.compress(BODY * 50))
    packed[-8] ^= 1

    def handler(request: httpx.Request) -> httpx.Response:
        return gzipped(bytes(packed))

    with a_client(handler) as client, pytest.raises(ConnectionFailed, match="not the gzip"):
        client.run("T")

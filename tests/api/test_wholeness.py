"""What a server does wrong to the length of an answer, over real TLS: never half an answer."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime

import pytest

from pipelines.api import SURFACES, HuntingClient
from pipelines.clock import SimulatedClock
from pipelines.errors import HuntlakeError
from pipelines.landing import decode
from pipelines.standin.authority import Authority
from tests.api.test_client import Tokens


def a_body(name: str) -> bytes:
    schema = [{"name": "Name", "type": "String"}]
    return json.dumps({"schema": schema, "results": [{"Name": name}] * 40}).encode()


OURS, OTHER = a_body("ours"), a_body("other")


def sent(body: bytes, length: int | None = None, *headers: str) -> bytes:
    """A response on the wire, of this length or with other headers in its place."""
    announced = [f"Content-Length: {length}"] if length is not None else []
    return "\r\n".join(["HTTP/1.1 200 OK", *announced, *headers, "", ""]).encode() + body


@contextmanager
def client_of(
    responses: list[bytes], authority: Authority, *, keeps_open: bool = False
) -> Iterator[HuntingClient]:
    """A client of a server that sends these bytes, one piece a request."""
    context = authority.server_context(datetime.now(UTC))
    left = iter(responses)

    def talk(raw: socket.socket) -> None:
        # A client that doesn't like what it reads hangs up.
        with suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    received = connection.recv(65_536)
                    if not received:
                        return
                    head += received
                connection.sendall(next(left))
                if not keeps_open:
                    connection.unwrap()
                    return

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        trust = ssl.create_default_context(cafile=authority.bundle)
        with HuntingClient(
            SURFACES["graph"],
            api_url=f"https://localhost:{server.getsockname()[1]}",
            tokens=Tokens(),
            tls=trust,
            clock=SimulatedClock(0),
            request_seconds=5,
        ) as client:
            yield client
        # A listening socket that is closed alone lets its thread wait on.
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def chunked(body: bytes, *, ends: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if ends else b"")


PACKED = gzip.compress(OURS)
GZIP, CHUNKED = "Content-Encoding: gzip", "Transfer-Encoding: chunked"
HALF = len(OURS) // 2


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(sent(OURS[:HALF], len(OURS)), id="shorter than announced"),
        pytest.param(sent(OURS, HALF), id="longer than announced"),
        pytest.param(sent(OURS[:HALF]), id="no length, and half"),
        pytest.param(sent(b"", 0), id="nothing"),
        pytest.param(sent(PACKED[:-9], len(PACKED), GZIP), id="gzip shorter than announced"),
        pytest.param(sent(PACKED, len(PACKED) - 1, GZIP), id="gzip longer than announced"),
        pytest.param(sent(PACKED[:-9], None, GZIP), id="no length, and a gzip without its end"),
        pytest.param(sent(OURS, len(OURS), GZIP), id="no gzip"),
        pytest.param(sent(PACKED, len(PACKED)), id="a gzip that doesn't say so"),
        pytest.param(sent(chunked(OURS, ends=False), None, CHUNKED), id="chunks without an end"),
        pytest.param(sent(chunked(OURS[:HALF], ends=True), None, CHUNKED), id="half in chunks"),
        pytest.param(sent(OURS + OTHER, len(OURS + OTHER)), id="two bodies in one"),
        pytest.param(sent(b"", 0).replace(b"200 OK", b"206 Partial Content"), id="a part"),
        pytest.param(b"", id="no response"),
    ],
)
def test_an_answer_that_is_not_whole_is_an_error(response: bytes, authority: Authority) -> None:
    """Whatever the headers say; by the length, the gzip's end or the JSON's."""
    with client_of([response], authority) as client, pytest.raises(HuntlakeError):
        decode(client.run("T").body, "odata")


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(sent(OURS, len(OURS)), id="plain"),
        pytest.param(sent(OURS), id="no length"),
        pytest.param(sent(PACKED, len(PACKED), GZIP), id="gzip"),
        pytest.param(sent(chunked(PACKED, ends=True), None, GZIP, CHUNKED), id="gzip in chunks"),
    ],
)
def test_an_answer_that_is_whole_is_one(response: bytes, authority: Authority) -> None:
    """In each way in which it may come."""
    with client_of([response], authority) as client:
        assert client.run("T").body == OURS


def test_what_follows_an_answer_is_not_the_answer_to_the_next_query(authority: Authority) -> None:
    """A broken proxy sends more than it announced, and httpx keeps what it has read."""
    first = sent(OTHER, len(OTHER)) + sent(OTHER, len(OTHER))
    responses = [first, sent(OURS, len(OURS)), sent(OURS, len(OURS))]
    with client_of(responses, authority, keeps_open=True) as client:
        assert client.run("T").body == OTHER
        assert client.run("T").body == OURS


Change = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body.pop("schema"), "results but no schema"),
        (lambda body: body.update(schema=[]), "results but no schema"),
        (lambda body: body.update(schema=None), "results but no schema"),
        (lambda body: body.update({"@odata.nextLink": "https://localhost/2"}), "goes on elsewhere"),
        (lambda body: body.update(nextLink="https://localhost/2"), "goes on elsewhere"),
        (lambda body: body.pop("results"), "no list of results"),
        (lambda body: body.update(error={"code": "x"}), "an error instead"),
    ],
)
def test_a_body_that_is_whole_may_be_no_whole_answer(change: Change, says: str) -> None:
    """Rows without a schema have no types; one that goes on elsewhere is a part."""
    body = json.loads(OURS)
    change(body)
    with pytest.raises(HuntlakeError, match=says):
        decode(json.dumps(body).encode(), "odata")

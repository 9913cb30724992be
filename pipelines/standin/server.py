"""The stand-in's HTTPS server: sockets, routes and gzip.

What belongs here: HTTP over TLS on localhost. What does not: what is answered (``service``,
``signin``).
"""

import gzip
import socket
import ssl
import struct
import sys
import uuid
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pipelines.clock import Clock
from pipelines.standin.faults import Fault
from pipelines.standin.replies import Reply, json_reply
from pipelines.standin.service import PATHS, Service
from pipelines.standin.signin import SignIn, SignInRefused
from pipelines.standin.spoiling import spoiled

_SLOW_SECONDS: Final = 60.0
# As low as gzip goes: a demo on two cores should not spend its time here.
_GZIP_LEVEL: Final = 1
_DISCOVERY: Final = "/v2.0/.well-known/openid-configuration"
_TOKEN: Final = "/oauth2/v2.0/token"  # noqa: S105 - a path
_ABOUT: Final = (
    b"<h1>huntlake's stand-in tenant</h1><p>It speaks the advanced hunting API on this port. "
    b"<code>huntlake standin --help</code> says how to use it.</p>"
)


class StandinServer(ThreadingHTTPServer):
    """Serves on loopback, a thread a connection."""

    daemon_threads = True

    def __init__(
        self, port: int, context: ssl.SSLContext, *, service: Service, sign_in: SignIn, clock: Clock
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.service = service
        self.sign_in = sign_in
        self.clock = clock

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"https://localhost:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else is a fault of ours, and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A client that never finishes its handshake or request must not hold a thread for ever.
    timeout = 120
    server: StandinServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith(_DISCOVERY):
            tenant = path.removesuffix(_DISCOVERY).strip("/")
            self._send(self._signing_in(lambda: self._discovery(tenant)))
        elif path == "/":
            self._send(Reply(HTTPStatus.OK, _ABOUT, content_type="text/html"))
        else:
            self._send(json_reply(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound"}}))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.endswith(_TOKEN):
            tenant = path.removesuffix(_TOKEN).strip("/")
            self._send(self._signing_in(lambda: self._token(tenant, content)))
        elif path in PATHS:
            authorization = self.headers.get("Authorization", "")
            reply, fault = self.server.service.answer(PATHS[path], authorization, content)
            self._send_hunting(reply, fault)
        else:
            self._send(json_reply(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound"}}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its parent's name
        """The service keeps a log of its own."""

    def _discovery(self, tenant: str) -> Reply:
        return json_reply(HTTPStatus.OK, self.server.sign_in.discovery(self.server.url, tenant))

    def _token(self, tenant: str, content: bytes) -> Reply:
        form = dict(parse_qsl(content.decode()))
        endpoint = f"{self.server.url}/{tenant}{_TOKEN}"
        return json_reply(HTTPStatus.OK, self.server.sign_in.issue(form, tenant, endpoint))

    def _signing_in(self, act: Callable[[], Reply]) -> Reply:
        try:
            return act()
        except SignInRefused as refused:
            return json_reply(HTTPStatus.BAD_REQUEST, refused.body())

    def _send_hunting(self, reply: Reply, fault: Fault | None) -> None:
        if reply.status != HTTPStatus.OK:
            self._send(reply)
        elif fault is Fault.RESET:
            self._reset()
        elif fault is Fault.RESET_MID_BODY:
            self._send(reply, body=reply.body, cut_at=len(reply.body) // 2)
        elif fault is Fault.TRUNCATED_GZIP:
            whole = gzip.compress(reply.body, _GZIP_LEVEL)
            self._send(reply, body=whole[: len(whole) // 2], encoding="gzip")
        else:
            body, encoding = spoiled(reply.body, fault), None
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body, encoding = gzip.compress(body, _GZIP_LEVEL), "gzip"
            pause = _SLOW_SECONDS if fault is Fault.SLOW_BODY else 0.0
            self._send(reply, body=body, encoding=encoding, pause_seconds=pause)

    def _send(
        self,
        reply: Reply,
        *,
        body: bytes | None = None,
        encoding: str | None = None,
        cut_at: int | None = None,
        pause_seconds: float = 0.0,
    ) -> None:
        body = reply.body if body is None else body
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("request-id", str(uuid.uuid4()))
        if client_request_id := self.headers.get("client-request-id"):
            self.send_header("client-request-id", client_request_id)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if pause_seconds:
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.server.clock.sleep(pause_seconds)
            body = body[half:]
        self.wfile.write(body[:cut_at])
        if cut_at is not None:
            self._reset()

    def _reset(self) -> None:
        """Break the connection as a crash would: a reset instead of an orderly end."""
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

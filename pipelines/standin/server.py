"""The stand-in's HTTPS server: sockets, routes and gzip.

What belongs here: HTTP over TLS on localhost. What does not: what is answered (``service``,
``signin``).
"""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.standin.faults import Fault
from pipelines.standin.managed import APP_SERVICE, VIRTUAL_MACHINE
from pipelines.standin.refused import SignInRefused
from pipelines.standin.replies import Reply, head, json_reply
from pipelines.standin.service import PATHS, Service
from pipelines.standin.signin import SignIn
from pipelines.standin.spoiling import packed

# For queries that are being answered when it stops; no client waits for more.
_STOP_SECONDS: Final = 5.0
_DISCOVERY: Final = "/v2.0/.well-known/openid-configuration"
_TOKEN: Final = "/oauth2/v2.0/token"  # noqa: S105 - a path
_DEVICE_CODE: Final = "/oauth2/v2.0/devicecode"
# Where people enter codes.
_PEOPLE: Final = "/devicelogin"
_ABOUT: Final = (
    b"<h1>huntlake's stand-in tenant</h1><p>It speaks the advanced hunting API on this port. "
    b"<code>huntlake standin --help</code> says how to use it.</p>"
)


_ENTERED: Final = {
    True: b"<h1>Signed in</h1><p>You may close this page.</p>",
    False: b'<h1>Sign in</h1><form>Code <input name="code"> <button>Sign in</button></form>',
}


class StandinServer(ThreadingHTTPServer):
    """Serves on loopback, a thread a connection."""

    daemon_threads = True

    def __init__(
        self, port: int, context: ssl.SSLContext, *, service: Service, sign_in: SignIn, clock: Clock
    ) -> None:
        # Before its parent's part, which closes the server where the port can't be had.
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._stopped = False
        super().__init__(("127.0.0.1", port), _Handler)
        # The handshake is left to the connection's own thread: a slow client holds up nobody else.
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

    def server_close(self) -> None:
        """Stop listening, and end the connections that clients keep open for their next call."""
        super().server_close()
        with self._changed:
            self._stopped = True
            for connection in self._connections:
                _end(connection)
            self._changed.wait_for(lambda: not self._connections, timeout=_STOP_SECONDS)

    def opened(self, connection: socket.socket) -> None:
        """A connection's thread begins."""
        with self._changed:
            self._connections.add(connection)
            if self._stopped:
                _end(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection's thread ends."""
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; a fault of ours is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _end(connection: socket.socket) -> None:
    """Let the connection's thread find it at its end; it may be there already."""
    with suppress(OSError):
        # Not the TLS socket's own method: that would let its thread go on in the clear.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "huntlake-standin"
    sys_version = ""
    disable_nagle_algorithm = True
    # A client that never finishes its handshake or request must not hold a thread for ever.
    timeout = 120
    server: StandinServer

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path in (APP_SERVICE, VIRTUAL_MACHINE):
            managed = self.server.sign_in.managed
            self._send(json_reply(*managed.answer(path, asked, dict(self.headers))))
        elif path == _PEOPLE:
            known = self.server.sign_in.people.approve(asked.get("code", ""))
            self._send(Reply(HTTPStatus.OK, _ENTERED[known], content_type="text/html"))
        elif path.endswith(_DISCOVERY):
            tenant = path.removesuffix(_DISCOVERY).strip("/")
            self._sign_in(lambda: self.server.sign_in.discovery(self.server.url, tenant))
        elif path == "/":
            self._send(Reply(HTTPStatus.OK, _ABOUT, content_type="text/html"))
        else:
            self._send(json_reply(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound"}}))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.endswith(_DEVICE_CODE):
            tenant = path.removesuffix(_DEVICE_CODE).strip("/")
            form = dict(parse_qsl(content.decode()))
            page = f"{self.server.url}{_PEOPLE}"
            self._sign_in(lambda: self.server.sign_in.invite(form, tenant, page))
        elif path.endswith(_TOKEN):
            tenant = path.removesuffix(_TOKEN).strip("/")
            form = dict(parse_qsl(content.decode()))
            endpoint = f"{self.server.url}{path}"
            self._sign_in(lambda: self.server.sign_in.issue(form, tenant, endpoint))
        elif path in PATHS:
            authorization = self.headers.get("Authorization", "")
            reply, fault = self.server.service.answer(PATHS[path], authorization, content)
            if reply.status == HTTPStatus.OK:
                self._send_answer(reply, fault)
            else:
                self._send(reply)
        else:
            self._send(json_reply(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound"}}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its parent's name
        """The service keeps a log of its own."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the tenant's clock: a client may measure ``Retry-After`` from it."""
        now = self.server.clock.now_ns() / NANOSECONDS_PER_SECOND
        return formatdate(now if timestamp is None else timestamp, usegmt=True)

    def _sign_in(self, act: Callable[[], Mapping[str, Any]]) -> None:
        try:
            reply = json_reply(HTTPStatus.OK, act())
        except SignInRefused as refused:
            reply = json_reply(refused.status, refused.body())
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        self._send_head(reply, len(reply.body))
        self.wfile.write(reply.body)

    def _send_answer(self, reply: Reply, fault: Fault | None) -> None:
        """Send rows, with what the fault does to them on their way."""
        if fault is Fault.RESET:
            self._reset()
            return
        accepted = self.headers.get("Accept-Encoding", "")
        body, encoding = packed(reply.body, fault, accepted)
        middle = len(body) // 2
        self._send_head(reply, len(body), encoding)
        self.wfile.write(body[:middle])
        if fault is Fault.RESET_MID_BODY:
            self._reset()
            return
        if fault is Fault.SLOW_BODY:
            self.server.clock.sleep(self.server.service.faults.slow_seconds)
        self.wfile.write(body[middle:])

    def _send_head(self, reply: Reply, length: int, encoding: str | None = None) -> None:
        headers = head(reply, length, encoding, self.headers.get("client-request-id"))
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _reset(self) -> None:
        """Break the connection as a crash would: a reset instead of an orderly end."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

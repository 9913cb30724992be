"""How sign-in and queries reach a host: proxies and trust, as the environment sets them."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from pipelines.api import SURFACES, HuntingClient, tls_context, token_source
from pipelines.api.connection import open_connection
from pipelines.clock import SimulatedClock
from pipelines.errors import ConnectionFailed, SettingsError, SignInError
from pipelines.settings import Settings, load_settings
from pipelines.standin import Standin

# A host that is nobody's, needs no name server, and is not what this machine calls itself.
FAR = "127.0.0.2:1"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy(socketserver.ThreadingTCPServer):
    """Writes down what it is asked for, and lets nothing through."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Refusal)


class _Refusal(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        head = b""
        while line := self.rfile.readline().strip():
            head += line + b"\n"
        self.server.seen.append(head)
        self.wfile.write(b"HTTP/1.1 502 Not today\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A corporate proxy, set in the environment."""
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for name in PROXIES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "an-application",
        "AZURE_CLIENT_SECRET": "the-secret",
        "AZURE_AUTHORITY_HOST": FAR,
        "HUNTLAKE_API_URL": f"https://{FAR}",
    }
    return load_settings(environment, root=tmp_path)


class Tokens:
    """Always the same token."""

    def token(self) -> str:
        return "the-token"

    def discard(self) -> None:
        """There is no other."""

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def a_client(settings: Settings) -> Iterator[HuntingClient]:
    with HuntingClient(
        SURFACES["graph"],
        api_url=settings.api_url,
        tokens=Tokens(),
        tls=tls_context(settings),
        clock=SimulatedClock(0),
        request_seconds=5,
    ) as client:
        yield client


def test_a_query_goes_through_the_proxy(proxy: Proxy, settings: Settings) -> None:
    """By a tunnel: the proxy learns the host, and neither token nor query."""
    with a_client(settings) as client, pytest.raises(ConnectionFailed, match="HTTPS_PROXY"):
        client.run("DeviceEvents")
    [seen] = proxy.seen
    assert seen.startswith(f"CONNECT {FAR} ".encode())
    assert b"the-token" not in seen
    assert b"DeviceEvents" not in seen


def test_sign_in_goes_through_the_proxy(proxy: Proxy, settings: Settings) -> None:
    """msal's requests take the same way as ours, and the remedy names it."""
    tokens = token_source(settings, SURFACES["graph"])
    with pytest.raises(SignInError, match="HTTPS_PROXY"):
        tokens.token()
    tokens.close()
    assert proxy.seen
    assert all(seen.startswith(f"CONNECT {FAR} ".encode()) for seen in proxy.seen)


def test_no_proxy_is_obeyed(
    proxy: Proxy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that it names is reached directly, though nobody is there."""
    monkeypatch.setenv("NO_PROXY", FAR.partition(":")[0])
    with a_client(settings) as client, pytest.raises(ConnectionFailed):
        client.run("DeviceEvents")
    assert proxy.seen == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_never_behind_a_proxy(proxy: Proxy, settings: Settings, host: str) -> None:
    """The stand-in is reached where HTTPS_PROXY is set and NO_PROXY is not."""
    with (
        open_connection(tls_context(settings), httpx.Timeout(1)) as connection,
        pytest.raises(httpx.ConnectError),
    ):
        connection.get(f"https://{host}:1")
    assert proxy.seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "gopher://me:hidden@proxy.example"),
        ("ALL_PROXY", "socks5://me:hidden@proxy.example:1080"),
        ("HTTPS_PROXY", "http://me:hidden/word@proxy.example:3128"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_setting_to_mend(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """An unknown kind, one that needs another library, a password that breaks the URL: unshown."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="HTTPS_PROXY or ALL_PROXY") as caught:
        open_connection(ssl.create_default_context(), httpx.Timeout(1))
    assert "hidden" not in str(caught.value)
    # Nor does a traceback show it.
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_authorities_that_the_environment_replaces_with_nothing_are_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE counts here as elsewhere, so a wrong one must not end in a bare OSError."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authorities.pem")
    with pytest.raises(SettingsError, match=r"SSL_CERT_FILE: /nowhere/authorities\.pem"):
        tls_context(settings)


def test_authorities_are_read_once_until_they_change(
    serve: Callable[..., Standin], tmp_path: Path
) -> None:
    """A hundred tenants share what they trust; a bundle that is written anew counts at once."""
    settings = load_settings(serve().environment("graph"), root=tmp_path)
    bundle = tmp_path / "authorities.pem"
    assert settings.ca_bundle is not None
    bundle.write_bytes(settings.ca_bundle.read_bytes())
    mine = replace(settings, ca_bundle=bundle)
    first = tls_context(mine)
    assert tls_context(mine) is first
    assert tls_context(replace(settings, ca_bundle=None)) is not first
    bundle.write_bytes(b"no certificate any more")
    with pytest.raises(SettingsError, match="HUNTLAKE_CA_BUNDLE"):
        tls_context(mine)

"""From the socket to a Parquet file: a server of one gzip body over TLS, and who fetches from it.

    python -m tests.benchmarks.landing_fetch FOLDER SHAPE

What belongs here: the server, in its own process, and the ways to fetch and land. What does not:
the ways to land bytes (``landing_peers``).
"""

import gzip
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from tests.benchmarks.landing_bodies import SHAPES, Shape
from tests.benchmarks.landing_peers import PEERS, from_pylist, orjson_columns

# What servers use: the next levels save little and take far longer.
_GZIP_LEVEL: Final = 6
_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One way from a URL to a file, and how it lands; ``modules`` are what it imports."""

    name: str
    peer: str
    modules: tuple[str, ...]
    land: Callable[[str, Path, Shape, Path], None]


def _ours(url: str, certificates: Path, shape: Shape, target: Path) -> None:
    from tests.benchmarks import landing_ours

    tls = ssl.create_default_context(cafile=certificates)
    landing_ours.land_fetched(url, tls, shape.dialect, target)


def _by_httpx(
    land: Callable[[bytes, Shape, Path], None],
) -> Callable[[str, Path, Shape, Path], None]:
    def fetch(url: str, certificates: Path, shape: Shape, target: Path) -> None:
        import httpx

        tls = ssl.create_default_context(cafile=certificates)
        # What proxies the environment names has nothing to do with this machine.
        with httpx.Client(verify=tls, timeout=_SECONDS, trust_env=False) as client:
            response = client.post(url, json={"Query": "T"}, headers={"Accept-Encoding": "gzip"})
        response.raise_for_status()
        land(response.content, shape, target)

    return fetch


FETCHERS: Final[Mapping[str, Fetcher]] = MappingProxyType(
    {
        fetcher.name: fetcher
        for fetcher in (
            Fetcher("ours", "ours", PEERS["ours"].modules, _ours),
            Fetcher(
                "httpx_json_from_pylist",
                "json_from_pylist",
                ("httpx", *PEERS["json_from_pylist"].modules),
                _by_httpx(from_pylist),
            ),
            Fetcher(
                "httpx_orjson",
                "orjson",
                ("httpx", *PEERS["orjson"].modules),
                _by_httpx(orjson_columns),
            ),
        )
    }
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("shape", type=click.Choice([*SHAPES]))
def main(*, folder: Path, shape: str) -> None:
    """Serve a shape's body to whoever asks; the first line printed is the URL."""
    from pipelines.standin.authority import Authority

    body = gzip.compress((folder / f"{shape}.json").read_bytes(), _GZIP_LEVEL, mtime=0)
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    context = Authority(folder / "authority").server_context(datetime.now(UTC))
    with socket.create_server(("127.0.0.1", 0)) as server:
        click.echo(f"https://localhost:{server.getsockname()[1]}")
        while True:
            raw, _ = server.accept()
            # Who doesn't like what it reads hangs up.
            with suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                _read_request(connection)
                connection.sendall(head.encode() + body)
                connection.unwrap()


def _read_request(connection: ssl.SSLSocket) -> None:
    """The head and as much of a body as it announces, so that nothing unread resets the line."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536) or b"\r\n\r\n"
    head, _, rest = received.partition(b"\r\n\r\n")
    announced = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    left = (int(announced[0].partition(b":")[2]) if announced else 0) - len(rest)
    while left > 0 and (more := connection.recv(left)):
        left -= len(more)


if __name__ == "__main__":
    main()

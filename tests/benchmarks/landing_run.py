"""One measured run, in a process of its own, whose peak of memory is then the run's.

    python -m tests.benchmarks.landing_run land PEER SHAPE SCALE FOLDER
    python -m tests.benchmarks.landing_run check PEER SHAPE FOLDER
    python -m tests.benchmarks.landing_run fetch PEER SHAPE SCALE FOLDER URL
    python -m tests.benchmarks.landing_run slices COUNT SHAPE SCALE FOLDER

What belongs here: what such a process does; it prints one JSON object. What does not: what is run
(``landing_peers``, ``landing_ours``), and how often (``landing``).
"""

import gc
import importlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from tests.benchmarks.landing_bodies import SHAPES, body_of, ndjson_of
from tests.benchmarks.landing_fetch import FETCHERS
from tests.benchmarks.landing_peers import PEERS

_CHECKED_ROWS: Final = 400
_CHUNK_BYTES: Final = 256 * 1024
# Of the answer that is staged for a partition of many slices: a quarter of an hour's events.
_SLICE_SHARE: Final = 4
_STATUS: Final = Path("/proc/self/status")


def peak_bytes() -> int:
    """The most memory that this process has had.

    On Linux ``ru_maxrss`` begins with that of the process which started this one.
    """
    if _STATUS.exists():
        [line] = [each for each in _STATUS.read_text().splitlines() if each.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def measured(work: Callable[[], None], base: int) -> dict[str, float]:
    """The seconds that it took, and the peak above what the interpreter and libraries have."""
    gc.collect()
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_bytes": peak_bytes() - base}


def _import(modules: tuple[str, ...]) -> int:
    for module in modules:
        importlib.import_module(module)
    return peak_bytes()


@click.group()
def main() -> None:
    """Measure one run."""


@main.command()
@click.argument("peer", type=click.Choice([*PEERS]))
@click.argument("shape", type=click.Choice([*SHAPES]))
@click.argument("scale", type=float)
@click.argument("folder", type=click.Path(path_type=Path))
def land(*, peer: str, shape: str, scale: float, folder: Path) -> None:
    """From the bytes of a body to a file."""
    way = PEERS[peer]
    base = _import(way.modules)
    suffix = "json" if way.reads == "body" else "ndjson"
    body = (folder / f"{shape}.{suffix}").read_bytes()
    with tempfile.TemporaryDirectory(dir=folder) as out:
        target = Path(out) / "landed.parquet"
        _print(measured(lambda: way.land(body, SHAPES[shape].scaled(scale), target), base))


@main.command()
@click.argument("peer", type=click.Choice([*PEERS]))
@click.argument("shape", type=click.Choice([*SHAPES]))
@click.argument("folder", type=click.Path(path_type=Path))
def check(*, peer: str, shape: str, folder: Path) -> None:
    """What a peer makes wrong of a small body of the shape, if anything."""
    from tests.benchmarks.landing_check import what_is_wrong

    way, whole = PEERS[peer], SHAPES[shape]
    small = whole.scaled(_CHECKED_ROWS / whole.rows)
    body = body_of(small)
    given = body if way.reads == "body" else ndjson_of(small)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        target = Path(out) / "landed.parquet"
        way.land(given, small, target)
        _print({"wrong": what_is_wrong(body, small, target) if way.lands else None})


@main.command()
@click.argument("fetcher", type=click.Choice([*FETCHERS]))
@click.argument("shape", type=click.Choice([*SHAPES]))
@click.argument("scale", type=float)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("url")
def fetch(*, fetcher: str, shape: str, scale: float, folder: Path, url: str) -> None:
    """From the socket to a file."""
    way = FETCHERS[fetcher]
    base = _import(way.modules)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        target = Path(out) / "landed.parquet"
        certificates = folder / "authority" / "ca.pem"
        _print(
            measured(lambda: way.land(url, certificates, SHAPES[shape].scaled(scale), target), base)
        )


@main.command()
@click.argument("count", type=int)
@click.argument("shape", type=click.Choice([*SHAPES]))
@click.argument("scale", type=float)
@click.argument("folder", type=click.Path(path_type=Path))
def slices(*, count: int, shape: str, scale: float, folder: Path) -> None:
    """One answer decoded and staged, and a partition committed from so many slices like it."""
    base = _import(("tests.benchmarks.landing_ours",))
    from tests.benchmarks import landing_ours

    of = SHAPES[shape].scaled(scale)
    with tempfile.TemporaryDirectory(dir=folder) as out:

        def work() -> None:
            rows = of.rows // _SLICE_SHARE
            # As from a socket: nobody has the whole body.
            with (folder / f"{shape}.json").open("rb") as body:
                chunks = iter(lambda: body.read(_CHUNK_BYTES), b"")
                staged = landing_ours.stage(chunks, of.dialect, Path(out) / "staged", rows)
            landing_ours.commit_many(staged, count, Path(out) / "landed.parquet")

        _print(measured(work, base))


def _print(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()

"""How quickly an answer lands, and in how much memory, beside the ways that others go.

    python -m tests.benchmarks.landing [--json] [--repeat N] [--scale X] [--shape S] [--peer P]

What belongs here: running all ways in turn, and the tables. What does not: one run
(``landing_run``), the ways (``landing_peers``, ``landing_fetch``, ``landing_ours``) and the bodies
(``landing_bodies``). Figures are medians; memory is the peak above the interpreter's and its
libraries' own, with the body in it where it is read before. Each run is a process of its own. On
two quiet cores all of it takes about four minutes; ``--repeat`` asks for more rounds.
"""

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import click

from tests.benchmarks.landing_bodies import SHAPES
from tests.benchmarks.landing_fetch import FETCHERS
from tests.benchmarks.landing_peers import PEERS

_MB: Final = 1_000_000
_OURS: Final = "ours"
_SLICES: Final = (1, 10, 200)
# The shape from the socket and of the slices.
_USUAL: Final = "wide"
_PARTS: Final = ("shapes", "socket", "slices")
_RAISED: Final = re.compile(r"^[\w.]*(?:Error|Exception|Invalid)\b.*")


@dataclass(frozen=True, slots=True)
class Figures:
    """The medians of one way. ``wrong``: what it gets wrong, or why it does not get there at all.

    ``seconds`` is ``None`` where it doesn't.
    """

    megabytes: float
    seconds: float | None
    peak_mb: float | None
    wrong: str | None = None

    @property
    def mb_s(self) -> float | None:
        """Of the inflated body."""
        return None if self.seconds is None else self.megabytes / self.seconds


@dataclass(frozen=True, slots=True)
class Failed:
    """A process that did not get to its end, and the last that it said."""

    reason: str


def run(*arguments: object) -> dict[str, Any] | Failed:
    """One process of ``landing_run``, and the object that it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.landing_run", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode == 0:
        found: dict[str, Any] = json.loads(ran.stdout)
        return found
    raised = [line for line in ran.stderr.splitlines() if _RAISED.match(line)]
    return Failed((raised or [f"ended with status {ran.returncode}"])[-1])


def interleaved(
    ways: Sequence[str], once: Callable[[str], dict[str, Any] | Failed], repeat: int
) -> dict[str, list[dict[str, Any]] | Failed]:
    """Each way once, and all again: a slow minute of the machine is everybody's.

    A way that fails is not tried again.
    """
    found: dict[str, list[dict[str, Any]] | Failed] = {way: [] for way in ways}
    for number in range(repeat):
        for way in ways:
            runs = found[way]
            if isinstance(runs, Failed):
                continue
            _tell(f"  {number + 1}/{repeat} {way}")
            ran = once(way)
            if isinstance(ran, Failed):
                found[way] = ran
            else:
                runs.append(ran)
    return found


def shapes(
    folder: Path, names: Sequence[str], peers: Sequence[str], scale: float, repeat: int
) -> dict[str, dict[str, Figures]]:
    """Each shape's figures by peer."""
    found: dict[str, dict[str, Figures]] = {}
    for name in names:
        megabytes = _make_bodies(folder, name, scale)
        wrong: dict[str, str | None] = {}
        for peer in peers:
            checked = run("check", peer, name, folder)
            wrong[peer] = (
                f"fails: {checked.reason}" if isinstance(checked, Failed) else checked["wrong"]
            )
        able = [peer for peer in peers if not (wrong[peer] or "").startswith("fails: ")]
        runs = interleaved(
            able, lambda peer, name=name: run("land", peer, name, scale, folder), repeat
        )
        found[name] = {peer: _figures(megabytes, runs.get(peer), wrong[peer]) for peer in peers}
        _remove_bodies(folder, name)
    return found


def fetched(folder: Path, fetchers: Sequence[str], scale: float, repeat: int) -> dict[str, Figures]:
    """From the socket, over TLS and gzip, by fetcher."""
    megabytes = _make_bodies(folder, _USUAL, scale)
    with _serving(folder, _USUAL) as url:
        runs = interleaved(
            fetchers, lambda way: run("fetch", way, _USUAL, scale, folder, url), repeat
        )
    _remove_bodies(folder, _USUAL)
    return {way: _figures(megabytes, each, None) for way, each in runs.items()}


def sliced(folder: Path, scale: float) -> dict[str, float]:
    """The peak in megabytes of an export that commits a partition of so many slices."""
    _make_bodies(folder, _USUAL, scale)
    found = {}
    for count in _SLICES:
        _tell(f"  {count} slices")
        ran = run("slices", count, _USUAL, scale, folder)
        if isinstance(ran, Failed):
            raise click.ClickException(f"a partition of {count} slices: {ran.reason}")
        found[str(count)] = round(ran["peak_bytes"] / _MB, 1)
    _remove_bodies(folder, _USUAL)
    return found


def _figures(
    megabytes: float, runs: list[dict[str, Any]] | Failed | None, wrong: str | None
) -> Figures:
    if not runs or isinstance(runs, Failed):
        return Figures(megabytes, None, None, wrong if runs is None else f"fails: {runs.reason}")
    return Figures(
        megabytes,
        median(each["seconds"] for each in runs),
        median(each["peak_bytes"] for each in runs) / _MB,
        wrong,
    )


def _make_bodies(folder: Path, name: str, scale: float) -> float:
    """The megabytes of the body. Another process makes it, so that this one stays small."""
    _tell(f"{name}: making the body")
    module = "tests.benchmarks.landing_bodies"
    subprocess.run([sys.executable, "-m", module, folder, name, "--scale", str(scale)], check=True)
    return (folder / f"{name}.json").stat().st_size / _MB


def _remove_bodies(folder: Path, name: str) -> None:
    for suffix in ("json", "ndjson"):
        (folder / f"{name}.{suffix}").unlink()


@contextmanager
def _serving(folder: Path, name: str) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    module = "tests.benchmarks.landing_fetch"
    command = [sys.executable, "-m", module, folder, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def ratios(figures: Mapping[str, Figures]) -> dict[str, float]:
    """How many times as quick as each other way ours is."""
    ours = figures[_OURS].mb_s
    return {
        way: round(ours / each.mb_s, 2)
        for way, each in figures.items()
        if way != _OURS and ours is not None and each.mb_s is not None
    }


def as_object(figures: Mapping[str, Figures]) -> dict[str, Any]:
    """Our figures, the ratios to the others', and the others'."""
    return {
        **_rounded(figures[_OURS]),
        "ratio_to": ratios(figures),
        "peers": {way: _rounded(each) for way, each in figures.items() if way != _OURS},
    }


def _rounded(figures: Figures) -> dict[str, Any]:
    return {
        "mb": round(figures.megabytes, 1),
        "mb_s": figures.mb_s and round(figures.mb_s, 1),
        "seconds": figures.seconds and round(figures.seconds, 3),
        "peak_mb": figures.peak_mb and round(figures.peak_mb, 1),
        "wrong": figures.wrong,
    }


def as_table(title: str, figures: Mapping[str, Figures]) -> str:
    """The same for people: a line for each way, the quickest first."""
    megabytes = figures[_OURS].megabytes
    head = f"{'way':<24} {'MB/s':>7} {'seconds':>8} {'peak MB':>8} {'x body':>7} {'ours is':>8}"
    lines = [f"{title}, {megabytes:,.1f} MB", head]
    by_ratio = {_OURS: 1.0, **ratios(figures)}
    for way, each in sorted(figures.items(), key=lambda pair: pair[1].seconds or float("inf")):
        if each.seconds is None or each.peak_mb is None or each.mb_s is None:
            lines.append(f"{way:<24} {each.wrong}")
            continue
        mark = "" if each.wrong is None else f"  incorrect: {each.wrong}"
        lines.append(
            f"{way:<24} {each.mb_s:>7.1f} {each.seconds:>8.3f} {each.peak_mb:>8.1f} "
            f"{each.peak_mb / megabytes:>7.2f} {by_ratio[way]:>6.2f} x{mark}"
        )
    return "\n".join(lines)


def _installed(peers: Sequence[str]) -> list[str]:
    """Those whose libraries are here; says how to have the others."""
    lacking = {
        peer: module
        for peer in peers
        for module in PEERS[peer].modules
        if importlib.util.find_spec(module.partition(".")[0]) is None
    }
    if lacking:
        _tell(f"without {', '.join(lacking)}: {', '.join(lacking.values())} is not installed.")
        _tell("`make bench`, or `pip install -e '.[bench]'`, installs what the peers need.")
    return [peer for peer in peers if peer not in lacking]


def _tell(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--json", "for_programs", is_flag=True, help="One JSON object, for programs.")
@click.option("--repeat", default=3, show_default=True, type=click.IntRange(1))
@click.option("--scale", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option("--shape", "names", multiple=True, type=click.Choice([*SHAPES]))
@click.option("--peer", "peers", multiple=True, type=click.Choice([*PEERS]))
@click.option("--part", "parts", multiple=True, type=click.Choice(_PARTS))
def main(
    *,
    for_programs: bool,
    repeat: int,
    scale: float,
    names: Sequence[str],
    peers: Sequence[str],
    parts: Sequence[str],
) -> None:
    """Measure how answers land; without a choice all shapes and parts, and the usual peers."""
    wanted = peers or [name for name, each in PEERS.items() if each.usual]
    ways = _installed([_OURS, *(each for each in wanted if each != _OURS)])
    said: dict[str, Any] = {}
    tables: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if "shapes" in (parts or _PARTS):
            found = shapes(folder, names or [*SHAPES], ways, scale, repeat)
            said["shapes"] = {name: as_object(each) for name, each in found.items()}
            tables += [as_table(f"{name}: body to Parquet", each) for name, each in found.items()]
        if "socket" in (parts or _PARTS):
            known = [name for name, each in FETCHERS.items() if each.peer in ways]
            socket = fetched(folder, known, scale, repeat)
            said["socket"] = {"shape": _USUAL, **as_object(socket)}
            tables.append(as_table(f"{_USUAL}: socket (TLS, gzip) to Parquet", socket))
        if "slices" in (parts or _PARTS):
            said["slices"] = sliced(folder, scale)
            peaks = (f"{count:>4} slices {peak:>8.1f} MB" for count, peak in said["slices"].items())
            tables.append("\n".join(["ours, memory from 1 to 200 slices", *peaks]))
    click.echo(json.dumps(said) if for_programs else "\n\n".join(tables))


if __name__ == "__main__":
    main()

"""``python -m tests.benchmarks.corpus FILE.jsonl``: what the analysis makes of published hunts.

What belongs here: verdicts over a file of hunts, and whether the language's own binder agrees with
what is made of them. What does not: whether the verdicts are right (``tests/kql/test_slices.py``).

Each line of the file holds ``id``, ``valid`` and ``query``. A hunt whose ``valid`` starts with
"yes, with" was written for a workspace where tables have a TimeGenerated. A rewriting counts as
invalid where the hunt itself binds, and the rewriting doesn't, or has other columns, or reads a
table of events elsewhere than in the lines that restrict it, or the analysis names columns that it
hasn't. Where the oracle is not installed, a rewriting is invalid if it can't be read.
"""

import json
import re
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from pipelines.errors import KqlError
from pipelines.kql import Analysis, analyse
from pipelines.kql.structure import parse
from tests.benchmarks import corpus_lake as lake
from tests.kql.oracle import Bound, Oracle, documented, why_not
from tests.kql.published import Comparison, compare
from tests.kql.rewritten import faults, rewritings
from tests.kql.running import running

_UNKNOWN_TABLE: Final = re.compile(r"KS204 .*The name '(\w+)'")
_PLACE: Final = re.compile(r" at \d+:\d+|, at \d+:\d+")
_TOP: Final = 12
# Each has two oracles of its own, of which one works at a time.
_WORKERS: Final = 2


@dataclass(slots=True)
class Hunt:
    """A published hunt and what came of it: an analysis, or why it was refused or crashed."""

    id: str
    query: str
    sentinel: bool
    valid: bool
    analysis: Analysis | None = None
    refused: str = ""
    crashed: str = ""
    rewritings: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    bound: Bound | None = None
    invalid: dict[str, str] = field(default_factory=dict)
    """What is wrong with each rewriting."""

    @property
    def binds(self) -> bool:
        """Whether the language's own binder accepts the hunt itself."""
        return self.bound is not None and not self.bound.errors


def read_hunts(path: Path) -> list[Hunt]:
    """The hunts of a file, a JSON object each line."""
    with path.open(encoding="utf-8") as lines:
        loaded = [json.loads(line) for line in lines if line.strip()]
    return [
        Hunt(line["id"], line["query"], valid.startswith("yes, with"), valid.startswith("yes"))
        for line in loaded
        for valid in [line.get("valid", "yes")]
    ]


def judge(hunt: Hunt) -> None:
    """Analyse and rewrite one hunt. Any error but ``KqlError`` is a crash, and goes on record."""
    start = time.perf_counter()
    try:
        hunt.analysis = analyse(hunt.query, time_column="TimeGenerated" if hunt.sentinel else None)
        hunt.seconds = time.perf_counter() - start
        hunt.rewritings = dict(rewritings(hunt.query, hunt.analysis))
    except KqlError as error:
        hunt.refused = str(error)
    except Exception as error:  # noqa: BLE001 - the benchmark is there to count them
        hunt.analysis = None
        hunt.crashed = f"{type(error).__name__}: {error}"


def unknown_tables(hunts: Sequence[Hunt]) -> frozenset[str]:
    """The tables that no documentation has, as the binder misses them."""
    with Oracle(documented(sentinel=True), opened=[]) as oracle:
        errors = [e for hunt in hunts if hunt.sentinel for e in oracle.bind(hunt.query).errors]
    return frozenset(match[1] for error in errors if (match := _UNKNOWN_TABLE.match(error)))


def rule(hunts: Sequence[Hunt], unknown: frozenset[str]) -> None:
    """Bind each hunt and, if that works, what was made of it."""
    others = {name: {"TimeGenerated": "datetime"} for name in unknown}
    sentinel = {**documented(sentinel=True), **others}
    with (
        Oracle(documented(), opened=[]) as plain_oracle,
        Oracle(sentinel, opened=unknown) as sentinel_oracle,
    ):
        for hunt in hunts:
            oracle = sentinel_oracle if hunt.sentinel else plain_oracle
            hunt.bound = oracle.bind(hunt.query)
            if hunt.binds and hunt.analysis is not None:
                hunt.invalid.update(faults(oracle, hunt.bound, hunt.analysis, hunt.rewritings))


def verdicts(hunts: Sequence[Hunt]) -> Counter[str]:
    """How many hunts have each verdict."""
    return Counter(str(hunt.analysis.verdict) for hunt in hunts if hunt.analysis)


def summary(hunts: Sequence[Hunt]) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "hunts": len(hunts),
        "verdicts": dict(verdicts(hunts).most_common()),
        "unparsed": sum(bool(hunt.refused) for hunt in hunts),
        "crashed": sum(bool(hunt.crashed) for hunt in hunts),
        "rewritten": sum(bool(hunt.rewritings) for hunt in hunts),
        "rewritten_invalid": sum(bool(hunt.invalid) for hunt in hunts),
    }


def report(hunts: Sequence[Hunt], *, asked: bool) -> Iterator[str]:
    """The same for people, with what is behind the numbers."""
    yield f"{len(hunts)} hunts"
    yield from _table("Verdicts", verdicts(hunts), len(hunts))
    reasons = [
        f"{hunt.analysis.verdict}: {_without_places(hunt.analysis.reason)}"
        for hunt in hunts
        if hunt.analysis and hunt.analysis.verdict in {"whole", "keyed"}
    ]
    yield from _table(f"The {_TOP} most frequent reasons", Counter(reasons), len(hunts))
    yield from _listed("Not read, or refused", {hunt.id: hunt.refused for hunt in hunts})
    yield from _listed("Crashed", {hunt.id: hunt.crashed for hunt in hunts})
    seconds = [hunt.seconds for hunt in hunts if hunt.analysis] or [0.0]
    yield (
        f"\nAnalysis: median {1000 * statistics.median(seconds):.2f} ms, "
        f"longest {1000 * max(seconds):.1f} ms"
    )
    if asked:
        yield from _ruling(hunts)


def _ruling(hunts: Sequence[Hunt]) -> Iterator[str]:
    checked = [hunt for hunt in hunts if hunt.binds and hunt.analysis]
    kinds = Counter(name for hunt in checked for name in hunt.rewritings)
    yield from _table(f"Rewritten, of {len(checked)} that bind", kinds, len(checked))
    wrong = {f"{hunt.id} {name}": why for hunt in checked for name, why in hunt.invalid.items()}
    yield from _listed("Rewritten, and invalid", wrong)
    missed, further = {}, {}
    for hunt in checked:
        assert hunt.analysis
        assert hunt.bound
        found = {table.name for table in hunt.analysis.event_tables}
        found |= set(hunt.analysis.snapshot_tables)
        missed[hunt.id] = ", ".join(sorted(hunt.bound.tables - found))
        further[hunt.id] = ", ".join(sorted(found - hunt.bound.tables))
    yield from _listed("Tables read, and not found by the analysis", missed)
    yield from _listed("Tables found by the analysis, and not read", further)
    refused = {hunt.id: hunt.refused for hunt in hunts if hunt.binds and hunt.refused}
    yield from _listed("Valid, and refused", refused)


def compared(hunts: Sequence[Hunt]) -> Iterator[str]:
    """What running the hunts shows, those of documented tables, in slices and whole."""
    became: dict[str, Comparison] = {}
    with running() as runner:
        for hunt in hunts:
            if hunt.analysis and not hunt.sentinel:
                became[hunt.id] = compare(runner, hunt.query, hunt.analysis)
    yield from _table("Run in slices", Counter(map(str, became.values())), len(became))
    wrong = {name: str(each) for name, each in became.items() if each is Comparison.DIFFERENT}
    yield from _listed("Another answer in slices", wrong)


def over_a_lake(hunts: Sequence[Hunt]) -> dict[str, lake.Run]:
    """What becomes of each valid hunt on documented tables, by its id."""
    asked = [hunt for hunt in hunts if hunt.valid and not hunt.sentinel]
    with TemporaryDirectory() as folder:
        ran = lake.runs((hunt.query for hunt in asked), Path(folder))
        return dict(zip((hunt.id for hunt in asked), ran, strict=True))


def told_of_lake(found: Mapping[str, lake.Run]) -> Iterator[str]:
    """The same for people."""
    runs = list(found.values())
    yield from _table(
        "Over a lake, of valid hunts", Counter(str(r.became) for r in runs), len(runs)
    )
    for became in (lake.Became.NEEDS_SERVICE, lake.Became.UNSUPPORTED):
        stopped = Counter(each.construct for each in runs if each.became is became)
        yield from _table(f"  {became}", stopped, len(runs))
    said = {
        name: each.said
        for name, each in found.items()
        if each.became not in {lake.Became.RAN, lake.Became.NEEDS_SERVICE}
    }
    yield from _listed("Not run", said)
    yield f"\nOf those that need nothing of the service, {100 * lake.share(runs):.1f} % ran"


def _without_places(reason: str) -> str:
    return _PLACE.sub("", reason)


def _table(title: str, counts: Mapping[str, int], total: int) -> Iterator[str]:
    yield f"\n{title}"
    for name, count in Counter(counts).most_common(_TOP):
        yield f"  {count:6,}  {100 * count / max(1, total):5.1f} %  {name}"


def _listed(title: str, why: Mapping[str, str]) -> Iterator[str]:
    said = {each: text for each, text in why.items() if text}
    yield f"\n{title}: {len(said)}"
    for each, text in said.items():
        yield f"  {each}  {text}"


def _unreadable(hunt: Hunt) -> None:
    """What can be told of a rewriting without the oracle."""
    for name, text in hunt.rewritings.items():
        try:
            parse(text)
        except KqlError as error:
            hunt.invalid[name] = str(error)


@click.command(help="What the analysis makes of the hunts of FILE, a JSON object each line.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, of numbers alone.")
@click.option("--lake", "on_lake", is_flag=True, help="Run each valid hunt over a lake.")
@click.option("--run", "runs", is_flag=True, help="Run each hunt whole and in slices, and compare.")
def main(file: Path, *, as_json: bool, runs: bool, on_lake: bool) -> None:
    hunts = read_hunts(file)
    for hunt in hunts:
        judge(hunt)
        _unreadable(hunt)
    missing = why_not()
    if missing:
        click.echo(f"Rewritten hunts are read, but not bound: {missing}.", err=True)
    else:
        unknown = unknown_tables(hunts)
        with ThreadPoolExecutor(_WORKERS) as pool:
            parts = [hunts[number::_WORKERS] for number in range(_WORKERS)]
            deque(pool.map(lambda part: rule(part, unknown), parts), maxlen=0)
    found = over_a_lake(hunts) if on_lake else {}
    if as_json:
        told = lake.summary(found.values()) if on_lake else {}
        click.echo(json.dumps({**summary(hunts), **told}))
    else:
        click.echo("\n".join(report(hunts, asked=not missing)))
        if runs:
            click.echo("\n".join(compared(hunts)))
        if on_lake:
            click.echo("\n".join(told_of_lake(found)))


if __name__ == "__main__":
    main()

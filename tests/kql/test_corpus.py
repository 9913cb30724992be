"""A thousand published hunts, where they lie beside the project."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import KqlError
from pipelines.kql import analyse, restrict
from pipelines.kql.lexer import scan
from pipelines.windows import Window, parse_instant
from tests.kql.oracle import Oracle, documented, why_not
from tests.kql.published import Comparison, compare
from tests.kql.rewritten import faults, rewritings
from tests.kql.running import running

CORPUS = Path(__file__).parents[3] / "shared" / "kql" / "hunts.jsonl"
WINDOW = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))


@pytest.fixture(scope="module")
def hunts() -> list[dict[str, str]]:
    if not CORPUS.exists():
        pytest.skip("the published hunts are not here")
    with CORPUS.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_each_is_understood_or_refused_with_its_place(hunts: list[dict[str, str]]) -> None:
    """An analysis whose restricted query can be read in turn, or a KqlError; nothing else."""
    refused: dict[str, str] = {}
    verdicts: Counter[str] = Counter()
    for hunt in hunts:
        sentinel = hunt["valid"].startswith("yes, with")
        try:
            analysis = analyse(hunt["query"], time_column="TimeGenerated" if sentinel else None)
        except KqlError as error:
            line, column, _ = str(error).split(":", 2)
            assert line.isdecimal()
            assert column.isdecimal()
            refused[hunt["id"]] = hunt["valid"]
            continue
        verdicts[analysis.verdict] += 1
        restricted = restrict(hunt["query"], analysis, window=WINDOW, now=WINDOW.end)
        assert "".join(token.text for token in scan(restricted)) == restricted
        assert restricted.count(" >= datetime(2026-11-20T00:00:00.0000000Z) and ") >= len(
            analysis.event_tables
        )
    # Of those that the language's own parser accepts, four: three times `find`, once `withsource`.
    assert sum(valid.startswith("yes") for valid in refused.values()) <= 4
    assert verdicts["row-wise"] >= 380
    assert verdicts["aligned"] >= 35
    assert verdicts["keyed"] >= 140
    assert verdicts["snapshot"] >= 15


@pytest.mark.skipif(why_not() is not None, reason=why_not() or "")
def test_the_binder_accepts_what_is_made_of_them(hunts: list[dict[str, str]]) -> None:
    """Of every eightieth hunt that itself binds; ``tests/benchmarks/corpus.py`` asks about all."""
    asked = [hunt["query"] for hunt in hunts if hunt["valid"] == "yes"][::80]
    with Oracle(documented(), opened=[]) as oracle:
        for query in asked:
            bound = oracle.bind(query)
            assert not bound.errors
            try:
                analysis = analyse(query)
            except KqlError:
                continue
            assert dict(faults(oracle, bound, analysis, dict(rewritings(query, analysis)))) == {}


def test_their_slices_are_their_partitions(hunts: list[dict[str, str]]) -> None:
    """Run on DuckDB, a few short ones of those that it can run; the benchmark runs all."""
    pytest.importorskip("duckdb_kql")
    short = [each["query"] for each in hunts if each["valid"] == "yes" and len(each["query"]) < 800]
    became: Counter[Comparison] = Counter()
    with running() as runner:
        for query in short[::25]:
            became[compare(runner, query, analyse(query), cells_too=False)] += 1
    assert not became[Comparison.DIFFERENT]
    assert became[Comparison.EQUAL] >= 6

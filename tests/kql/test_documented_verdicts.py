"""``docs/verdicts.md`` and ``docs/hunts.md``: each example has the verdict that it stands for."""

import re
from pathlib import Path

import pytest

from pipelines.hunt_analysis import analyse_hunt
from pipelines.hunt_files import load_hunts
from pipelines.kql import Verdict

DOCS = Path(__file__).parents[2] / "docs"
TEXT, HUNTS = ((DOCS / name).read_text(encoding="utf-8") for name in ("verdicts.md", "hunts.md"))
BLOCK = re.compile(r"^```kql ([a-z-]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = BLOCK.findall(TEXT)


@pytest.mark.parametrize(("verdict", "hunt"), [*EXAMPLES, *BLOCK.findall(HUNTS)])
def test_an_example_has_the_verdict_that_it_is_given(
    verdict: str, hunt: str, tmp_path: Path
) -> None:
    """As a file of the catalogue, with its settings."""
    (tmp_path / "example.kql").write_text(hunt, encoding="utf-8")
    analysis = analyse_hunt(load_hunts(tmp_path).hunt("example"))
    assert analysis.verdict == verdict, analysis.reason


def test_every_verdict_has_an_example_and_a_row_of_the_table() -> None:
    """In the order of the table."""
    in_table = re.findall(r"^\| ([a-z-]+) \|", TEXT, re.MULTILINE)
    assert in_table == [str(verdict) for verdict in Verdict]
    assert {verdict for verdict, _ in EXAMPLES} == set(in_table)

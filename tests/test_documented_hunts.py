"""``docs/hunts.md``: its tables are the code's (its verdicts: ``kql/test_documented_verdicts``)."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pipelines.environment import PROJECT
from pipelines.errors import KqlError
from pipelines.hunt_files import load_hunts
from pipelines.hunts import ExportSettings
from pipelines.kql import Verdict, analyse
from pipelines.periods import format_period

TEXT = (PROJECT / "docs" / "hunts.md").read_text(encoding="utf-8")
[YAML] = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def cells(first_column: str) -> list[tuple[str, ...]]:
    """The table whose first column is called so."""
    head, _, rest = TEXT.partition(f"| {first_column} |")
    assert head
    lines = [line for line in rest.split("\n\n")[0].splitlines()[2:] if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


def test_the_community_s_form_loads_as_it_stands(tmp_path: Path) -> None:
    """With all that huntlake takes from it."""
    (tmp_path / "Failed logons.yaml").write_text(YAML, encoding="utf-8")
    hunt = load_hunts(tmp_path).hunt("failed_logons")
    assert hunt.title == "Failed logons"
    assert hunt.tactics == ("CredentialAccess",)
    assert hunt.techniques == ("T1110",)
    assert hunt.export.retention is not None


def test_the_settings_are_the_code_s() -> None:
    """All of them, with their defaults where those are words or numbers."""
    documented = {name.strip("`"): default.strip("` ") for name, _, default in cells("setting")}
    assert set(documented) == {each.name for each in fields(ExportSettings)}
    defaults = ExportSettings()
    told = {
        "partitions": defaults.partitions,
        "settling": format_period(defaults.settling),
        "schedule": defaults.schedule,
        "settle": format_period(defaults.settle),
        "retries": str(defaults.retries),
    }
    assert {name: documented[name] for name in told} == told


def test_every_verdict_is_in_the_table() -> None:
    """In the order of the code."""
    assert [row[0] for row in cells("verdict")] == [str(verdict) for verdict in Verdict]


@pytest.mark.parametrize("query", [row[0].strip("`") for row in cells("written")])
def test_what_is_refused_is_refused(query: str) -> None:
    """With the place in the query."""
    with pytest.raises(KqlError, match=r"^1:\d+: "):
        analyse(query)

"""``docs/kql.md``: its queries run, and what it says of others holds."""

import re
import shlex
from collections.abc import Iterator

import pytest

from pipelines.commands.kql import kql as command
from pipelines.environment import PROJECT
from pipelines.errors import KqlNeedsService, KqlUnsupported
from pipelines.lake import LakeLayout
from pipelines.lake.kql import KqlLake, open_kql
from tests.lake.hunters import WHOLE, land_tables

TEXT = (PROJECT / "docs" / "kql.md").read_text(encoding="utf-8")
TABLES = (
    *("AlertEvidence", "AlertInfo", "DeviceEvents", "DeviceFileEvents"),
    *("DeviceLogonEvents", "DeviceNetworkEvents"),
)
QUERIES = re.findall(r"^```kql\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def first_cells(head: str) -> list[str]:
    """The first column of the table whose head begins so, as KQL."""
    rows = TEXT.split(f"| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [row.split("` | ")[0].strip("| `").replace("\\|", "|") for row in rows]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KqlLake]:
    layout = LakeLayout(tmp_path_factory.mktemp("data"))
    land_tables(layout, dict.fromkeys(TABLES, 150))
    with open_kql(layout, as_of=WHOLE.end) as lake:
        yield lake


@pytest.mark.parametrize("query", QUERIES)
def test_the_page_s_queries_run(query: str, lake: KqlLake) -> None:
    """And find something."""
    assert lake.query(query).fetchall()


@pytest.mark.parametrize("query", first_cells("not supported"))
def test_what_is_said_not_to_run_does_not(query: str, lake: KqlLake) -> None:
    """Once it does, the page has to say so."""
    with pytest.raises(KqlUnsupported):
        lake.query(query)


@pytest.mark.parametrize("query", first_cells("needs the service"))
def test_what_is_said_to_need_the_service_does(query: str, lake: KqlLake) -> None:
    """It is not called unsupported, since nobody could support it."""
    with pytest.raises(KqlNeedsService):
        lake.query(query)


def test_the_page_s_commands_can_be_read() -> None:
    """All options are there."""
    [block] = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    options = {name for parameter in command.params for name in parameter.opts}
    for line in block.splitlines():
        words = shlex.split(line.partition(" > ")[0])
        assert words[:2] == ["huntlake", "kql"]
        assert {word for word in words if word.startswith("--")} <= options


def test_names_in_the_page_are_tables(lake: KqlLake) -> None:
    """By both of their names."""
    for name in first_cells("name in a query"):
        assert name in lake.names

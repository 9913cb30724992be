"""``docs/analysts.md``: its examples run, and its table of commands is the shell's."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.clock import SimulatedClock
from pipelines.commands.sql import sql as command
from pipelines.environment import PROJECT
from pipelines.lake import Lake, LakeLayout, open_lake
from pipelines.shell import Shell, SqlLanguage
from tests.lake.hunters import land_tables

TEXT = (PROJECT / "docs" / "analysts.md").read_text(encoding="utf-8")
TABLES = ("AlertEvidence", "AlertInfo", "DeviceLogonEvents")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    data = tmp_path_factory.mktemp("data")
    land_tables(LakeLayout(data), dict.fromkeys(TABLES, 60))
    before = Path.cwd()
    os.chdir(data)
    try:
        with open_lake(data) as lake:
            yield lake
    finally:
        os.chdir(before)


def test_the_page_s_sql_runs(lake: Lake) -> None:
    """One statement after another, as in one session."""
    for statement in blocks("sql"):
        lake.sql(statement).fetchall()
    assert Path("suspects.parquet").stat().st_size


def test_the_page_s_python_runs(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On the lake that the settings name."""
    monkeypatch.setenv("HUNTLAKE_DATA", str(Path.cwd()))
    [block] = blocks("python")
    names: dict[str, object] = {}
    exec(compile(block, "analysts.md", "exec"), names)  # noqa: S102 - the page is ours
    assert "device_logon_events" in capfd.readouterr().out


def test_the_page_s_commands_can_be_read() -> None:
    """All options are there."""
    options = {name for parameter in command.params for name in parameter.opts}
    for line in "".join(blocks("sh")).splitlines():
        words = shlex.split(line.partition(" > ")[0])
        if words[:2] == ["huntlake", "sql"]:
            assert {word for word in words if word.startswith("--")} <= options


def test_the_page_has_the_shell_s_commands(lake: Lake, capfd: pytest.CaptureFixture[str]) -> None:
    """In the words of ``.help``."""
    Shell(SqlLanguage(lake.connection), SimulatedClock(0)).take(".help")
    said = capfd.readouterr().out.partition("\n\n")[0]
    rows = re.findall(r"^\| `(\..*?)` \| (.*?) \|$", TEXT, re.MULTILINE)
    assert [" ".join(line.split()) for line in said.splitlines()] == [
        f"{name} {meaning}".replace("\\|", "|") for name, meaning in rows
    ]

"""``docs/reference.md``: its tables are the code's."""

import dataclasses
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from pipelines.cli import cli
from pipelines.environment import PROJECT, Environment
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout, publish
from pipelines.landing import Receipt
from pipelines.landing.receipt import SliceRecord
from pipelines.settings import load_settings
from pipelines.slicing import partition
from pipelines.tenants import load_tenants
from tests.lake.samples import land, receipt_of

TEXT = (PROJECT / "docs" / "reference.md").read_text(encoding="utf-8")
DAY = partition("daily", "2026-11-19")


def table(section: str, number: int = 0) -> dict[str, tuple[str, ...]]:
    """The cells of one of a section's tables, by the name in the first."""
    text = TEXT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)[number].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {cells[0].strip("` "): tuple(cells[1:]) for cells in rows}


def test_the_commands_are_those_that_there_are() -> None:
    """Each with the first sentence of its help. Copy what this prints where they differ."""
    context = click.Context(cli)
    helps = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    expected = {
        name: command.get_short_help_str(limit=200) for name, command in helps.items() if command
    }
    lines = [f"| `{name}` | {said} |" for name, said in expected.items()]
    found = {name: cells[0] for name, cells in table("Commands").items()}
    assert found == expected, "\n".join(["", *lines])


def test_the_settings_are_those_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By any kind of sign-in; and no more are in the example of ``.env``."""
    asked: set[str] = set()
    optional = Environment.optional

    def told(self: Environment, name: str, parse: Callable[[str], Any]) -> Any:
        asked.add(name)
        return optional(self, name, parse)

    monkeypatch.setattr(Environment, "optional", told)
    with suppress(HuntlakeError):
        load_settings({"AZURE_TENANT_ID": "contoso.com"})
    load_tenants({})
    documented = table("Settings")
    assert set(documented) == asked | {"HUNTLAKE_TENANTS"}
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    in_example = dict(re.findall(r"^#?((?:AZURE|HUNTLAKE)_[A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert set(in_example) == set(documented)
    for name, (_, default) in documented.items():
        if default.startswith("`"):
            assert in_example[name] == default.strip("`")


def test_the_files_are_where_the_layout_has_them(tmp_path: Path) -> None:
    """All that an export makes, and the demo's own."""
    layout = LakeLayout(tmp_path)
    land(layout, receipt_of("alerts", "contoso", DAY), DAY)
    publish(layout)
    made = {f"{path.name}{'/' if path.is_dir() else ''}" for path in tmp_path.iterdir()}
    assert set(table("Files")) == made | {"standin/"}


@pytest.mark.parametrize(("number", "kind"), [(0, Receipt), (1, SliceRecord)])
def test_every_field_of_a_receipt_is_there(number: int, kind: type[Any]) -> None:
    """Of the partition, and of a slice."""
    assert set(table("The receipt", number)) == {each.name for each in dataclasses.fields(kind)}


def test_the_page_s_query_shows_a_receipt(tmp_path: Path) -> None:
    """From the file alone."""
    layout = LakeLayout(tmp_path)
    receipt = receipt_of("alerts", "contoso", DAY)
    land(layout, receipt, DAY)
    [path] = layout.hunt_files("alerts")
    [query] = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    [(text,)] = duckdb.sql(query.replace("data.parquet", str(path))).fetchall()
    assert Receipt.from_json(text) == receipt
    assert set(json.loads(text)) == set(table("The receipt"))

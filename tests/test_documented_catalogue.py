"""``docs/catalogue.md``: its tables are those of the lake, and its queries run."""

import re
from pathlib import Path

import pytest

from assets.metadata import PARTITION_NUMBERS
from pipelines.lake import LakeLayout, connect, publish
from pipelines.lake.sql import ROOT_VARIABLE, sql_type
from pipelines.lake.tables import TABLES, Table
from pipelines.slicing import partition
from tests.lake.samples import land, receipt_of

TEXT = (Path(__file__).parents[1] / "docs" / "catalogue.md").read_text(encoding="utf-8")
DAY = partition("daily", "2026-11-19")


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    layout = LakeLayout(tmp_path / "data")
    for tenant in ("contoso", "fabrikam"):
        land(layout, receipt_of("device_logon_events", tenant, DAY), DAY)
    publish(layout)
    return layout


def section(table: Table) -> str:
    return TEXT.split(f"\n## `huntlake.{table.name}`\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_column_is_in_the_page_as_it_is_in_the_lake(table: Table, layout: LakeLayout) -> None:
    """Row by row: copy what this prints where they differ."""
    expected = [
        f"| `{each.name}` | {sql_type(each.type)} | {each.meaning} |" for each in table.columns
    ]
    found = [line for line in section(table).splitlines() if re.match(r"\| `", line)]
    assert found == expected, "\n".join(["", *expected])
    with connect(layout) as lake:
        view = lake.sql(f"FROM huntlake.{table.name}")
        names = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
        assert {name: str(kind) for name, kind in zip(view.columns, view.types, strict=True)} == {
            each.name: names.get(sql_type(each.type), sql_type(each.type)) for each in table.columns
        }


def test_the_page_s_queries_run(layout: LakeLayout) -> None:
    """Each of them, over a lake of two tenants."""
    queries = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    assert len(queries) > 3
    with connect(layout) as lake:
        for query in queries:
            lake.execute(query.replace("/where/it/is", str(layout.root))).fetchall()


def test_the_page_names_what_can_be_set(layout: LakeLayout) -> None:
    """The variable by which a lake that was copied is found, and the numbers of Dagster's page."""
    assert f"SET VARIABLE {ROOT_VARIABLE} = " in TEXT
    for name in PARTITION_NUMBERS:
        assert f"`{name}`" in TEXT

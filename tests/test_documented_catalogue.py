"""``docs/catalogue.md``: its tables are those of the lake, and its queries run."""

import re
from pathlib import Path

import duckdb
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


def blocks(language: str, layout: LakeLayout) -> list[str]:
    """What the page has of a language, over a lake that is in the folder ``data``."""
    found = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return [each.replace("/where/it/is", str(layout.root)) for each in found]


def test_the_page_s_queries_run(layout: LakeLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, over a lake of two tenants."""
    monkeypatch.chdir(layout.root.parent)
    queries = blocks("sql", layout)
    assert len(queries) > 3
    for query in queries:
        is_elsewhere = query.startswith("ATTACH")
        with duckdb.connect() if is_elsewhere else connect(layout) as lake:
            lake.execute(query).fetchall()


def test_the_page_s_python_runs(layout: LakeLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    """As whoever opens the lake, or a copy of it, would write it."""
    monkeypatch.chdir(layout.root.parent)
    first, *others = blocks("python", layout)
    for code in (first, *(f"import duckdb\n{each}" for each in others)):
        names: dict[str, duckdb.DuckDBPyConnection] = {}
        exec(code, names)  # noqa: S102 - the page's own
        with names["lake"] as lake:
            found = lake.sql("SELECT count(*) FROM device_logon_events").fetchall()
        assert found == [(4,)]


DYNAMIC = {
    "AdditionalFields ->> '$.Path'": ["C:\\a", None],
    "AdditionalFields -> '$.Path'": ['"C:\\\\a"', None],
    "TRY_CAST(AdditionalFields ->> '$.Size' AS INTEGER)": [5, None],
    "TRY_CAST(Text AS JSON)": ['{"a":1}', None],
    "unnest(json_extract(Items, '$[*]')) AS x": ['"a"', "2"],
    "json_exists(Bag, '$.a')": [True, False],
    "json_keys(Bag)": [["a", "b"], []],
    "json_array_length(Items)": [2, 0],
    "json_contains(Items, '\"a\"')": [True, False],
}


def test_dynamic_values_are_read_as_the_page_says() -> None:
    """Of a row that has all, and one that has nothing that fits."""
    table = TEXT.split("\n## Dynamic values\n")[1].split("\n## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| `")]
    told = [each for row in rows for each in re.findall(r"`(.*?)`", row)]
    assert told == [*DYNAMIC]
    given = """(VALUES
        (1, '{"Path":"C:\\\\a","Size":"5"}', '{"a":1}', '["a",2]', '{"a":null,"b":2}'),
        (2, '{"Size":"x"}', 'no JSON', '[]', '{}')
    ) AS given(number, AdditionalFields, Text, Items, Bag)"""
    with duckdb.connect() as lake:
        for expression, expected in DYNAMIC.items():
            found = lake.sql(f"SELECT {expression} FROM {given} ORDER BY number").fetchall()
            assert [cell for (cell,) in found] == expected, expression


def test_the_page_names_what_can_be_set(layout: LakeLayout) -> None:
    """The variable by which a lake that was copied is found, and the numbers of Dagster's page."""
    assert f"SET VARIABLE {ROOT_VARIABLE} = " in TEXT
    for name in PARTITION_NUMBERS:
        assert f"`{name}`" in TEXT

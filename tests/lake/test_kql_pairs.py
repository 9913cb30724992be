"""KQL over the lake answers what SQL that was written by hand does: see ``pairs``."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines.lake import LakeLayout, connect
from pipelines.lake.kql import KqlLake, open_kql
from tests.lake.hunters import WHOLE, land_tables

PAIR = re.compile(r"^## (.+?)\n+```kql\n(.*?)```\n+```sql\n(.*?)```", re.DOTALL | re.MULTILINE)
PAIRS = [
    pytest.param(kql, sql, id=f"{page.stem}: {title}")
    for page in sorted((Path(__file__).parent / "pairs").glob("*.md"))
    for title, kql, sql in PAIR.findall(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    layout = LakeLayout(tmp_path_factory.mktemp("data"))
    land_tables(layout)
    return layout


@pytest.fixture(scope="module")
def kql_lake(layout: LakeLayout) -> Iterator[KqlLake]:
    with open_kql(layout, as_of=WHOLE.end) as lake:
        yield lake


def rows(relation: duckdb.DuckDBPyRelation) -> tuple[list[str], Counter[tuple[Any, ...]]]:
    """Names of columns, and rows in any order."""
    table = relation.to_arrow_table()
    columns = [_plain(column) for column in table.columns]
    return table.column_names, Counter(zip(*columns, strict=True))


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns"), safe=False).cast(pa.int64())
    return [_value(each) for each in column.to_pylist()]


def _value(value: Any) -> Any:
    """JSON by what it says; an empty text and none are one, as KQL has no texts that are null."""
    match value:
        case str() if value.startswith(("[", "{")):
            return json.dumps(json.loads(value), sort_keys=True)
        case Decimal():
            return int(value)
        case datetime():
            return value.replace(tzinfo=UTC)
        case "":
            return None
        case _:
            return value


@pytest.mark.parametrize(("kql", "sql"), PAIRS)
def test_a_pair_has_one_answer(kql: str, sql: str, layout: LakeLayout, kql_lake: KqlLake) -> None:
    """With the same names of columns, and at least a row."""
    with connect(layout) as lake:
        names, expected = rows(lake.sql(sql))
    found_names, found = rows(kql_lake.query(kql))
    assert found == expected
    assert found_names == names
    assert expected


def test_there_are_sixty_pairs() -> None:
    """A page whose form is broken would be passed over."""
    assert len(PAIRS) >= 60

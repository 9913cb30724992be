"""``docs/types.md``: each of its tables and queries, held against the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import MalformedResponse
from pipelines.lake import LakeLayout, connect, publish
from pipelines.landing import KEPT_ASIDE, Answer, Staging, commit, decode
from pipelines.landing.dialects import Dialect
from pipelines.landing.evolution import WIDER
from pipelines.landing.schema import _ARROW_TYPES
from pipelines.slicing import partition
from tests.landing.samples import a_receipt, a_record, an_answer, hours

TEXT = (Path(__file__).parents[1] / "docs" / "types.md").read_text(encoding="utf-8")
OTHER = "Int16"
SURFACES: dict[str, tuple[Dialect, ...]] = {
    "all": ("plain", "odata"),
    "graph": ("odata",),
    "xdr, mde": ("plain",),
}
SCHEMA = {"n": "Int64", "s": "String", "o": "Object", "LogonId": "String", "LogonID": "String"}
CODE = re.compile(r"`([^`]+)`")
LANDS = re.compile(r"`([^`]+)` → `([^`]+)`")


def table(first_column: str) -> list[list[str]]:
    """The cells of the table whose first column is called so."""
    lines = iter(TEXT.splitlines())
    next(line for line in lines if line.startswith(f"| {first_column} |"))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


VALUES = table("service's type")
ROWS = table("what comes")
TYPES = [
    (OTHER if name == "any other" else name.removesuffix(" (dynamic)"), row)
    for row in VALUES
    for name in row[0].split(", ")
]


def answer_to(row: str, columns: dict[str, str], dialect: Dialect) -> Answer:
    """The decoded answer of one row, whose JSON is given letter by letter."""
    schema = json.dumps([{"name": name, "type": kind} for name, kind in columns.items()])
    return decode(f'{{"schema": {schema}, "results": [{row}]}}'.encode(), dialect)


def landed_in_each_dialect(wire_type: str, value: str) -> Iterator[pa.Table]:
    """The table with a column ``c`` of a row that has the value."""
    for dialect in SURFACES["all"]:
        yield answer_to(f'{{"c": {value}}}', {"c": wire_type}, dialect).table


def test_every_type_is_in_the_table() -> None:
    """And no other."""
    assert {name for name, _ in TYPES} == {*_ARROW_TYPES, OTHER}


@pytest.mark.parametrize(("wire_type", "row"), TYPES)
def test_a_type_lands_as_the_table_says(wire_type: str, row: list[str], tmp_path: Path) -> None:
    """In Arrow, in the Parquet file and in DuckDB."""
    landed = answer_to("{}", {"c": wire_type}, "odata").table
    pq.write_table(landed, tmp_path / "data.parquet")
    column = pq.read_metadata(tmp_path / "data.parquet").schema.column(0)
    logical = json.loads(column.logical_type.to_json())["Type"]
    parquet = " ".join(each for each in (column.physical_type, logical) if each != "None")
    [(_, duck, *_)] = duckdb.sql(f"DESCRIBE SELECT c FROM '{tmp_path}/data.parquet'").fetchall()
    found = [str(landed.schema.field("c").type), parquet, duck]
    assert [CODE.search(cell).group(1) for cell in row[1:4]] == found


@pytest.mark.parametrize(
    ("wire_type", "value", "shown"),
    [(name, *pair) for name, row in TYPES for pair in LANDS.findall(row[4])],
)
def test_what_lands_is_shown_as_the_table_says(
    wire_type: str, value: str, shown: str, tmp_path: Path
) -> None:
    """As text, by DuckDB, from the file, in either dialect."""
    for landed in landed_in_each_dialect(wire_type, value):
        assert landed[KEPT_ASIDE].to_pylist() == [None]
        pq.write_table(landed, tmp_path / "data.parquet")
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            query = f"SELECT c::VARCHAR FROM '{tmp_path}/data.parquet'"
            assert connection.sql(query).fetchall() == [(shown,)]


@pytest.mark.parametrize(
    ("wire_type", "value"),
    [(name, value) for name, row in TYPES for value in CODE.findall(row[5])],
)
def test_what_is_kept_aside_is_kept_as_it_came(wire_type: str, value: str) -> None:
    """The column is null, and beside it stand the very digits."""
    for landed in landed_in_each_dialect(wire_type, value):
        assert landed["c"].to_pylist() == [None]
        assert landed[KEPT_ASIDE].to_pylist() == [f'{{"c":{value}}}']


@pytest.mark.parametrize("row", ROWS)
def test_a_row_lands_as_the_table_says(row: list[str]) -> None:
    """On each surface that the table names."""
    _, surface, sent, lands, aside = row
    for dialect in SURFACES[surface]:
        if lands == "the answer is refused":
            with pytest.raises(MalformedResponse):
                answer_to(sent.strip("`"), SCHEMA, dialect)
            continue
        [found] = answer_to(sent.strip("`"), SCHEMA, dialect).table.to_pylist()
        kept = json.loads(found.pop(KEPT_ASIDE) or "null")
        cells = {name: cell for name, cell in found.items() if cell is not None}
        assert cells == json.loads(lands.strip("`"))
        assert kept == json.loads(aside.strip("`") or "null")


def test_the_wider_types_are_the_code_s() -> None:
    """One row for each type that may become another."""
    documented = {
        CODE.findall(narrow)[0]: tuple(CODE.findall(wide)) for narrow, wide, _ in table("from")
    }
    assert documented == dict(WIDER)


@pytest.fixture
def lake(tmp_path: Path) -> LakeLayout:
    """A lake as the page's queries see it."""
    columns = {"Timestamp": "DateTime", "LogonId": "Int64", "Ended": "DateTime"}
    rows = [
        ("2026-11-20T06:38:35.7664356Z", 7, "0001-01-01T00:00:00Z"),
        ("2026-11-20T12:00:00Z", 8, "2026-11-20T13:00:00Z"),
        ("2026-11-20T23:59:59.9999999Z", True, "9999-12-31T23:59:59.9999999Z"),
    ]
    answer = an_answer([dict(zip(columns, row, strict=True)) for row in rows], columns)
    slices = [
        Staging(tmp_path / "staged").write(
            answer, a_record(hours(0, 24), len(rows)), time_column="Timestamp"
        )
    ]
    layout = LakeLayout(tmp_path / "data")
    day = partition("daily", "2026-11-20")
    target = layout.partition_file("logons", "contoso", day)
    commit(target, slices, receipt=a_receipt(slices))
    publish(layout)
    return layout


@pytest.mark.parametrize(
    ("query", "result"), re.findall(r"```sql\n(.*?)```\n```\n(.*?)```", TEXT, re.DOTALL)
)
def test_the_queries_answer_what_the_page_says(query: str, result: str, lake: LakeLayout) -> None:
    """Row by row."""
    with connect(lake) as connection:
        found = connection.sql(query.replace("'data/", f"'{lake.root}/")).fetchall()
    assert [" | ".join(map(str, row)) for row in found] == result.splitlines()


def test_every_query_of_the_page_is_run() -> None:
    """None without its result."""
    assert len(re.findall(r"```sql\n.*?```\n```\n", TEXT, re.DOTALL)) == TEXT.count("```sql") > 0

"""How the columns of a hunt's partitions may differ, so that one view can show them all."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import SchemaClash
from pipelines.landing import Siblings, changes, columns_of, mixed_types
from pipelines.landing.evolution import ALONE, WIDER, beside_siblings, widest
from pipelines.landing.schema import arrow_schema, arrow_type, wire_columns
from tests.landing.bodies import WIRE_TYPES

NAMES = st.sampled_from(["LogonId", "LogonID", "logonid", "LogonId_2", "n", "N", "date", "Date_2"])
COLUMNS = st.dictionaries(NAMES, st.sampled_from(WIRE_TYPES), max_size=4)
ONE_TYPE = st.sets(NAMES, max_size=4).map(lambda names: dict.fromkeys(sorted(names), "String"))


def siblings_of(schemas: Sequence[pa.Schema]) -> Siblings:
    """Partitions that were committed, one a day."""
    shapes = {columns_of(each): f"partition 2026-11-{day}" for day, each in enumerate(schemas, 10)}
    return Siblings({columns: where for columns, where in shapes.items() if columns})


def committed(days: Sequence[dict[str, str]]) -> list[pa.Schema] | None:
    """The schemas of days committed in this order; ``None`` where one of them is refused."""
    schemas: list[pa.Schema] = []
    for columns in days:
        try:
            schemas.append(beside_siblings(columns, siblings_of(schemas), where="logons"))
        except SchemaClash:
            return None
    return schemas


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("Int32", "Int64", "Int64"),
        ("Int32", "Double", "Double"),
        ("Int32", "SqlDecimal", "SqlDecimal"),
        ("Int64", "SqlDecimal", "SqlDecimal"),
        ("Int64", "Double", None),
        ("Double", "SqlDecimal", None),
        ("SByte", "Boolean", "Boolean"),
        ("SByte", "Int32", None),
        ("Guid", "String", "Guid"),
        ("Int16", "String", "Int16"),
        # The same Arrow type, and another meaning: "x" is not x.
        ("Object", "String", None),
        # DuckDB takes a duration for a BIGINT.
        ("TimeSpan", "Int64", None),
        ("DateTime", "String", None),
    ],
)
def test_a_type_may_become_one_that_holds_it(one: str, other: str, both: str | None) -> None:
    """And the other way round; whatever else changes is refused."""
    assert widest([one, other]) == widest([other, one]) == both


@pytest.mark.parametrize(("narrow", "wide"), [(n, w) for n, wides in WIDER.items() for w in wides])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_wider_type_holds_every_value_exactly(
    data: st.DataObject, narrow: str, wide: str
) -> None:
    """DuckDB's own conversion in the view, to the last digit, at both ends of the narrow type."""
    bits = {"Int32": 31, "Int64": 63}[narrow]
    ends = [-(2**bits), 2**bits - 1]
    values = [*ends, *data.draw(st.lists(st.integers(*ends), max_size=5))]
    table = pa.table({"n": pa.array(values, arrow_type(narrow))})
    sql = {"Int64": "BIGINT", "Double": "DOUBLE", "SqlDecimal": "DECIMAL(38, 17)"}[wide]
    with duckdb.connect() as connection:
        connection.register("landed", table)
        rows = connection.sql(f"SELECT CAST(n AS {sql}) FROM landed").fetchall()
    cells = [cell for (cell,) in rows]
    assert [Decimal(cell) for cell in cells] == [Decimal(value) for value in values]


@given(st.lists(st.sampled_from(WIRE_TYPES), min_size=1, max_size=4))
def test_types_that_fit_in_pairs_fit_together(types: list[str]) -> None:
    """So it is enough to compare a new partition with each that is there."""
    in_pairs = all(widest({one, other}) is not None for one in types for other in types)
    assert in_pairs == (widest(types) is not None)


@given(st.lists(COLUMNS, max_size=4))
def test_what_is_committed_can_be_shown_in_one_view(days: list[dict[str, str]]) -> None:
    """Whatever comes, in the partitions that are let in a name is one column of one type."""
    schemas: list[pa.Schema] = []
    for columns in days:
        try:
            schemas.append(beside_siblings(columns, siblings_of(schemas), where="logons"))
        except SchemaClash:
            continue
    assert None not in mixed_types(map(columns_of, schemas)).values()
    meanings: dict[str, set[str]] = {}
    for column in (column for schema in schemas for column in columns_of(schema)):
        meanings.setdefault(column.landed.casefold(), set()).add(column.wire_name)
    assert all(len(names) == 1 for names in meanings.values())


@given(st.lists(ONE_TYPE, max_size=3))
def test_the_order_of_exports_makes_no_other_lake(days: list[dict[str, str]]) -> None:
    """A column has the same name in whatever order the days are exported, or one is refused."""
    lakes = set()
    for order in permutations(range(len(days))):
        schemas = committed([days[number] for number in order])
        if schemas is not None:
            names = {number: schema.names for number, schema in zip(order, schemas, strict=True)}
            lakes.add(str(sorted(names.items())))
    assert len(lakes) <= 1


def test_a_clash_says_what_when_and_what_to_do() -> None:
    """The hunt, the partition, the column, both types, the other partition, and the ways out."""
    siblings = Siblings.of(arrow_schema({"n": "Int32"}), "partition 2026-11-20 of tenant contoso")
    with pytest.raises(SchemaClash) as raised:
        beside_siblings({"n": "String"}, siblings, where="logons, partition 2026-11-21")
    for part in (
        "logons, partition 2026-11-21: column n is String",
        "Int32 in partition 2026-11-20 of tenant contoso",
        "what was stays",
        "project-rename Newn = n",
        "move the hunt's other partitions",
    ):
        assert part in str(raised.value)


def test_a_name_that_has_landed_never_passes_to_another_column() -> None:
    """``LogonID`` would take that of ``LogonId``; but ``LogonId`` may come after ``LogonID``."""
    old = Siblings.of(arrow_schema({"LogonId": "Int64"}), "partition 2026-11-20")
    for columns in ({"LogonID": "Int64"}, {"LogonId": "Int64", "LogonID": "Int64"}):
        with pytest.raises(SchemaClash, match=r"column LogonID would land as LogonID, the name"):
            beside_siblings(columns, old, where="logons")
    other = Siblings.of(arrow_schema({"LogonID": "Int64"}), "partition 2026-11-20")
    assert beside_siblings({"LogonId": "Int64"}, other, where="logons").names[0] == "LogonId_2"


def test_a_column_keeps_its_number_where_its_twin_is_gone() -> None:
    """The names of all partitions count, not those of the day alone."""
    both = Siblings.of(arrow_schema({"LogonId": "Int64", "LogonID": "String"}), "another")
    assert beside_siblings({"LogonId": "Int64"}, both, where="logons").names[0] == "LogonId_2"


def test_partitions_that_do_not_fit_each_other_refuse_no_third() -> None:
    """Folders that were moved together by hand are no fault of a partition without their column."""
    shapes = {
        columns_of(arrow_schema({"LogonId": "Int64"})): "one",
        columns_of(arrow_schema({"LogonId": "Int64", "LogonID": "Int32"})): "another",
    }
    siblings = Siblings(shapes)
    assert beside_siblings({"n": "Int32"}, siblings, where="logons").names[0] == "n"
    with pytest.raises(SchemaClash, match="column LogonId would land as LogonId_2, and is LogonId"):
        beside_siblings({"LogonId": "Int64"}, siblings, where="logons")
    assert mixed_types(shapes) == {"LogonId": None, "LogonId_2": None}


def test_an_answer_without_columns_has_those_of_the_partition_before() -> None:
    """Empty days have the same types; without another partition there are no columns yet."""
    latest = arrow_schema({"Timestamp": "DateTime", "LogonId": "Int64", "LogonID": "Int32"})
    schema = beside_siblings({}, Siblings.of(latest, "another"), where="logons")
    assert schema.equals(latest, check_metadata=True)
    assert wire_columns(beside_siblings({}, ALONE, where="logons")) == {}


def test_changes_are_told_by_the_service_s_names() -> None:
    """Added, missing, and of another type; the order of columns is no change."""
    before = columns_of(arrow_schema({"a": "Int32", "b": "String", "c": "Guid"}))
    now = columns_of(arrow_schema({"c": "Guid", "a": "Int64", "d": "Object"}))
    found = changes(now, before, "yesterday")
    assert found.against == "yesterday"
    assert [column.wire_name for column in found.added] == ["d"]
    assert [column.wire_name for column in found.missing] == ["b"]
    assert [(each.name, each.before, each.now) for each in found.retyped] == [
        ("a", "Int32", "Int64")
    ]
    assert not changes(before, tuple(reversed(before)), "yesterday")


def test_a_file_of_another_program_has_no_columns_of_ours(tmp_path: Path) -> None:
    """Nothing is known of what they mean."""
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    assert columns_of(pq.read_schema(tmp_path / "a.parquet")) == ()

"""The text of a body: each value as the service writes it, whatever DuckDB makes of it."""

import json
import random
import struct
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from pipelines.standin.store import TIMESPAN
from pipelines.standin.wire import Dialect, body

MARK = "#microsoft.graph.security.dynamicColumnValue"
DIALECTS: tuple[Dialect, ...] = ("odata", "plain")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def written(
    connection: duckdb.DuckDBPyConnection, sql: str, kind: str, dialect: Dialect = "plain"
) -> str:
    """The text of the one value, exactly as it stands in the body."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS SELECT {sql} AS x")
    text = body(connection, (("x", kind),), dialect, 0.5).decode()
    results = text[text.index(':[{"', text.lower().index('"results"')) + 2 : -2]
    assert json.loads(results)
    return results[results.rindex('"x":') + 4 : -1] if kind != "Object" else results


@pytest.mark.parametrize(
    ("sql", "kind", "expected"),
    [
        (
            "TIMESTAMP_NS '2026-11-20 23:59:59.9999999'",
            "DateTime",
            '"2026-11-20T23:59:59.9999999Z"',
        ),
        ("TIMESTAMP_NS '2026-11-20 10:20:30'", "DateTime", '"2026-11-20T10:20:30Z"'),
        ("TIMESTAMP_NS '2026-11-20 10:20:00.928'", "DateTime", '"2026-11-20T10:20:00.928Z"'),
        ("TIMESTAMP_NS '2026-11-20 00:00:00'", "DateTime", '"2026-11-20T00:00:00Z"'),
        ("TIMESTAMP_NS '1678-01-01 00:00:00'", "DateTime", '"0001-01-01T00:00:00Z"'),
        ("TIMESTAMP_NS '1678-01-01 00:00:02'", "DateTime", '"1601-01-01T00:00:00Z"'),
        ("true", "SByte", "1"),
        ("false", "SByte", "0"),
        ("9223372036854775807", "Int64", "9223372036854775807"),
        ("(-9223372036854775807 - 1)::BIGINT", "Int64", "-9223372036854775808"),
        ("0.1::DOUBLE", "Double", "0.1"),
        ("'-inf'::DOUBLE", "Double", '"-Infinity"'),
        ("'inf'::DOUBLE", "Double", '"Infinity"'),
        ("'nan'::DOUBLE", "Double", '"NaN"'),
        ("1.50::DECIMAL(38, 17)", "SqlDecimal", "1.5"),
        ("0::DECIMAL(38, 17)", "SqlDecimal", "0"),
        ("100::DECIMAL(38, 0)", "SqlDecimal", "100"),
        ("-100::DECIMAL(38, 2)", "SqlDecimal", "-100"),
        ("chr(0) || chr(31) || '\"\\'", "String", r'"\u0000\u001f\"\\"'),
        ("''", "String", '""'),
        ("NULL::VARCHAR", "String", "null"),
    ],
)
def test_each_value_is_written_as_the_service_does(
    connection: duckdb.DuckDBPyConnection, sql: str, kind: str, expected: str
) -> None:
    """Zeros cut from fractions only, booleans as numbers, sentinels as themselves."""
    assert written(connection, sql, kind).lower() == expected.lower()


@pytest.mark.parametrize(
    ("ticks", "plain", "odata"),
    [
        (0, "00:00:00", "P0DT0H0M0S"),
        (1, "00:00:00.0000001", "P0DT0H0M0.0000001S"),
        (-1, "-00:00:00.0000001", "-P0DT0H0M0.0000001S"),
        (937_841_234_567, "1.02:03:04.1234567", "P1DT2H3M4.1234567S"),
        (-864_000_000_000, "-1.00:00:00", "-P1DT0H0M0S"),
        (2**63 - 1, "10675199.02:48:05.4775807", "P10675199DT2H48M5.4775807S"),
    ],
)
def test_timespans_have_a_spelling_for_each_dialect(
    connection: duckdb.DuckDBPyConnection, ticks: int, plain: str, odata: str
) -> None:
    """ISO 8601 on Graph, days and a clock elsewhere; never less than a tick."""
    sql = f"{{'ticks': {ticks}}}::{TIMESPAN}"
    assert written(connection, sql, "TimeSpan") == f'"{plain}"'
    assert written(connection, sql, "TimeSpan", "odata") == f'"{odata}"'


@pytest.mark.parametrize("kind", ["String", "Int64", "DateTime", "SByte", "Double", "Guid"])
def test_null_is_an_empty_object_on_graph_alone(
    connection: duckdb.DuckDBPyConnection, kind: str
) -> None:
    """For every type; elsewhere it is null."""
    duckdb_type = {"Int64": "BIGINT", "DateTime": "TIMESTAMP_NS", "SByte": "BOOLEAN"}
    sql = f"NULL::{duckdb_type.get(kind, 'DOUBLE' if kind == 'Double' else 'VARCHAR')}"
    assert written(connection, sql, kind, "odata") == "{}"
    assert written(connection, sql, kind) == "null"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_character_reads_back_as_it_was(
    connection: duckdb.DuckDBPyConnection, dialect: Dialect
) -> None:
    """Each of Unicode's characters, a surrogate being none, and each escape that JSON has."""
    texts = pa.array(
        "".join(
            map(chr, (code for code in range(start, start + 256) if not 0xD7FF < code < 0xE000))
        )
        for start in range(0, 0x110000, 256)
    )
    held = pa.table({"x": texts})
    connection.register("held", held)
    connection.execute("CREATE OR REPLACE TEMP TABLE answer AS FROM held")
    answer = json.loads(body(connection, (("x", "String"),), dialect, 0.5))
    rows = answer["results" if dialect == "odata" else "Results"]
    assert [row["x"] for row in rows] == texts.to_pylist()


def test_every_double_reads_back_as_it_was(connection: duckdb.DuckDBPyConnection) -> None:
    """With as many digits as it needs, whatever its bits."""
    bits = random.Random(7).randbytes(8 * 5_000)  # noqa: S311 - doubles, not secrets
    doubles = [number for (number,) in struct.iter_unpack("<d", bits)]
    held = pa.table({"x": doubles})
    connection.register("held", held)
    connection.execute("CREATE OR REPLACE TEMP TABLE answer AS FROM held")
    rows = json.loads(body(connection, (("x", "Double"),), "plain", 0.5))["Results"]
    assert [repr(float(row["x"])) for row in rows] == [repr(number) for number in doubles]


def test_graph_marks_dynamic_values_at_every_depth(connection: duckdb.DuckDBPyConnection) -> None:
    """Objects bear a type, and an array of objects becomes an array of JSON texts."""
    bag = '{"a":{"b":[{"k":1}],"flag":true},"@type":"own"}'
    graph = json.loads(written(connection, f"'{bag}'::JSON", "Object", "odata"))
    assert graph["x"] == {
        "@odata.type": MARK,
        "a": {"@odata.type": MARK, "b": ['{"k":1}'], "flag": True},
        "@type": "own",
    }
    assert json.loads(written(connection, f"'{bag}'::JSON", "Object")) == {"x": json.loads(bag)}


def test_graph_says_what_an_array_of_texts_holds(connection: duckdb.DuckDBPyConnection) -> None:
    """Beside the value, and for such arrays only."""
    said = json.loads(written(connection, "'[{\"k\":1}]'::JSON", "Object", "odata"))
    assert said == {"x@odata.type": "#Collection(String)", "x": ['{"k":1}']}
    for other in ("[1]", "[]", '"text"'):
        said = json.loads(written(connection, f"'{other}'::JSON", "Object", "odata"))
        assert said == {"x": json.loads(other)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_of_no_rows_keeps_its_schema(
    connection: duckdb.DuckDBPyConnection, dialect: Dialect
) -> None:
    """In the dialect's own capitals."""
    connection.execute("CREATE OR REPLACE TEMP TABLE answer (a BIGINT, b JSON)")
    answer = json.loads(body(connection, (("a", "Int64"), ("b", "Object")), dialect, 0.25))
    if dialect == "odata":
        assert answer["schema"] == [
            {"name": "a", "type": "Int64"},
            {"name": "b", "type": "Object"},
        ]
        assert answer["results"] == []
    else:
        assert answer["Schema"] == [
            {"Name": "a", "Type": "Int64"},
            {"Name": "b", "Type": "Object"},
        ]
        assert answer["Results"] == []
        assert answer["Stats"]["ExecutionTime"] == 0.25


def test_names_that_need_quoting_are_written_right(connection: duckdb.DuckDBPyConnection) -> None:
    """A column may be called anything."""
    name = 'it\'s "a" {name} \\ 日本'
    quoted = '"' + name.replace('"', '""') + '"'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS SELECT 'v' AS {quoted}")
    assert json.loads(body(connection, ((name, "String"),), "plain", 0.5))["Results"] == [
        {name: "v"}
    ]

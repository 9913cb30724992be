"""What huntlake adds to KQL's functions: each by the language's reference."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.translation import MACROS, Tables, to_sql
from pipelines.windows import parse_instant

NOW = parse_instant("2026-11-23")
TEXTS = Tables.of({"T": ["a", "b", "n"]})


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            connection.execute(f"CREATE MACRO {macro}")
        connection.execute("CREATE TABLE T (a VARCHAR, b VARCHAR, n BIGINT)")
        connection.execute(
            "INSERT INTO T VALUES ('one', '[1,2]', 1), ('two', 'x y', 2), ('one', NULL, 3)"
        )
        yield connection


def value(connection: duckdb.DuckDBPyConnection, expression: str) -> object:
    [(found,)] = connection.sql(to_sql(f"print x = {expression}", TEXTS, now=NOW)).fetchall()
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ipv4_is_private('10.255.0.1')", True),
        ("ipv4_is_private('172.31.255.255')", True),
        ("ipv4_is_private('172.32.0.0')", False),
        ("ipv4_is_private('192.168.4.4')", True),
        ("ipv4_is_private('192.169.0.0')", False),
        ("ipv4_is_private('192.168.1.1/24')", True),
        ("ipv4_is_private('8.8.8.8')", False),
        ("ipv4_is_private('256.1.1.1')", None),
        ("ipv4_is_private('10.1.1')", None),
        ("ipv4_is_private('fe80::1')", None),
        ("ipv4_is_private('')", None),
        ("ipv4_is_in_range('192.168.1.6', '192.168.1.1/24')", True),
        ("ipv4_is_in_range('192.168.2.6', '192.168.1.1/24')", False),
        ("ipv4_is_in_range('1.2.3.4', '1.2.3.4')", True),
        ("ipv4_is_in_range('1.2.3.4', '0.0.0.0/0')", True),
        ("ipv4_is_in_range('1.2.3.4', 'no network')", None),
        ("ipv4_is_in_any_range('10.1.1.1', '11.0.0.0/8', '10.0.0.0/8')", True),
        ("ipv4_is_in_any_range('12.1.1.1', '11.0.0.0/8', '10.0.0.0/8')", False),
        ("ipv4_is_match('192.168.1.1/24', '192.168.1.255')", True),
        ("ipv4_is_match('192.168.1.1', '192.168.1.255')", False),
        ("ipv4_is_match('192.168.1.1', '192.168.1.255', 24)", True),
        ('extractjson(\'$.a.b\', \'{"a":{"b":"c"}}\')', "c"),
        ("extractjson('$.a', 'no json')", ""),
        ("extractjson('$.n', '{\"n\":7}', typeof(long))", 7),
        ("extract('([0-9]+)', 1, 'pid 42', typeof(int)) + 1", 43),
        ("indexof('abcabc', 'c', 3)", 5),
        ("indexof('abcabc', 'a', 4)", -1),
        ("replace('[0-9]+', '#', 'a1b22')", "a#b#"),
        ("url_decode('a%20b%2Fc')", "a b/c"),
        ("tostring(set_difference(dynamic([1,2,3,2]), dynamic([3]), dynamic([1])))", "[2]"),
    ],
)
def test_a_function_is_what_the_reference_says(
    connection: duckdb.DuckDBPyConnection, expression: str, expected: object
) -> None:
    """Null where that says null."""
    assert value(connection, expression) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "T | summarize s = make_set_if(n, n > 1) by a | order by a asc",
            [("one", "[3]"), ("two", "[2]")],
        ),
        ("T | summarize l = array_length(make_list_if(n, a == 'none'))", [(0,)]),
        ("T | where * has 'y' | project n", [(2,)]),
        ("T | where * has 'n' | project n", []),
        ("T | where * contains 'ONE' | project n", [(1,), (3,)]),
        ("T | where a notcontains 'n' | project n", [(2,)]),
        ("T | mv-expand parse_json(b) | where n == 1 | project tolong(b)", [(1,), (2,)]),
        ("T | where n between (1 .. 2) | project n", [(1,), (2,)]),
        (
            "T | extend m = iff(n == 1, parse_json(b)[0], a) | project tostring(m)",
            [("1",), ("two",), ("one",)],
        ),
        (
            "T | join kind=inner (T) on $left.a == $right.a and $left.n == $right.n | project n",
            [(1,), (2,), (3,)],
        ),
    ],
)
def test_a_step_is_what_the_reference_says(
    connection: duckdb.DuckDBPyConnection, query: str, expected: list[tuple[object, ...]]
) -> None:
    """Over three rows."""
    assert connection.sql(to_sql(query, TEXTS, now=NOW)).fetchall() == expected


def test_a_stretch_may_be_given_by_its_length(connection: duckdb.DuckDBPyConnection) -> None:
    """Of a literal's, and of a name's that has one."""
    for length in ("2h", "span"):
        query = (
            f"let span = 2h; range t from datetime(2026-11-20) to datetime(2026-11-20T06:00) "
            f"step 1h | where t between ((datetime(2026-11-20T03:00) - 1h) .. {length}) | count"
        )
        assert connection.sql(to_sql(query, TEXTS, now=NOW)).fetchall() == [(3,)]

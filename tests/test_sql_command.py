"""``huntlake sql``: statements from an argument, a file and standard input, and their answers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import cli
from pipelines.errors import HuntlakeError
from pipelines.lake import LakeLayout
from tests.lake.hunters import land_tables


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    land_tables(LakeLayout(data), {"AlertInfo": 20})
    return data


def ask(data: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner(env={"HUNTLAKE_DATA": str(data)}).invoke(cli, ["sql", *arguments], input=typed)


def test_statements_come_from_anywhere(data: Path, tmp_path: Path) -> None:
    """Several are answered one after another; what returns nothing prints nothing."""
    text = (
        "SET threads = 1; CREATE TEMP MACRO twice(n) AS 2 * n; SELECT twice(21) AS n; SELECT ';' s"
    )
    file = tmp_path / "morning.sql"
    file.write_text(text, encoding="utf-8-sig")
    asked = (
        ask(data, "--output", "csv", text),
        ask(data, "--output", "csv", "--file", str(file)),
        ask(data, "--output", "csv", typed=text),
    )
    assert [each.stdout for each in asked] == ['"n"\n42\n"s"\n";"\n'] * 3


def test_the_first_that_fails_ends_it(data: Path) -> None:
    """And is named by its number."""
    asked = ask(data, "--output", "csv", "SELECT 1 AS n; SELECT error('midway'); SELECT 2 AS n")
    assert asked.stdout == '"n"\n1\n'
    assert isinstance(asked.exception, HuntlakeError)
    assert "statement 2 of 3" in str(asked.exception)
    assert "midway" in str(asked.exception)


@pytest.mark.parametrize(
    "statement",
    [
        *(
            "CREATE TABLE t (n INT)",
            "DROP VIEW alert_info",
            "INSERT INTO alert_info (Title) VALUES ('a')",
        ),
        *("UPDATE alert_info SET Title = 'a'", "DELETE FROM alert_info", "CREATE SCHEMA s"),
    ],
)
def test_what_would_change_the_lake_is_refused(data: Path, statement: str) -> None:
    """With what can be done instead."""
    asked = ask(data, statement)
    assert isinstance(asked.exception, HuntlakeError)
    assert "CREATE TEMP TABLE" in str(asked.exception)


def test_what_is_of_the_session_may_be_made(data: Path, tmp_path: Path) -> None:
    """And files may be written."""
    file = tmp_path / "alerts.parquet"
    asked = ask(
        data,
        f"CREATE TEMP TABLE mine AS FROM alert_info; INSERT INTO mine FROM mine; "
        f"PRAGMA database_list; EXPLAIN FROM mine; COPY mine TO '{file}'",
    )
    assert asked.exception is None
    assert pq.read_metadata(file).num_rows == 120


def test_csv_has_what_arrow_could_not_write(data: Path) -> None:
    """Lists, maps and sums, two columns of one name; times with seven digits."""
    asked = ask(
        data,
        *("--output", "csv"),
        "SELECT [1, 2] l, MAP {'a': 1} m, sum(1) s, 1 a, 2 a, NULL::VARCHAR n, "
        "TIMESTAMPTZ_NS '2026-11-20 00:00:00.1234567+00' t",
    )
    assert (
        asked.stdout.splitlines()[1] == '"[1, 2]","{a=1}","1",1,2,,"2026-11-20 00:00:00.1234567+00"'
    )


def test_parquet_goes_to_a_file(data: Path) -> None:
    """Times have the type that they landed in."""
    asked = ask(data, "--output", "parquet", "FROM alert_info")
    table = pq.read_table(pa.BufferReader(asked.stdout_bytes))
    assert table.num_rows == 60
    assert str(table["Timestamp"].type) == "timestamp[ns, tz=UTC]"


@pytest.mark.parametrize("statement", ["", " ", "-- nothing"])
def test_no_statement_is_a_wrong_use(data: Path, statement: str) -> None:
    """And no empty answer."""
    assert ask(data, statement).exit_code == 2

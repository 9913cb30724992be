"""The shell: typed lines go in by a pipe, as the terminal's keys, and a real lake answers."""

import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from pipelines.clock import SimulatedClock
from pipelines.lake import LakeLayout, connect
from pipelines.shell import Prompt, Shell, SqlLanguage
from pipelines.shell.cancelling import Cancelled, cancellable
from pipelines.shell.prompting import kept_in
from tests.lake.hunters import land_tables

FOR_EVER = "SELECT count(*) FROM range(100000000000) a, range(100000) b"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> LakeLayout:
    layout = LakeLayout(tmp_path_factory.mktemp("data"))
    land_tables(layout, {"AlertInfo": 40})
    return layout


@pytest.fixture
def language(layout: LakeLayout) -> Iterator[SqlLanguage]:
    with closing(connect(layout)) as connection:
        yield SqlLanguage(connection)


@pytest.fixture
def shell(language: SqlLanguage) -> Shell:
    return Shell(language, SimulatedClock(0))


def type_in(shell: Shell, language: SqlLanguage, keys: str, history: Path | None = None) -> None:
    """Type it, and then Ctrl-D."""
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        prompt = Prompt(language, shell.commands, history)
        typed.send_text(f"{keys}\x04")
        shell.run(prompt)


def test_a_statement_goes_on_until_its_end(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over lines; a ``;`` in a text or a comment is none."""
    type_in(shell, language, ".mode json\rSELECT ';' AS a, -- ;\r 2 AS b\r;\r")
    assert json.loads(capfd.readouterr().out) == {"a": ";", "b": 2}


def test_the_shell_goes_on_after_an_error(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of any kind: no SQL, no such column, no such command, a write, a failure midway."""
    wrong = (
        *("selec 1;", "SELECT Nope FROM alert_info;", ".nope", ".rows many", ".mode", ".quit now"),
        *("DROP VIEW alert_info;", "SELECT error('midway');", ".schema nope", ".read nope.sql"),
        *(".once answer.txt", "SELECT 1;", ".once nowhere/answer.csv", "SELECT 1;"),
    )
    type_in(
        shell, language, "".join(f"{each}\r" for each in (*wrong, ".mode csv", "SELECT 7 AS n;"))
    )
    said = capfd.readouterr()
    assert said.out == '"n"\n7\n'
    for words in (
        *('"selec"', '"Nope"', "no command .nope", "no number of rows", ".mode table | csv | json"),
        *("it goes .quit", "The lake is read-only", "midway", "there is no nope", "nope.sql"),
        *("must end in one of .csv", "its folder is not there"),
    ):
        assert words in said.err


def test_ctrl_c_drops_what_is_typed(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """And stays in the shell."""
    type_in(shell, language, ".mode csv\rSELECT 1 AS dropped\x03SELECT 2 AS asked;\r")
    assert capfd.readouterr().out == '"asked"\n2\n'


def test_quit_leaves(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """What follows is not run."""
    type_in(shell, language, ".quit\rSELECT 1;\r")
    assert capfd.readouterr().out == ""


def test_tab_completes_what_the_lake_has(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where a table must come, tables alone."""
    words = [each.text for each in language.words("FROM ")]
    assert words[0] == "alert_info"
    assert '"contoso.com".alert_info' in words
    assert "huntlake.partitions" in words
    assert "SELECT" not in words
    columns = [each.text for each in language.words("FROM alert_info SELECT ")]
    assert "AttackTechniques" in columns[:12]
    assert "SELECT" in columns


def test_a_long_answer_is_cut_and_counted(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """The number of rows is exact, however many they are."""
    type_in(shell, language, ".rows 4\rSELECT range AS n FROM range(34567);\rFROM range(9000);\r")
    shown = capfd.readouterr().out
    assert "the first 4 of 34,567 rows" in shown
    assert "9000 rows" in shown


def test_times_have_seven_digits_however_they_are_shown(
    shell: Shell, language: SqlLanguage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And are in UTC; a file of Parquet holds nanoseconds."""
    asked = "SELECT TIMESTAMPTZ_NS '2026-11-20 23:59:59.9999999+00' AS t;\r"
    files = [tmp_path / f"answer.{end}" for end in ("csv", "json", "parquet")]
    modes = "".join(f".mode {mode}\r{asked}" for mode in ("table", "csv", "json"))
    type_in(shell, language, modes + "".join(f".once {file}\r{asked}" for file in files))
    time = "2026-11-20 23:59:59.9999999+00"
    assert capfd.readouterr().out.count(time) == 3
    assert files[0].read_text() == f'"t"\n"{time}"\n'
    assert json.loads(files[1].read_text()) == {"t": time}
    assert str(pq.read_table(files[2])["t"].type) == "timestamp[ns, tz=UTC]"
    assert duckdb.sql(f"SELECT epoch_ns(t) % 1000 FROM '{files[2]}'").fetchall() == [(900,)]
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_dots_tell_what_there_is(
    shell: Shell, language: SqlLanguage, capfd: pytest.CaptureFixture[str]
) -> None:
    """Hunts with how much of each landed, and the session's own."""
    type_in(
        shell, language, "CREATE TEMP VIEW mine AS FROM alert_info;\r.tables\r.schema mine\r.help\r"
    )
    said = capfd.readouterr().out
    assert "│ alert_info " in said
    assert "│ mine " in said
    landed = "│ 120 │ 3 │ 2026-11-20 00:00:00+00 │ 2026-11-23 00:00:00+00 │"
    assert f"│ alert_info {landed}" in " ".join(said.split())
    assert "│ Severity " in said
    for command in shell.commands:
        assert f"\n{command} " in f"\n{said}"


def test_a_file_is_read_until_it_fails(
    shell: Shell, language: SqlLanguage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each of its statements is answered by itself."""
    file = tmp_path / "a.sql"
    file.write_text("SELECT 1 AS a; SELECT 2 AS b; SELECT error('no'); SELECT 3 AS c;")
    type_in(shell, language, f".mode csv\r.read {file}\r")
    assert capfd.readouterr().out == '"a"\n1\n"b"\n2\n'


def test_the_history_is_its_owner_s(shell: Shell, language: SqlLanguage, tmp_path: Path) -> None:
    """Also where others could read the file before; it is there the next time."""
    history = tmp_path / "state" / "sql_history"
    history.parent.mkdir()
    history.touch(0o644)
    type_in(shell, language, "SELECT 1;\r", history)
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    kept = kept_in(history)
    assert isinstance(kept, FileHistory)
    assert list(kept.load_history_strings()) == ["SELECT 1;"]


@pytest.mark.parametrize("path", [None, Path("relative"), Path("/dev/null/history")])
def test_without_a_place_the_history_is_of_the_session(path: Path | None) -> None:
    """And nothing fails."""
    assert isinstance(kept_in(path), InMemoryHistory)


def test_what_runs_is_cancelled(language: SqlLanguage) -> None:
    """The query ends, and the connection is good for the next."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = threading.Event()

    def work() -> None:
        started.set()
        answer = language.answer(FOR_EVER)
        assert answer is not None
        answer.fetchall()

    def press_ctrl_c() -> None:
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press_ctrl_c).start()
    try:
        with pytest.raises(Cancelled):
            cancellable(work, language.interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    answer = language.answer("SELECT 1")
    assert answer is not None
    assert answer.fetchall() == [(1,)]

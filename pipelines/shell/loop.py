"""The shell: read, answer, show, and go on after an error.

What belongs here: the loop, and the commands that begin with a dot. What does not: the terminal
(``prompting``), or the language.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import click
import duckdb

from pipelines.answers import OUTPUTS, TABLE_ROWS, print_answer, save_answer
from pipelines.clock import Clock
from pipelines.errors import HuntlakeError
from pipelines.shell.cancelling import Cancelled, cancellable
from pipelines.shell.language import Language

_NANOSECONDS: Final = 1_000_000_000
_MODES: Final = tuple(each for each in OUTPUTS if each != "parquet")


class Reader(Protocol):
    """Where the shell's texts come from."""

    def read(self) -> str:
        """The next. Raises ``KeyboardInterrupt`` to drop it, and ``EOFError`` to leave."""


@dataclass(slots=True)
class _Showing:
    """How answers are shown."""

    mode: str = "table"
    rows: int = TABLE_ROWS
    timer: bool = True
    once: Path | None = None


class Shell:
    """Answers what is read until there is no more."""

    def __init__(self, language: Language, clock: Clock) -> None:
        self._language = language
        self._clock = clock
        self._showing = _Showing()
        self._commands: dict[str, tuple[str, str, Callable[[str], object]]] = {
            ".tables": ("", "what can be asked, and what there is of it", self._tables),
            ".schema": ("NAME", "the columns of a hunt or table", self._schema),
            ".mode": (" | ".join(_MODES), "how answers are shown", self._mode),
            ".rows": ("N", f"how many rows a table shows; {TABLE_ROWS} at first", self._rows),
            ".once": ("FILE", "write the next answer to a .csv, .json or .parquet", self._once),
            ".read": ("FILE", "run what is in a file", self._read),
            ".timer": ("on | off", "whether to say how long it took", self._timer),
            ".help": ("", "this", self._help),
            ".quit": ("", "leave, as Ctrl-D does", self._quit),
        }

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of the commands that begin with a dot."""
        return tuple(self._commands)

    def run(self, reader: Reader) -> None:
        """Go on until the reader, or ``.quit``, ends it."""
        while True:
            try:
                self.take(reader.read())
            except KeyboardInterrupt:
                continue
            except EOFError:
                return

    def take(self, text: str) -> None:
        """Do what one text says; what goes wrong is printed. Raises ``EOFError`` to leave."""
        try:
            if text.lstrip().startswith("."):
                self._command(text)
            else:
                self._answer(text)
        except Cancelled:
            click.secho("cancelled", fg="yellow", err=True)
        except (HuntlakeError, duckdb.Error, OSError) as error:
            click.secho(str(error), fg="red", err=True)

    def _command(self, text: str) -> None:
        name, _, argument = text.strip().partition(" ")
        wants, _, do = self._commands.get(name, ("", "", None))
        argument = argument.strip().removesuffix(";").strip()
        if do is None:
            raise HuntlakeError(f"there is no command {name}; .help lists those that there are")
        if bool(wants) != bool(argument):
            raise HuntlakeError(f"it goes {name} {wants}".rstrip())
        do(argument)

    def _answer(self, text: str) -> None:
        for statement in self._language.statements(text):
            began = self._clock.now_ns()
            self._cancellable(partial(self._ask, statement))
            if self._showing.timer:
                seconds = (self._clock.now_ns() - began) / _NANOSECONDS
                click.secho(f"{seconds:.2f} s", dim=True, err=True)

    def _ask(self, statement: str) -> None:
        answer = self._language.answer(statement)
        if answer is None:
            return
        if self._showing.once is None:
            print_answer(answer, self._showing.mode, rows=self._showing.rows)
            return
        path, self._showing.once = self._showing.once, None
        save_answer(answer, path)
        click.echo(f"written to {path}", err=True)

    def _cancellable(self, work: Callable[[], None]) -> None:
        cancellable(work, self._language.interrupt)

    def _tables(self, _: str) -> None:
        self._cancellable(lambda: print_answer(self._language.tables(), "table", rows=1_000))

    def _schema(self, name: str) -> None:
        print_answer(self._language.columns(name), "table", rows=1_000)

    def _mode(self, mode: str) -> None:
        self._showing.mode = _one_of(_MODES, mode)

    def _rows(self, number: str) -> None:
        if not number.isdecimal() or int(number) < 1:
            raise HuntlakeError(f"{number} is no number of rows")
        self._showing.rows = int(number)

    def _once(self, path: str) -> None:
        self._showing.once = Path(path).expanduser()

    def _read(self, path: str) -> None:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise HuntlakeError(f"{path} is no text in UTF-8") from error
        self._answer(text)

    def _timer(self, switch: str) -> None:
        self._showing.timer = _one_of(("on", "off"), switch) == "on"

    def _help(self, argument: str) -> None:
        del argument
        width = max(len(f"{name} {wants}") for name, (wants, _, _) in self._commands.items())
        for name, (wants, meaning, _) in self._commands.items():
            named = f"{name} {wants}"
            click.echo(f"{named:<{width}}  {meaning}")
        click.echo(
            f"\n{self._language.ends_with} ends a statement, Tab completes, Up and Ctrl-R find "
            f"what was asked before.\nCtrl-C cancels a query, Ctrl-D leaves."
        )

    def _quit(self, _: str) -> None:
        raise EOFError


def _one_of(choices: Iterable[str], given: str) -> str:
    if given not in choices:
        raise HuntlakeError(f"{given} is none of {', '.join(choices)}")
    return given

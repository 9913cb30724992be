"""What the shell asks of a language.

What belongs here: the protocol. What does not: SQL (``sql``) or the shell (``loop``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from duckdb import DuckDBPyRelation
from pygments.lexer import Lexer


@dataclass(frozen=True, slots=True)
class Word:
    """What could be typed next, and what it is: ``view``, ``VARCHAR``, ``keyword``, ..."""

    text: str
    kind: str


class Language(Protocol):
    """A language in which a lake is asked. Errors are ``HuntlakeError`` or ``duckdb.Error``."""

    @property
    def name(self) -> str:
        """As in ``sql``: what the history is kept under."""

    @property
    def lexer(self) -> type[Lexer]:
        """What colours it."""

    @property
    def ends_with(self) -> str:
        """What ends a statement, for a sentence."""

    def is_whole(self, text: str) -> bool:
        """Whether the text is to be run as it stands, or goes on in the next line."""

    def statements(self, text: str) -> Iterable[str]:
        """Its statements, each to be answered by itself."""

    def answer(self, statement: str) -> DuckDBPyRelation | None:
        """What a statement returns; None where it returns nothing."""

    def interrupt(self) -> None:
        """End what runs, from another thread."""

    def tables(self) -> DuckDBPyRelation:
        """What can be asked, and what there is of it."""

    def columns(self, table: str) -> DuckDBPyRelation:
        """The columns of one of them. Raises ``HuntlakeError`` where it is not there."""

    def words(self, before: str) -> Sequence[Word]:
        """What may come at the end of this text, the likeliest first."""

"""What a bare name may be: a table with its time column, or a column.

What belongs here: what the documentation and the words of the hunt say about a name. What does
not: where names stand, and what is in scope there (``sources``).
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from pipelines.kql.lexer import Kind, Token
from pipelines.kql.tables import find_table, known_tables

BUCKET: Final = "HuntlakeBucket"
"""The column that a page by time and hash has beside the hunt's own: each row's bucket."""


def time_column_of(table: str, given: str | None) -> str | None:
    """The column to restrict a table by: the one that the hunt's file names, where it has it.

    None for a documented table without one: a snapshot. An undocumented table is taken at the
    file's word, so it has none only where the file names none.
    """
    known = find_table(table)
    if known is None:
        return given
    if given is not None and known.columns.get(given) == "datetime":
        return given
    return known.time_column


@cache
def documented_columns() -> frozenset[str]:
    """Every column that any documented table has."""
    return frozenset(name for table in known_tables().values() for name in table.columns)


def made_columns(tokens: Sequence[Token]) -> frozenset[str]:
    """The names that the hunt itself may make columns of.

    ``name = value``, ``name: type``, and what ``parse`` captures after a piece of text.
    """
    names = set()
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False):
        named = after is not None and after.is_sign("=", ":")
        captured = before is not None and before.kind is Kind.STRING
        if token.kind is Kind.NAME and (named or captured):
            names.add(token.text)
    return frozenset(names)


def may_be_column(name: str, made: frozenset[str]) -> bool:
    """Whether a name is one that a column has, or a join's copy of one, such as ``DeviceId1``."""
    plain = name.rstrip("0123456789")
    return any(
        candidate in names for candidate in (name, plain) for names in (made, documented_columns())
    )

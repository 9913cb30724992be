"""From KQL to SQL that DuckDB runs exactly.

What belongs here: what ``duckdb-kql`` must be told, and remembering what it made of it. What does
not: words that it doesn't know (``respelling``), mending the SQL that it emits (``exactness``), or
running that.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Self

import duckdb_kql

from pipelines.translation.exactness import exact
from pipelines.translation.functions import exact_functions
from pipelines.translation.names import Names
from pipelines.translation.respelling import Respelt, respell
from pipelines.translation.rows import with_rows
from pipelines.windows import parse_instant

# Stands for an instant while a query is read.
_MARK: Final = re.compile(r"1987-06-05T04:03:02\.\d{7}Z")
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tables:
    """What a query may read: tables by name, each with its columns as they are held."""

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    names: Names

    @classmethod
    def of(cls, tables: Mapping[str, Iterable[str]], names: Names | None = None) -> Self:
        """Tables by their own columns' names; ``names`` where other tables have a part in them."""
        listed = {table: tuple(columns) for table, columns in tables.items()}
        names = names or Names.of(listed.values())
        return cls(
            tuple((table, tuple(map(names.held, columns))) for table, columns in listed.items()),
            names,
        )


def to_sql(kql: str, tables: Tables, *, now: int) -> str:
    """The SQL of a query whose ``now()`` is an instant.

    Raises ``KqlError`` where the text can't be cut into words, ``duckdb_kql.KqlError`` where the
    query is wrong or more than can be translated, its places those of the respelt query, and
    ``TranslationChanged``.
    """
    return exact(_emitted(respell(kql, tables.names), tables), now=now)


def _emitted(query: Respelt, tables: Tables) -> str:
    """What ``duckdb-kql`` makes of a query, remembered for queries that differ in instants alone.

    It takes longer to read a query than DuckDB to answer it, and an export sends one hunt over and
    over with other windows. A query is read with marks in the place of its instants; where that
    fails, or a mark does not come back, it is read as it is.
    """
    words = list(query.words)
    marks: dict[str, str] = {}
    for number, word in enumerate(words):
        if word.startswith("datetime(") and _is_instant(word):
            words[number] = f"datetime({marks.setdefault(word, _mark(len(marks)))})"
    instants = {mark: word[len("datetime(") : -1].strip() for word, mark in marks.items()}
    if _MARK.search(query.text) is None:
        try:
            marked = _read("".join(words), tables)
        except duckdb_kql.KqlError:
            # Its message would tell places in the query that was read.
            pass
        else:
            if set(_MARK.findall(marked)) == set(instants):
                return _MARK.sub(lambda mark: instants[mark[0]], marked)
    return _read(query.text, tables)


def _is_instant(literal: str) -> bool:
    try:
        parse_instant(literal[len("datetime(") : -1])
    except ValueError:
        return False
    return True


def _mark(number: int) -> str:
    return f"1987-06-05T04:03:02.{number:07d}Z"


@lru_cache(maxsize=1_000)
def _read(respelt: str, tables: Tables) -> str:
    # The time of the query stays a parameter in the SQL; ``exact`` puts it there.
    with exact_functions():
        translated = duckdb_kql.to_sql(
            respelt,
            schema={table: list(columns) for table, columns in tables.columns},
            allow_write=False,
            query_now=_ANY_TIME,
        )
    return with_rows(str(translated))

"""SQL in the shell.

What belongs here: when a statement is whole, and what could come next. What does not: running it
(``lake.asking``).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import duckdb
from pygments.lexer import Lexer
from pygments.lexers.sql import SqlLexer

from pipelines.errors import HuntlakeError
from pipelines.lake import asking
from pipelines.lake.sql import quoted
from pipelines.shell.language import Word

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE_COMES: Final = re.compile(r"\b(?:from|join|describe|summarize)\s+[\w.\"]*$", re.IGNORECASE)
_NAMES: Final = """
    SELECT schema_name, view_name, 'view' FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT schema_name, table_name, 'table' FROM duckdb_tables() WHERE NOT internal
    ORDER BY ALL
"""
_TABLES: Final = """
    WITH there AS (
        SELECT schema_name AS schema, view_name AS name, internal FROM duckdb_views()
        UNION ALL
        SELECT schema_name, table_name, internal FROM duckdb_tables()
    ), landed AS (
        SELECT hunt, count(*) AS partitions, sum(rows)::BIGINT AS rows,
            min(window_start) AS "from", max(window_end) AS "to"
        FROM huntlake.partitions GROUP BY hunt
    )
    SELECT CASE schema WHEN 'main' THEN name ELSE schema || '.' || name END AS name,
        rows, partitions, "from", "to"
    FROM there LEFT JOIN landed ON there.name = landed.hunt AND there.schema = 'main'
    WHERE NOT internal AND schema IN ('main', 'huntlake')
    ORDER BY schema = 'huntlake', name
"""


class SqlLanguage:
    """SQL over one connection to the catalogue."""

    name = "sql"
    ends_with = "`;`"
    lexer: type[Lexer] = SqlLexer

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def is_whole(self, text: str) -> bool:
        """At a ``;`` that stands in no text, name or comment."""
        tokens = duckdb.tokenize(text)
        code = [(at, kind) for at, kind in tokens if kind != duckdb.token_type.comment]
        if not code:
            return not text.strip()
        at, kind = code[-1]
        return kind == duckdb.token_type.operator and text.encode()[at : at + 1] == b";"

    def statements(self, text: str) -> Iterator[str]:
        """As DuckDB divides it."""
        return asking.statements(self._connection, text)

    def answer(self, statement: str) -> duckdb.DuckDBPyRelation | None:
        """As DuckDB answers it."""
        return asking.answer(self._connection, statement)

    def interrupt(self) -> None:
        """End the query that runs."""
        self._connection.interrupt()

    def tables(self) -> duckdb.DuckDBPyRelation:
        """The hunts and what landed of each, what is the session's own, and the lake's tables."""
        return self._connection.sql(_TABLES)

    def columns(self, table: str) -> duckdb.DuckDBPyRelation:
        """Their types, and what they mean where the catalogue says it."""
        schema, _, name = table.rpartition(".")
        found = self._connection.sql(
            "SELECT column_name AS name, data_type AS type, comment AS meaning "
            "FROM duckdb_columns() WHERE table_name = $1 AND schema_name = $2 "
            "ORDER BY column_index",
            params=[name.strip('"'), schema.strip('"') or "main"],
        )
        if not found.fetchall():
            raise HuntlakeError(f"there is no {table} here; .tables lists what there is")
        return found

    def words(self, before: str) -> Sequence[Word]:
        """Tables where one must come; else columns of the tables that are named, and the rest."""
        if _TABLE_COMES.search(before):
            return self._tables
        named = {each.casefold() for each in _PLAIN.findall(before)}
        own = [word for table, word in self._columns if table.casefold() in named]
        others = [word for table, word in self._columns if table.casefold() not in named]
        return list(dict.fromkeys((*own, *self._keywords, *self._tables, *others)))

    @property
    def _tables(self) -> list[Word]:
        rows = self._connection.execute(_NAMES).fetchall()
        main = [Word(_name(name), kind) for schema, name, kind in rows if schema == "main"]
        others = [
            Word(f"{_name(schema)}.{_name(name)}", kind)
            for schema, name, kind in rows
            if schema != "main"
        ]
        return [*main, *others]

    @cached_property
    def _columns(self) -> list[tuple[str, Word]]:
        rows = self._connection.execute(
            "SELECT DISTINCT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        return [(table, Word(_name(column), kind)) for table, column, kind in rows]

    @cached_property
    def _keywords(self) -> list[Word]:
        keywords = self._connection.execute(
            "SELECT upper(keyword_name) FROM duckdb_keywords() ORDER BY ALL"
        ).fetchall()
        functions = self._connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*') ORDER BY ALL"
        ).fetchall()
        return [
            *(Word(name, "keyword") for (name,) in keywords),
            *(Word(f"{name}(", "function") for (name,) in functions),
        ]


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)

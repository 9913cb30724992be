"""What the catalogue is made of: views and macros, each with the comments that clients show.

What belongs here: the statements that make an entry, and the one that removes it. What does not:
what an entry is (``views``, ``ranges``, ``tables``), or the file that holds it (``catalogue``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipelines.lake.sql import quoted, shown


class Kind(StrEnum):
    """What an entry is, as SQL calls it."""

    FUNCTION = "MACRO"
    TABLE_FUNCTION = "MACRO TABLE"
    VIEW = "VIEW"


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """An entry's place. A function may be called what a view is called."""

    kind: Kind
    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The name as an identifier."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def drop(self) -> str:
        """What removes it."""
        return f"DROP {self.kind} {self.sql}"


# The statements that make each entry, in the place of one that may be there; those that others
# read come first.
Entries = Mapping[Name, tuple[str, ...]]


def view(
    schema: str, name: str, query: str, comment: str = "", columns: Mapping[str, str] | None = None
) -> Entries:
    """A view; ``columns`` are the comments of its columns by their names."""
    key = Name(Kind.VIEW, schema, name)
    told = [
        f"COMMENT ON COLUMN {key.sql}.{quoted(column)} IS {shown(meaning)}"
        for column, meaning in (columns or {}).items()
    ]
    return {key: (f"CREATE OR REPLACE VIEW {key.sql} AS {query}", *_comment(key, comment), *told)}


def function(schema: str, name: str, definition: str, comment: str = "") -> Entries:
    """A function that returns a value; ``definition`` has its parameters: ``(x) AS x + 1``."""
    key = Name(Kind.FUNCTION, schema, name)
    return {key: (f"CREATE OR REPLACE MACRO {key.sql}{definition}", *_comment(key, comment))}


def table_function(
    schema: str, name: str, definitions: Mapping[str, str], comment: str = ""
) -> Entries:
    """A function that returns a table: its query for each list of parameters."""
    key = Name(Kind.TABLE_FUNCTION, schema, name)
    each = ", ".join(f"({given}) AS TABLE {query}" for given, query in definitions.items())
    return {key: (f"CREATE OR REPLACE MACRO {key.sql}{each}", *_comment(key, comment))}


def parameter(name: str, columns: Iterable[str]) -> str:
    """The name, or one like it: DuckDB refuses a parameter that is called what a column is."""
    taken = {column.casefold() for column in columns}
    while name in taken:
        name += "_"
    return name


def _comment(key: Name, comment: str) -> tuple[str, ...]:
    return (f"COMMENT ON {key.kind} {key.sql} IS {shown(comment)}",) if comment else ()

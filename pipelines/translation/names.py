"""Columns whose names differ by case alone, which DuckDB takes for one.

What belongs here: the other name that one of them bears in DuckDB. What does not: which columns
there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

_MARK: Final = "__again"


@dataclass(frozen=True, slots=True)
class Names:
    """Of some tables together: which of their columns' names bear another.

    KQL names a column alike wherever it comes from, so a name that has to give way in one table
    does so in all.
    """

    renamed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tables: Iterable[Iterable[str]]) -> Self:
        """Of two names in a table the later one gives way."""
        found = set()
        for names in tables:
            seen: set[str] = set()
            for name in names:
                if name.casefold() in seen:
                    found.add(name)
                seen.add(name.casefold())
        return cls(frozenset(found))

    def held(self, name: str) -> str:
        """The name that a column bears in DuckDB."""
        return f"{name}{_MARK}" if name in self.renamed else name


def own_column(held: str) -> str:
    """The name of a column that bears this one in DuckDB."""
    return held.removesuffix(_MARK)

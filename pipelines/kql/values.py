"""What the parts of a query stand for, as far as slicing has to know.

What belongs here: the values that ``interpret`` computes with, and what renaming and dropping
columns does to them. What does not: finding them (``interpret``), or what each operator makes of
them (``steps``).

A relation's lineage says of some of its columns what they hold, unchanged: the event's own time
(``TICKS``), the start of that time's bin (the bins' grid), or a key that its rows are grouped by
(``None``). A column that is missing there may hold anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from pipelines.kql.lexer import place
from pipelines.kql.structure import Function
from pipelines.spans import TICKS, Grid

Lineage: TypeAlias = Mapping[str, Grid | None]


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said about a place in the query: ``{place}`` in it becomes line and column."""

    start: int
    text: str

    def located(self, query: str) -> str:
        """The text, with line and column."""
        return self.text.replace("{place}", place(query, self.start))


class Division(Enum):
    """How the rows of a relation come from events."""

    CONSTANT = auto()  # from none: every slice would return all of them
    ROWS = auto()  # each from one event
    ALIGNED = auto()  # each from events of one cell of a grid
    KEYED = auto()  # each from all the events of one key
    WHOLE = auto()  # from any, as far as is known


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value, or an expression over a row. ``objection``: what it depends on beyond the row.

    ``ticks`` is its value where it is a timespan that the query spells out; ``steady`` as for a
    relation.
    """

    objection: Note | None = None
    ticks: int | None = None
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows. ``note`` says which operator decided their division.

    ``steady``: no two calls see different values in a row that both see, so its hash may divide
    them. An aggregate isn't, as another event may arrive between the calls.
    """

    division: Division
    note: Note | None = None
    lineage: Lineage = field(default_factory=dict)
    grid: Grid | None = None
    steady: bool = True

    def with_lineage(self, lineage: Lineage) -> "Relation":
        """The same rows, with other columns."""
        return replace(self, lineage=lineage)

    def without(self, goes: Callable[[str], bool]) -> "Relation":
        """The same rows, less the columns that go."""
        kept = {name: held for name, held in self.lineage.items() if not goes(name)}
        return self.with_lineage(kept)

    @property
    def time_column(self) -> str | None:
        """The column that holds each row's own cell."""
        if self.grid is None:
            return None
        return next((name for name, held in self.lineage.items() if held == self.grid), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that hold keys which the rows are grouped by."""
        return tuple(name for name, held in self.lineage.items() if held is None)

    @property
    def times(self) -> dict[str, Grid]:
        """The columns that hold the event's time, or the start of a bin of it."""
        return {name: held for name, held in self.lineage.items() if held is not None}


@dataclass(frozen=True, slots=True)
class Lambda:
    """A function of the hunt's own, with the names in scope where it is defined."""

    name: str
    function: Function
    scope: "Scope"


Value: TypeAlias = Scalar | Relation | Lambda
Scope: TypeAlias = dict[str, Value]

CONSTANT: Final = Relation(Division.CONSTANT)
CHANGING: Final = Relation(Division.CONSTANT, steady=False)
"""Rows that don't come from events, but aren't spelled out in the query either."""


def events(time_column: str | None) -> Relation:
    """A table of events; ``None``: of current states, where the query reads nothing else."""
    return Relation(Division.ROWS, lineage={time_column: TICKS} if time_column else {}, grid=TICKS)


def whole(start: int, text: str) -> Relation:
    """Rows of which nothing is known but why."""
    return Relation(Division.WHOLE, Note(start, text), steady=False)


def finest(times: Mapping[str, Grid]) -> Grid:
    """The grid of the smallest cells."""
    return min(times.values(), key=lambda grid: grid.width)


def unless(noted: Note | None, relation: Relation) -> Relation:
    """The relation, unless there is something to object to it."""
    return relation if noted is None else whole(noted.start, noted.text)

"""How the columns of a hunt may differ from one of its partitions to another.

What belongs here: the rules, as functions of schemas alone. What does not: reading the schemas of
committed partitions (``lake.columns``), or what an answer's own schema lands as (``schema``).

A view spans all partitions that a hunt has in a tenant, so a column has to mean one thing in all of
them; what other tenants have is no concern of theirs:

- A column that only some of them have is null in the others.
- A column may have two types where one holds every value of the other exactly, as ``WIDER`` says;
  the view then shows the wider one. Types that land as the same text or truth value are alike.
  Any other change is a ``SchemaClash``, and so nothing is ever converted in silence.
- The name under which a column lands follows from the names of all columns that these partitions
  have. It is the same in whatever order they are exported, or it is a ``SchemaClash``:
  a name that has landed never passes to another column.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

import pyarrow as pa

from pipelines.errors import SchemaClash
from pipelines.landing.schema import (
    WIRE_NAME,
    WIRE_TYPE,
    arrow_schema,
    arrow_type,
    is_plain_text,
    landed_names,
)

# What holds every value of a type exactly. A double has 53 bits, too few for an Int64, and
# SqlDecimal has 21 digits before the point, enough for one.
WIDER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"Int32": ("Int64", "Double", "SqlDecimal"), "Int64": ("SqlDecimal",)}
)
_TRUTHS: Final = frozenset({"SByte", "Boolean"})
_STAYS: Final = "Nothing was committed, and what was stays"
_OR_MOVE: Final = (
    "or move the hunt's other partitions out of the lake; where a single one is wrong, export it "
    "again with --refresh. What was pulled is kept for the next run"
)


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """A column as it landed: its name in the lake, and the service's name and type."""

    landed: str
    wire_name: str
    wire_type: str


# The columns of a partition, in their order.
Columns = tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Siblings:
    """A hunt's other partitions in the tenant, which a view shows together with a new one.

    ``shapes`` has every set of columns that occurs, and the newest partition with it, in words;
    ``latest`` is what an answer without rows and without a schema is taken to have.
    """

    shapes: Mapping[Columns, str] = field(default_factory=dict)
    latest: Columns = ()

    @property
    def names(self) -> set[str]:
        """The service's names of all columns."""
        return {column.wire_name for columns in self.shapes for column in columns}

    @classmethod
    def of(cls, schema: pa.Schema, where: str) -> Self:
        """One other partition."""
        columns = columns_of(schema)
        return cls({columns: where}, columns)


ALONE: Final = Siblings()


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column whose type is another one than before."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a partition's columns are, compared with those of the partition ``against``."""

    against: str
    added: Columns
    missing: Columns
    retyped: tuple[Retyped, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.missing or self.retyped)


def columns_of(schema: pa.Schema) -> Columns:
    """The columns of a landed schema that are the service's."""
    return tuple(
        Column(each.name, each.metadata[WIRE_NAME].decode(), each.metadata[WIRE_TYPE].decode())
        for each in schema
        if each.metadata and WIRE_NAME in each.metadata and WIRE_TYPE in each.metadata
    )


def widest(types: Collection[str]) -> str | None:
    """The one of the types that holds every value of all; ``None`` where none of them does."""
    return next((each for each in sorted(types) if all(_holds(each, one) for one in types)), None)


def beside_siblings(columns: Mapping[str, str], siblings: Siblings, *, where: str) -> pa.Schema:
    """The schema of a partition with these columns (the service's names and types).

    ``where`` is what an error begins with: the hunt and the partition. Raises ``SchemaClash`` where
    a column would not be what it is in the other partitions.
    """
    if not columns:
        columns = {column.wire_name: column.wire_type for column in siblings.latest}
    names = landed_names({*columns, *siblings.names})
    for other, their_where in siblings.shapes.items():
        for column in other:
            _refuse_other_name(column, names, columns, where, their_where)
            _refuse_other_type(column, columns, where, their_where)
    return arrow_schema(columns, landed=names)


def changes(now: Columns, before: Columns, against: str) -> Changes:
    """What differs between two partitions of a hunt, by the service's names."""
    was = {column.wire_name: column for column in before}
    names = {column.wire_name for column in now}
    return Changes(
        against,
        tuple(column for column in now if column.wire_name not in was),
        tuple(column for column in before if column.wire_name not in names),
        tuple(
            Retyped(column.wire_name, was[column.wire_name].wire_type, column.wire_type)
            for column in now
            if column.wire_name in was and was[column.wire_name].wire_type != column.wire_type
        ),
    )


def mixed_types(shapes: Iterable[Columns]) -> Mapping[str, pa.DataType | None]:
    """The columns, by landed name, that partitions hold in several Arrow types.

    With the type that holds them all, or ``None`` where there is none, the name is of several
    columns, or the column has several names: so it may be where they are of several tenants, or
    were moved together by hand.
    """
    types: dict[str, set[str]] = {}
    wire_names: dict[str, set[str]] = {}
    landed: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for columns in shapes:
        for column in columns:
            name = spelled.setdefault(column.landed.casefold(), column.landed)
            types.setdefault(name, set()).add(column.wire_type)
            wire_names.setdefault(name, set()).add(column.wire_name)
            landed.setdefault(column.wire_name, set()).add(name)
    mixed: dict[str, pa.DataType | None] = {}
    for name, found in types.items():
        # One name for one column of the service, and no other name for it.
        is_one = len({name, *(one for each in wire_names[name] for one in landed[each])}) == 1
        wide = widest(found) if is_one and len(wire_names[name]) == 1 else None
        if wide is None:
            mixed[name] = None
        elif len({arrow_type(each) for each in found}) > 1:
            mixed[name] = arrow_type(wide)
    return mixed


def _holds(wide: str, other: str) -> bool:
    return (
        wide == other
        or wide in WIDER.get(other, ())
        or {wide, other} <= _TRUTHS
        or (is_plain_text(wide) and is_plain_text(other))
    )


def _refuse_other_type(
    theirs: Column, columns: Mapping[str, str], where: str, their_where: str
) -> None:
    now, before = columns.get(theirs.wire_name), theirs.wire_type
    if now is None or widest({now, before}) is not None:
        return
    name = theirs.wire_name
    raise SchemaClash(
        f"{where}: column {name} is {now}, and {before} in {their_where}; neither type holds all "
        f"that the other does, so the hunt's view can't show both. {_STAYS}. Convert the column in "
        f"the hunt or give it another name there, as in `| project-rename New{name} = {name}`, "
        f"{_OR_MOVE}"
    )


def _refuse_other_name(
    theirs: Column,
    names: Mapping[str, str],
    columns: Mapping[str, str],
    where: str,
    their_where: str,
) -> None:
    """Refuse a column under another name than its own, or under the name of another."""
    if names[theirs.wire_name] == theirs.landed:
        return
    landed = theirs.landed.casefold()
    taken_by = next((name for name in columns if names[name].casefold() == landed), None)
    if taken_by is not None:
        problem = (
            f"column {taken_by} would land as {names[taken_by]}, the name that column "
            f"{theirs.wire_name} has in {their_where}"
        )
    elif theirs.wire_name in columns:
        problem = (
            f"column {theirs.wire_name} would land as {names[theirs.wire_name]}, and is "
            f"{theirs.landed} in {their_where}"
        )
    else:
        return
    new = taken_by or theirs.wire_name
    raise SchemaClash(
        f"{where}: {problem}; the hunt's view takes names that differ by case alone for one. "
        f"{_STAYS}. Rename it in the hunt, as in `| project-rename New{new} = {new}`, {_OR_MOVE}"
    )

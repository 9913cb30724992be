"""The views of hunts: one across tenants in ``main``, and one in each tenant's own schema.

What belongs here: from what landed to SQL, and how schemas are called. What does not: looking at
what landed (``contents``), writing the catalogue (``catalogue``), or the schema ``huntlake``
(``tables``).

A view names its columns and their types, so that DuckDB opens no file to bind it and none that a
condition on ``tenant``, ``date`` or ``hour`` rules out. A column has the type that holds all its
partitions' values exactly; where there is none, or where the name means different columns of the
service, reading that one column is an error. Within a tenant no commit lets that happen.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from pipelines.hunts import RESERVED_NAME
from pipelines.lake.cards import HuntCard
from pipelines.lake.contents import HuntInLake
from pipelines.lake.entries import Entries, Name, parameter, table_function, view
from pipelines.lake.layout import DATA_FILE
from pipelines.lake.meanings import OWN_MEANINGS, column_meaning
from pipelines.lake.ranges import range_function
from pipelines.lake.sql import quoted, read_parquet, root_folder, sql_type, text
from pipelines.landing import KEPT_ASIDE, Column, Columns, arrow_type, mixed_types

# Of all tenants; the schema that a client is in when it opens the catalogue.
ACROSS: Final = "main"
# What a schema of a tenant's may not be called: DuckDB's own, ours, and the catalogue's own name.
RESERVED_SCHEMAS: Final = frozenset(
    {ACROSS, RESERVED_NAME, "lake", "temp", "system", "information_schema", "pg_catalog"}
)

# A name that the service gives no column, as it gives ``FileName``.
_PATH: Final = "_huntlake_path"
TIME_TYPE: Final = "TIMESTAMPTZ_NS"
_DAY_TAIL: Final = f"2026-11-20/{DATA_FILE}"
_HOUR_TAIL: Final = f"2026-11-20/hour=05/{DATA_FILE}"

# The functions that the views call are ours alone, and are called so that nobody else's are.
_READER: Final = "_read "


def hunt_entries(
    hunts: Iterable[HuntInLake],
    cards: Mapping[str, HuntCard],
    schemas: Mapping[str, str],
    root: Path,
) -> Entries:
    """The views of these hunts, of which all tenants must be given, and their functions."""
    by_name: dict[str, list[HuntInLake]] = {}
    for each in hunts:
        by_name.setdefault(each.hunt, []).append(each)
    entries: dict[Name, tuple[str, ...]] = {}
    for name, tenants in by_name.items():
        for schema, its in (
            (ACROSS, tenants),
            *((schemas[each.tenant], [each]) for each in tenants if each.tenant in schemas),
        ):
            entries |= _entries(schema, its, cards.get(name), root)
    return entries


def _entries(
    schema: str, tenants: Sequence[HuntInLake], card: HuntCard | None, root: Path
) -> Entries:
    """A view, what it reads by, and the function for its ranges.

    The long SQL stands in a function, once for all tenants that have the same columns: in a
    thousand views it would be most of the catalogue.
    """
    hunt = tenants[0].hunt
    columns = _Columns.of(tenants)
    days, hours = any(each.days for each in tenants), any(each.hours for each in tenants)
    query = _query(hunt, columns, root, days=days, hours=hours)
    # Another one has another name: a view must be made anew with it, to have its columns.
    digest = hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    reader = f"{_READER}{hunt} {digest}"
    tenant = "NULL" if schema == ACROSS else text(tenants[0].tenant)
    card = columns.fitting(card)
    return {
        **table_function(RESERVED_NAME, reader, {columns.tenant: query}),
        **view(
            schema,
            hunt,
            f"SELECT * FROM {RESERVED_NAME}.{quoted(reader)}({tenant})",
            _comment(hunt, card, None if schema == ACROSS else tenants[0].tenant),
            columns.meanings(hours=hours),
        ),
        **range_function(schema, hunt, columns.types, card, hours=hours),
    }


def tenant_schemas(tenants: Iterable[str]) -> Mapping[str, str]:
    """The schema of each tenant, which is its name.

    DuckDB takes names that differ by case alone for one: the first in code-point order has it. One
    whose name is reserved has none. Both are refused where tenants are named; what lies in the lake
    is there all the same, and in the views across tenants.
    """
    taken = set(RESERVED_SCHEMAS)
    schemas: dict[str, str] = {}
    for tenant in sorted(set(tenants)):
        if tenant.casefold() not in taken:
            schemas[tenant] = tenant
            taken.add(tenant.casefold())
    return schemas


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a view, in their order: each with its SQL type, ``None`` if unreadable."""

    types: Mapping[str, str | None]
    landed: Mapping[str, Column]

    @classmethod
    def of(cls, tenants: Sequence[HuntInLake]) -> Self:
        """What all these tenants' partitions have."""
        shapes = _widest_first(tenants)
        mixed = mixed_types(shapes)
        landed: dict[str, Column] = {}
        for column in (column for shape in shapes for column in shape):
            landed.setdefault(column.landed.casefold(), column)
        types = {
            each.landed: None if kind is None else sql_type(kind)
            for each in landed.values()
            for kind in (mixed.get(each.landed, arrow_type(each.wire_type)),)
        }
        return cls(
            {**types, KEPT_ASIDE: "VARCHAR"}, {each.landed: each for each in landed.values()}
        )

    @property
    def tenant(self) -> str:
        """The parameter of what the view reads by; null is all tenants."""
        return parameter("_of_tenant", self.types)

    def fitting(self, card: HuntCard | None) -> HuntCard | None:
        """The card, without a time that this view doesn't have."""
        if card is None or self.types.get(card.time_column or "") == TIME_TYPE:
            return card
        return replace(card, time_column=None)

    def meanings(self, *, hours: bool) -> Mapping[str, str]:
        """What each column of the view holds."""
        own = {name: meaning for name, meaning in OWN_MEANINGS.items() if hours or name != "hour"}
        return {**{name: column_meaning(each) for name, each in self.landed.items()}, **own}


def _query(hunt: str, columns: _Columns, root: Path, *, days: bool, hours: bool) -> str:
    """The rows of one tenant, which is the parameter, or of all."""
    of_tenant = columns.tenant
    folder = f"{text(f'/lake/{hunt}/tenant=')} || coalesce({of_tenant}, '*')"
    files = [
        f"{root_folder(root)} || {folder} || {text(f'/*/{rest}')}"
        for rest, is_there in ((DATA_FILE, days), (f"hour=*/{DATA_FILE}", hours))
        if is_there
    ]
    found = rf"regexp_extract({_PATH}, '/tenant=([^/]*)/', 1)"
    selected = [
        *(
            _unreadable(name) if kind is None else quoted(name)
            for name, kind in columns.types.items()
        ),
        f"CASE WHEN {of_tenant} IS NULL THEN {found} ELSE {of_tenant} END AS tenant",
        *_when(days=days, hours=hours),
    ]
    read = {name: kind for name, kind in columns.types.items() if kind is not None}
    return f"SELECT {', '.join(selected)} FROM {read_parquet(files, read, path=_PATH)}"


def _comment(hunt: str, card: HuntCard | None, tenant: str | None) -> str:
    """What the hunt is, and where to see what there is of it, since a comment would be stale."""
    whose = "" if tenant is None else f" AND tenant = {text(tenant)}"
    there = (
        f"What is there, how fresh and how complete: FROM huntlake.partitions WHERE hunt = "
        f"{text(hunt)}{whose}"
    )
    if card is None:
        return there
    told = [card.title, card.description]
    if card.table:
        told.append(f"Every row of the service's table {card.table}.")
    if card.time_column:
        told.append(f"Its time is {card.time_column}.")
    if card.verdict:
        told.append(f"It is {card.verdict} (docs/verdicts.md).")
    return "\n".join([*filter(None, told), there])


def _widest_first(tenants: Iterable[HuntInLake]) -> list[Columns]:
    """The sets of columns, in an order that says nothing of when each came."""
    shapes = {shape for each in tenants for shape in each.shapes}
    return sorted(shapes, key=lambda shape: (-len(shape), shape))


def _unreadable(name: str) -> str:
    problem = (
        f"partitions hold column {name} in types of which none holds the others exactly, or of "
        f"several of the service's columns; read it tenant by tenant, or file by file"
    )
    return f"error({text(problem)}) AS {quoted(name)}"


def _when(*, days: bool, hours: bool) -> list[str]:
    """The date, and of hours the hour. By place in the path: DuckDB asks it of every file."""
    if days and hours:
        date, hour = r"'/date=([^/]*)/'", r"'/hour=([^/]*)/'"
        return [
            f"CAST(regexp_extract({_PATH}, {date}, 1) AS DATE) AS date",
            f"CAST(nullif(regexp_extract({_PATH}, {hour}, 1), '') AS UTINYINT) AS hour",
        ]
    tail = _HOUR_TAIL if hours else _DAY_TAIL
    date = f"CAST(substr({_PATH}, -{len(tail)}, 10) AS DATE) AS date"
    hour_at = len(f"05/{DATA_FILE}")
    hour = f"CAST(substr({_PATH}, -{hour_at}, 2) AS UTINYINT) AS hour"
    return [date, hour] if hours else [date]

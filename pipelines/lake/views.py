"""The views of hunts: one across tenants in ``main``, and one in each tenant's own schema.

What belongs here: from what landed to SQL, and how schemas are called. What does not: looking at
what landed (``contents``), writing the catalogue (``catalogue``), or the schema ``huntlake``
(``tables``).

A view names its columns and their types, so that DuckDB opens no file to bind it and none that a
condition on ``tenant``, ``date`` or ``hour`` rules out. A column has the type that holds all its
partitions' values exactly; where there is none, or where the name means different columns of the
service, reading that one column is an error. Within a tenant no commit lets that happen.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipelines.hunts import RESERVED_NAME
from pipelines.lake.contents import HuntInLake
from pipelines.lake.layout import DATA_FILE
from pipelines.lake.sql import quoted, read_parquet, sql_type, text, under_root
from pipelines.landing import KEPT_ASIDE, Columns, arrow_type, mixed_types

# Of all tenants; the schema that a client is in when it opens the catalogue.
ACROSS: Final = "main"
# What a schema of a tenant's may not be called: DuckDB's own, ours, and the catalogue's own name.
RESERVED_SCHEMAS: Final = frozenset(
    {ACROSS, RESERVED_NAME, "lake", "temp", "system", "information_schema", "pg_catalog"}
)

# A name that the service gives no column, as it gives ``FileName``.
_PATH: Final = "_huntlake_path"
_DAY_TAIL: Final = f"2026-11-20/{DATA_FILE}"
_HOUR_TAIL: Final = f"2026-11-20/hour=05/{DATA_FILE}"

# A view by its schema and its own name.
View = tuple[str, str]


def hunt_views(
    hunts: Iterable[HuntInLake], schemas: Mapping[str, str], root: Path
) -> Mapping[View, str]:
    """The SQL of the views of these hunts, of which all tenants must be given."""
    by_name: dict[str, list[HuntInLake]] = {}
    for each in hunts:
        by_name.setdefault(each.hunt, []).append(each)
    views: dict[View, str] = {}
    for name, tenants in by_name.items():
        views[ACROSS, name] = _view(tenants, "*", root)
        for each in tenants:
            if each.tenant in schemas:
                views[schemas[each.tenant], name] = _view([each], f"tenant={each.tenant}", root)
    return views


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


def _view(tenants: Sequence[HuntInLake], folder: str, root: Path) -> str:
    hunt, shapes = tenants[0].hunt, _widest_first(tenants)
    mixed = mixed_types(shapes)
    types = _types(shapes, mixed)
    days, hours = any(each.days for each in tenants), any(each.hours for each in tenants)
    files = [
        under_root(root, f"lake/{hunt}/{folder}/*/{rest}")
        for rest, is_there in ((DATA_FILE, days), (f"hour=*/{DATA_FILE}", hours))
        if is_there
    ]
    tenant = (
        f"regexp_extract({_PATH}, '/tenant=([^/]*)/', 1)"
        if folder == "*"
        else text(tenants[0].tenant)
    )
    selected = [
        *(_unreadable(name) if mixed.get(name, ...) is None else quoted(name) for name in types),
        f"{tenant} AS tenant",
        *_when(days=days, hours=hours),
    ]
    read = {name: kind for name, kind in types.items() if mixed.get(name, ...) is not None}
    return f"SELECT {', '.join(selected)} FROM {read_parquet(files, read, path=_PATH)}"


def _widest_first(tenants: Iterable[HuntInLake]) -> list[Columns]:
    """The sets of columns, in an order that says nothing of when each came."""
    shapes = {shape for each in tenants for shape in each.shapes}
    return sorted(shapes, key=lambda shape: (-len(shape), shape))


def _types(shapes: Iterable[Columns], mixed: Mapping[str, pa.DataType | None]) -> dict[str, str]:
    """Each column's SQL type, in the order of the view's columns."""
    types: dict[str, str] = {}
    spelled: set[str] = set()
    for shape in shapes:
        for column in shape:
            if column.landed.casefold() not in spelled:
                spelled.add(column.landed.casefold())
                types[column.landed] = sql_type(
                    mixed.get(column.landed) or arrow_type(column.wire_type)
                )
    types[KEPT_ASIDE] = "VARCHAR"
    return types


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

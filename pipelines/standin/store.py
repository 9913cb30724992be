"""How the stand-in's database holds the service's types, and which tables it has.

What belongs here: the one mapping between the service's types and DuckDB's. What does not: values
(``synthetic``), queries (``evaluate``) or bodies (``wire``).

DuckDB has no type for two of the service's: a timespan of ticks is a struct, which nothing mistakes
for a number, and a column whose name differs from another's by case alone bears another name.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from pipelines.kql.tables import known_tables

# The tables that it holds of those that the service documents.
EVENT_TABLES: Final[Mapping[str, float]] = MappingProxyType(
    {
        # Rows a day, as a share of the busiest table's.
        "DeviceNetworkEvents": 1.0,
        "DeviceProcessEvents": 0.5,
        "DeviceFileEvents": 0.4,
        "DeviceEvents": 0.3,
        "DeviceLogonEvents": 0.2,
        "EmailEvents": 0.1,
        "IdentityLogonEvents": 0.1,
        "CloudAppEvents": 0.1,
        "AlertEvidence": 0.03,
        "AlertInfo": 0.01,
        "DeviceInfo": 0.01,
    }
)
SNAPSHOT_TABLES: Final = ("DeviceTvmSoftwareVulnerabilities", "DeviceTvmSoftwareInventory")
# One column of each type of the contract, with the values that break decoders.
TYPES_TABLE: Final = "HuntlakeTypes"

_TYPES_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Timestamp": "datetime",
        "Text": "string",
        "Flag": "bool",
        "Small": "int",
        "Big": "long",
        "Real": "real",
        "Money": "decimal",
        "Id": "guid",
        "Span": "timespan",
        "Bag": "dynamic",
        "Sentinel": "date",
        "LogonId": "long",
        "LogonID": "string",
    }
)

SCHEMA: Final = "held"
TIMESPAN: Final = "STRUCT(ticks BIGINT)"
_DUCKDB_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "datetime": "TIMESTAMP_NS",
        # A datetime that may lie outside 64-bit nanoseconds, such as 0001-01-01.
        "date": "TIMESTAMP",
        "string": "VARCHAR",
        "bool": "BOOLEAN",
        "boolean": "BOOLEAN",
        "int": "INTEGER",
        "long": "BIGINT",
        "real": "DOUBLE",
        "decimal": "DECIMAL(38, 17)",
        "guid": "UUID",
        "timespan": TIMESPAN,
        "dynamic": "JSON",
    }
)
_WIRE_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TIMESTAMP_NS": "DateTime",
        "TIMESTAMP": "DateTime",
        "VARCHAR": "String",
        # The service's own name for a bool.
        "BOOLEAN": "SByte",
        "INTEGER": "Int32",
        "BIGINT": "Int64",
        "DOUBLE": "Double",
        "UUID": "Guid",
        "JSON": "Object",
        TIMESPAN: "TimeSpan",
    }
)


def columns(table: str) -> dict[str, str]:
    """The columns of a table that the stand-in holds, with their Kusto types."""
    if table == TYPES_TABLE:
        return dict(_TYPES_COLUMNS)
    known = known_tables()[table]
    return {
        name: "date" if kusto == "datetime" and name != known.time_column else kusto
        for name, kusto in known.columns.items()
    }


def all_tables() -> tuple[str, ...]:
    """Every table that the stand-in holds."""
    return (*EVENT_TABLES, *SNAPSHOT_TABLES, TYPES_TABLE)


def duckdb_type(kusto_type: str) -> str:
    """The DuckDB type in which a Kusto type is held."""
    return _DUCKDB_TYPES[kusto_type]


def wire_type(duckdb_name: str) -> str | None:
    """The service's name for a DuckDB type; ``None`` for one that must be cast first."""
    if duckdb_name.startswith("DECIMAL"):
        return "SqlDecimal"
    return _WIRE_TYPES.get(duckdb_name)


def held_table(table: str) -> str:
    """Where a table lies; its own name is left to the views of what a query may see of it."""
    return f'{SCHEMA}."{table}"'


def held_name(name: str) -> str:
    """The name under which a column is held: DuckDB takes two that differ by case alone for one."""
    return f"{name}__again" if name in _renamed() else name


def own_name(held: str) -> str:
    """The name of a column that is held under this one."""
    return held.removesuffix("__again")


@cache
def _renamed() -> frozenset[str]:
    """Names that follow another, equal but for case, in any table."""
    found = set()
    for table in all_tables():
        seen: set[str] = set()
        for name in columns(table):
            if name.casefold() in seen:
                found.add(name)
            seen.add(name.casefold())
    return frozenset(found)

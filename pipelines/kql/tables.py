"""The tables of advanced hunting, as the documentation lists them.

What belongs here: reading ``tables.json``, and which column of a table is its time. What does not:
the types of what the service returns. Documentation is a hint (live tables have columns that it
omits, and some types are wrong), so nothing lands by what is written here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

# In this order: a Sentinel table seen through advanced hunting may have both.
_TIME_COLUMNS: Final = ("Timestamp", "TimeGenerated")

# Names that hunts still use for tables that were renamed after their preview.
FORMER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AADSignInEventsBeta": "EntraIdSignInEvents",
        "AADSpnSignInEventsBeta": "EntraIdSpnSignInEvents",
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns with their documented Kusto types, in the documented order.

    ``time_column`` is None for a current-state snapshot, which time can't divide.
    """

    name: str
    columns: Mapping[str, str]
    time_column: str | None


def time_column_of(columns: Mapping[str, str]) -> str | None:
    """The column that says when a row's event happened, where there is one."""
    return next((name for name in _TIME_COLUMNS if name in columns), None)


@cache
def known_tables() -> Mapping[str, Table]:
    """Every documented table by its name, which KQL compares with case."""
    text = files(__package__).joinpath("tables.json").read_text(encoding="utf-8")
    listed: dict[str, dict[str, str]] = json.loads(text)
    return MappingProxyType(
        {
            name: Table(name, MappingProxyType(columns), time_column_of(columns))
            for name, columns in listed.items()
        }
    )


def find_table(name: str) -> Table | None:
    """The documented table of that name, present or former; None for any other name."""
    return known_tables().get(FORMER_NAMES.get(name, name))

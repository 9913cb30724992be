"""The functions of KQL, sorted by what they see of a table.

What belongs here: names; the long lists are in ``functions.json``, as the language's reference has
them. What does not: what a query that calls them means for slicing (``verdict``), or whether it
may call them (``sources``).

``ROW_FUNCTIONS`` allows, it doesn't forbid: a function that is missing there costs a hunt its
slicing, never its correctness.
"""

import json
from importlib.resources import files
from typing import Final

_LISTS: Final[dict[str, list[str]]] = json.loads(
    files(__package__).joinpath("functions.json").read_text(encoding="utf-8")
)

# Their value depends on their arguments alone, or, for ingestion_time(), on when their own row
# arrived.
ROW_FUNCTIONS: Final = frozenset(_LISTS["row"])

# Their value depends on the order of rows (prev, row_number), on chance (rand, new_guid), on the
# storage's layout (extent_id), the caller (current_principal) or the whole answer (bin_auto).
OTHER_FUNCTIONS: Final = frozenset(_LISTS["other"])

AGGREGATES: Final = frozenset(_LISTS["aggregate"])

# Their value depends on the time of the query, which ``rewrite`` fixes.
TIME_FUNCTIONS: Final = frozenset({"now", "ago"})

# They reach a table by a way in which no `let` before the hunt can stand.
FOREIGN_FUNCTIONS: Final = frozenset(
    {
        *("adx", "app", "arg", "cluster", "database", "entity_group", "external_table", "graph"),
        *("materialized_view", "resource", "stored_query_result", "table", "workspace"),
    }
)

# A list that people maintain: current state, like a snapshot table.
WATCHLIST_FUNCTIONS: Final = frozenset({"_GetWatchlist", "_GetWatchlistAlias"})

# The service's own `invoke` functions: each looks up a row's hash, address or device.
ENRICHMENTS: Final = frozenset({"DeviceFromIP", "FileProfile", "SeenBy"})

# They take a table and return it, or a value of it.
TABLE_READERS: Final = frozenset({"materialize", "toscalar"})

# They make a table of what the query itself, or an address on the web, says.
TABLE_MAKERS: Final = frozenset({"datatable", "external_data", "externaldata"})

# Words that may stand before a bracket without calling anything.
KEYWORDS: Final = frozenset(
    {
        *(
            "and",
            "as",
            "asc",
            "between",
            "by",
            "contains",
            "contains_cs",
            "default",
            "desc",
            "dynamic",
        ),
        *("endswith", "endswith_cs", "from", "has", "has_all", "has_any", "has_cs", "hasprefix"),
        *("hasprefix_cs", "hassuffix", "hassuffix_cs", "in", "kind", "matches", "of", "on", "or"),
        *("regex", "startswith", "startswith_cs", "step", "to", "typeof", "with"),
    }
)

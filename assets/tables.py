"""Tables in Dagster's metadata.

What belongs here: making one. What does not: what stands in it. No table ever holds a value of a
record: Dagster keeps all that it is given, and anybody who sees its page sees it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

# Dagster keeps every table for ever, in one row of its database.
MOST_RECORDS: Final = 100


def table(records: Sequence[Mapping[str, Any]], **columns: str) -> dg.TableMetadataValue:
    """The first records as a table with these columns and their kinds."""
    return dg.MetadataValue.table(
        [dg.TableRecord(record) for record in records[:MOST_RECORDS]],
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()]),
    )

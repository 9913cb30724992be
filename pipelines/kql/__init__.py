"""What a query means for slicing, and the query for one slice.

What belongs here: reading KQL, as far as restricting it to a window and cutting that window need.
What does not: executing it, choosing the windows (``slicing``), or the files that hold queries
(``hunt_files``).
"""

from pipelines.kql.names import BUCKET
from pipelines.kql.rewrite import (
    CELL,
    ROWS,
    count_all,
    count_buckets,
    count_cells,
    datetime_literal,
    restrict,
)
from pipelines.kql.tables import Table, known_tables
from pipelines.kql.together import HUNT, count_cells_of_all, may_share, may_share_query
from pipelines.kql.verdict import Analysis, Counting, EventTable, Override, Verdict, analyse
from pipelines.kql.weight import is_unfiltered, widest_columns
from pipelines.kql.whole_table import whole_table

__all__ = [
    "BUCKET",
    "CELL",
    "HUNT",
    "ROWS",
    "Analysis",
    "Counting",
    "EventTable",
    "Override",
    "Table",
    "Verdict",
    "analyse",
    "count_all",
    "count_buckets",
    "count_cells",
    "count_cells_of_all",
    "datetime_literal",
    "is_unfiltered",
    "known_tables",
    "may_share",
    "may_share_query",
    "restrict",
    "whole_table",
    "widest_columns",
]

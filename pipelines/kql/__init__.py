"""What a query means for slicing, and the query for one slice.

What belongs here: reading KQL, as far as restricting it to a window and cutting that window need.
What does not: executing it, choosing the windows (``slicing``), or the files that hold queries
(``hunt_files``).
"""

from pipelines.kql.rewrite import datetime_literal, restrict
from pipelines.kql.tables import Table, known_tables
from pipelines.kql.verdict import Analysis, EventTable, Verdict, analyse

__all__ = [
    "Analysis",
    "EventTable",
    "Table",
    "Verdict",
    "analyse",
    "datetime_literal",
    "known_tables",
    "restrict",
]

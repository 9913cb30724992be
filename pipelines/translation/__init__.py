"""KQL as SQL that DuckDB runs, exact to the tick.

What belongs here: what both have need of who run KQL, the lake and the stand-in. What does not:
their tables, and what they say of a query that can't be run.
"""

from pipelines.translation.exactness import TranslationChanged
from pipelines.translation.instants import OUTLYING, held_instant, own_time, time_literal
from pipelines.translation.macros import MACROS
from pipelines.translation.names import Names, own_column
from pipelines.translation.respelling import Respelt, respell
from pipelines.translation.translate import Tables, to_sql

__all__ = [
    "MACROS",
    "OUTLYING",
    "Names",
    "Respelt",
    "Tables",
    "TranslationChanged",
    "held_instant",
    "own_column",
    "own_time",
    "respell",
    "time_literal",
    "to_sql",
]

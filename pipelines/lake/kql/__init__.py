"""KQL over the lake: the hunter's own queries, on what landed.

What belongs here: showing the lake to KQL as the service shows its tables, and saying what of a
query can't be run. What does not: the translation to SQL (``translation``).
"""

from pipelines.lake.kql.faults import service_functions
from pipelines.lake.kql.session import KqlLake, open_kql

__all__ = ["KqlLake", "open_kql", "service_functions"]

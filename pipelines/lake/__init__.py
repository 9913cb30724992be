"""Where things lie, and the DuckDB catalogue over what landed."""

from pipelines.lake.cards import HuntCard, read_cards
from pipelines.lake.catalogue import connect, publish
from pipelines.lake.columns import LandedColumns
from pipelines.lake.journal import Journal
from pipelines.lake.layout import PARTITION_COLUMNS, LakeLayout
from pipelines.lake.opened import Lake, When, open_lake
from pipelines.lake.tables import EXPORTS, RECOUNTS, REMOVALS
from pipelines.lake.views import RESERVED_SCHEMAS

__all__ = [
    "EXPORTS",
    "PARTITION_COLUMNS",
    "RECOUNTS",
    "REMOVALS",
    "RESERVED_SCHEMAS",
    "HuntCard",
    "Journal",
    "Lake",
    "LakeLayout",
    "LandedColumns",
    "When",
    "connect",
    "open_lake",
    "publish",
    "read_cards",
]

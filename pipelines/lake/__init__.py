"""Where things lie, and the DuckDB catalogue over what landed."""

from pipelines.lake.cards import HuntCard, read_cards
from pipelines.lake.catalogue import connect, publish
from pipelines.lake.columns import LandedColumns
from pipelines.lake.journal import Journal
from pipelines.lake.layout import PARTITION_COLUMNS, LakeLayout
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
    "LakeLayout",
    "LandedColumns",
    "connect",
    "publish",
    "read_cards",
]

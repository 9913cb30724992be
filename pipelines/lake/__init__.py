"""Where things lie, and the DuckDB catalogue over what landed."""

from pipelines.lake.catalogue import connect, publish
from pipelines.lake.columns import LandedColumns
from pipelines.lake.journal import Journal
from pipelines.lake.layout import PARTITION_COLUMNS, LakeLayout

__all__ = ["PARTITION_COLUMNS", "Journal", "LakeLayout", "LandedColumns", "connect", "publish"]

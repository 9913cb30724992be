"""From the bytes of an answer to a committed Parquet partition."""

from pipelines.landing.aside import kept_aside_by_column, kept_aside_in_file, kept_aside_rows
from pipelines.landing.cutting import (
    Begun,
    before_last_bucket,
    before_last_cell,
    in_time_order,
    parts,
    rows_per_cell,
    without_column,
)
from pipelines.landing.decode import Answer, Decoder, decode
from pipelines.landing.evolution import (
    Changes,
    Column,
    Columns,
    Retyped,
    Siblings,
    changes,
    columns_of,
    mixed_types,
)
from pipelines.landing.files import write_atomically, writing
from pipelines.landing.memory import use_system_allocator
from pipelines.landing.partition import (
    commit,
    parse_receipt,
    partition_schema,
    read_receipt,
)
from pipelines.landing.receipt import Proof, Receipt, SliceRecord, query_sha256
from pipelines.landing.room import Need, Room
from pipelines.landing.schema import KEPT_ASIDE, RESERVED_NAMES, WIRE_NAME, arrow_type
from pipelines.landing.staging import HeldSlice, LandedSlice, StagedSlice, Staging

__all__ = [
    "KEPT_ASIDE",
    "RESERVED_NAMES",
    "WIRE_NAME",
    "Answer",
    "Begun",
    "Changes",
    "Column",
    "Columns",
    "Decoder",
    "HeldSlice",
    "LandedSlice",
    "Need",
    "Proof",
    "Receipt",
    "Retyped",
    "Room",
    "Siblings",
    "SliceRecord",
    "StagedSlice",
    "Staging",
    "arrow_type",
    "before_last_bucket",
    "before_last_cell",
    "changes",
    "columns_of",
    "commit",
    "decode",
    "in_time_order",
    "kept_aside_by_column",
    "kept_aside_in_file",
    "kept_aside_rows",
    "mixed_types",
    "parse_receipt",
    "partition_schema",
    "parts",
    "query_sha256",
    "read_receipt",
    "rows_per_cell",
    "use_system_allocator",
    "without_column",
    "write_atomically",
    "writing",
]

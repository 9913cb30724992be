"""From the bytes of an answer to a committed Parquet partition."""

from pipelines.landing.decode import Answer, decode
from pipelines.landing.partition import commit, read_receipt
from pipelines.landing.receipt import Receipt, SliceRecord, query_sha256
from pipelines.landing.schema import KEPT_ASIDE, RESERVED_NAMES
from pipelines.landing.staging import StagedSlice, Staging

__all__ = [
    "KEPT_ASIDE",
    "RESERVED_NAMES",
    "Answer",
    "Receipt",
    "SliceRecord",
    "StagedSlice",
    "Staging",
    "commit",
    "decode",
    "query_sha256",
    "read_receipt",
]

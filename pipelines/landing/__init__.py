"""From the bytes of an answer to a committed Parquet partition."""

from pipelines.landing.cutting import in_time_order, last_time, parts
from pipelines.landing.decode import Answer, decode
from pipelines.landing.files import write_atomically
from pipelines.landing.partition import commit, read_receipt
from pipelines.landing.receipt import Proof, Receipt, SliceRecord, query_sha256
from pipelines.landing.schema import KEPT_ASIDE, RESERVED_NAMES, WIRE_NAME
from pipelines.landing.staging import StagedSlice, Staging

__all__ = [
    "KEPT_ASIDE",
    "RESERVED_NAMES",
    "WIRE_NAME",
    "Answer",
    "Proof",
    "Receipt",
    "SliceRecord",
    "StagedSlice",
    "Staging",
    "commit",
    "decode",
    "in_time_order",
    "last_time",
    "parts",
    "query_sha256",
    "read_receipt",
    "write_atomically",
]

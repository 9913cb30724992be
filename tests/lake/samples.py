"""Receipts of partitions that nobody pulled, for tests of the lake.

What belongs here: making them. What does not: partitions of real answers (``tests.landing``).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.lake import LakeLayout
from pipelines.landing import Receipt
from pipelines.landing.partition import RECEIPT_KEY
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import Partition
from pipelines.windows import NANOSECONDS_PER_TICK

SCHEMA = arrow_schema({"Timestamp": "DateTime", "n": "Int64"})


def receipt_of(hunt: str, tenant: str, partition: Partition, **changed: Any) -> Receipt:
    """The receipt of a partition of two rows, committed at its window's end."""
    receipt = Receipt(
        hunt=hunt,
        fingerprint="f" * 64,
        query_sha256="a" * 64,
        tenant=tenant,
        surface="graph",
        partition=partition.key,
        window=partition.window,
        verdict="row-wise",
        slices=(),
        rows=2,
        counted_rows=2,
        calls=3,
        running_seconds=1.5,
        counting_calls=1,
        wasted_calls=1,
        wasted_rows=7,
        kept_aside=4,
        committed_ns=partition.window.end * NANOSECONDS_PER_TICK,
        kept_aside_by_column={},
    )
    return replace(receipt, **changed)


def land(layout: LakeLayout, receipt: Receipt, partition: Partition) -> Path:
    """Commit a partition as its receipt says, with rows at its window's start."""
    path = layout.partition_file(receipt.hunt, receipt.tenant, partition)
    path.parent.mkdir(parents=True, exist_ok=True)
    start = partition.window.start * NANOSECONDS_PER_TICK
    columns = [[start] * receipt.rows, list(range(receipt.rows)), [None] * receipt.rows]
    table = pa.table(
        [pa.array(each, kind) for each, kind in zip(columns, SCHEMA.types, strict=True)],
        schema=SCHEMA.with_metadata({RECEIPT_KEY: receipt.to_json()}),
    )
    pq.write_table(table, path)
    return path

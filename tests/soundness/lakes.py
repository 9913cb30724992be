"""Small lakes, made of files with receipts and few rows, for the tests of soundness and checks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.lake import LakeLayout
from pipelines.landing import WIRE_NAME, Receipt, SliceRecord
from pipelines.landing.partition import RECEIPT_KEY
from pipelines.landing.schema import WIRE_TYPE
from pipelines.slicing import Partition, partition
from pipelines.soundness import Landed, WholeAnswer
from pipelines.spans import Position, Span
from tests.landing.samples import a_receipt, a_record

TENANT = "demo"


def days(first: str, count: int) -> list[Partition]:
    """Adjacent days."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    keys = [f"{start + timedelta(days=number):%Y-%m-%d}" for number in range(count)]
    return [partition("daily", key) for key in keys]


def a_slice(span: Span, rows: int, **changes: Any) -> SliceRecord:
    """A slice that is a whole answer of its own."""
    return replace(a_record(_ANY, rows), **{"span": span, "body_sha256": str(span), **changes})


def receipt_of(each: Partition, slices: Sequence[SliceRecord], **changes: Any) -> Receipt:
    """A receipt of the partition where it should lie, with the slices and their sum."""
    values = {
        "hunt": "logons",
        "tenant": TENANT,
        "partition": each.key,
        "window": each.window,
        "slices": tuple(slices),
        "rows": sum(record.rows for record in slices),
    }
    return replace(a_receipt([]), **{**values, **changes})


def one_slice(each: Partition, rows: int, **changes: Any) -> Receipt:
    """A receipt of a partition that came in one answer."""
    return receipt_of(each, [a_slice(Span.of(each.window), rows)], **changes)


def put(
    layout: LakeLayout, each: Partition, receipt: Receipt | None, rows: int, *columns: str
) -> Path:
    """Write the partition's file, with so many rows and text columns of these names."""
    path = layout.partition_file("logons", TENANT, each)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema(
        [
            pa.field(name, pa.string(), metadata={WIRE_NAME: name, WIRE_TYPE: "String"})
            for name in columns or ("Name",)
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        writer.write_table(pa.table([pa.nulls(rows, pa.string())] * len(schema), schema=schema))
        if receipt is not None:
            writer.add_key_value_metadata({RECEIPT_KEY: receipt.to_json()})
    return path


def landed(each: Partition, rows: int, **changes: Any) -> Landed:
    """What would be known of such a file."""
    values = {
        "path": Path(each.key),
        "partition": each,
        "rows": rows,
        "whole_answers": (WholeAnswer((None, each.key, 0), rows),) if rows else (),
        **changes,
    }
    return Landed(**values)


def span(each: Partition, start: float, end: float) -> Span:
    """From one share of the partition's window to another."""
    first, ticks = each.window.start, each.window.ticks
    return Span(Position(first + round(start * ticks)), Position(first + round(end * ticks)))


_ANY = days("2026-11-20", 1)[0].window

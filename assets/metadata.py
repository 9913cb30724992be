"""What Dagster's page shows of a hunt and of each committed partition.

What belongs here: turning values of the engine into Dagster's metadata. What does not: computing
them. Names that begin with ``dagster/`` are those that the page draws in a way of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from assets.findings import Findings, changes_table, kept_aside_table
from pipelines.committing import PartitionExport
from pipelines.hunts import Hunt
from pipelines.lake import LakeLayout
from pipelines.landing import KEPT_ASIDE
from pipelines.metrics import Attempt

_PREVIEW_ROWS = 5
_PREVIEW_COLUMNS = 8
_PREVIEW_CHARACTERS = 40
_SLICES_SHOWN = 200

# The numbers that the page plots over partitions, whose names stay: `docs/catalogue.md` has them.
PARTITION_NUMBERS: Final = (
    "rows",
    "bytes",
    "calls",
    "calls_to_count",
    "calls_wasted",
    "rows_wasted",
    "running_seconds",
    "values_kept_aside",
    "wait_seconds",
    "retries",
    "errors",
)


def describe_hunt(hunt: Hunt, note: str | None = None) -> str:
    """The description of a hunt's asset: what it is for, and its KQL as code.

    A ``note`` about it stands before all.
    """
    parts = [
        f"**{note}**" if note else "",
        hunt.title,
        hunt.description,
        f"```kql\n{hunt.query.strip()}\n```",
    ]
    if hunt.tactics or hunt.techniques:
        parts.insert(3, f"MITRE ATT&CK: {', '.join((*hunt.tactics, *hunt.techniques))}")
    return "\n\n".join(part.strip() for part in parts if part.strip())


def describe_partition(
    exported: PartitionExport, found: Findings, layout: LakeLayout
) -> Mapping[str, Any]:
    """The metadata of one materialization; its numbers become plots over the partitions."""
    receipt = exported.receipt
    return {
        "dagster/partition_row_count": receipt.rows,
        "rows": receipt.rows,
        "dagster/uri": dg.MetadataValue.path(str(exported.path)),
        "dagster/column_schema": _column_schema(exported.schema),
        **({} if receipt.counted_rows is None else {"rows_counted": receipt.counted_rows}),
        "bytes": exported.file_bytes,
        # What the partition cost when it was pulled, also where this run found it committed.
        "calls": receipt.calls,
        "calls_to_count": receipt.counting_calls,
        "calls_wasted": receipt.wasted_calls,
        "rows_wasted": receipt.wasted_rows,
        "running_seconds": round(receipt.running_seconds, 3),
        "values_kept_aside": receipt.kept_aside,
        **({"kept_aside_by_column": kept_aside_table(found)} if found.kept_aside else {}),
        **({"schema_changes": changes_table(found.changes)} if found.changes else {}),
        "reused": exported.reused,
        **_attempt(exported.attempt),
        "verdict": receipt.verdict,
        "slices": _slices(exported),
        "preview": dg.MetadataValue.md(_preview(exported)),
        "query_it": dg.MetadataValue.text(
            f'huntlake sql "FROM {receipt.hunt} LIMIT 10"  -- or open {layout.catalogue}'
        ),
    }


def _attempt(attempt: Attempt | None) -> Mapping[str, Any]:
    """What this run's own attempt took beside calls; nothing where it found the partition there."""
    if attempt is None:
        return {}
    return {
        "wait_seconds": round(attempt.wait_seconds, 3),
        "retries": attempt.retries,
        "errors": attempt.errors.total(),
        **({"errors_by_kind": dict(sorted(attempt.errors.items()))} if attempt.errors else {}),
    }


def _column_schema(schema: pa.Schema) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(field.name, str(field.type), tags=_wire_type(field)) for field in schema
        ]
    )


def _wire_type(field: pa.Field) -> dict[str, str]:
    wire_type = (field.metadata or {}).get(b"huntlake.wire_type", b"").decode()
    return {"service_type": wire_type} if wire_type else {}


def _slices(exported: PartitionExport) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "span": str(record.span),
                "rows": record.rows,
                "proof": record.proof,
                "calls": record.calls,
                "running_seconds": round(record.running_seconds, 3),
                "body_bytes": record.body_bytes,
                "request_id": record.request_id or "",
            }
        )
        for record in exported.receipt.slices[:_SLICES_SHOWN]
    ]
    columns = [
        dg.TableColumn("span", "string"),
        dg.TableColumn("rows", "int"),
        dg.TableColumn("proof", "string"),
        dg.TableColumn("calls", "int"),
        dg.TableColumn("running_seconds", "float"),
        dg.TableColumn("body_bytes", "int"),
        dg.TableColumn("request_id", "string"),
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _preview(exported: PartitionExport) -> str:
    """The first rows as a Markdown table, its long values cut."""
    names = [name for name in exported.schema.names if name != KEPT_ASIDE][:_PREVIEW_COLUMNS]
    file = pq.ParquetFile(exported.path)
    batch = next(file.iter_batches(batch_size=_PREVIEW_ROWS, columns=names), None)
    if batch is None or not names:
        return "*no rows*"
    rows = zip(*(column.to_pylist() for column in _as_text(batch)), strict=True)
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _as_text(batch: pa.RecordBatch) -> list[pa.Array]:
    # As text, since Python's datetime refuses a time that has nanoseconds.
    return [column.cast(pa.string()) for column in batch.columns]


def _cell(value: str | None) -> str:
    text = "" if value is None else value.replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= _PREVIEW_CHARACTERS else f"{text[:_PREVIEW_CHARACTERS]}…"

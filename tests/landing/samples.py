"""Answers, records and receipts to land, for the tests of staging and committing."""

import json
import resource
from collections.abc import Callable, Sequence
from typing import Any

from pipelines.errors import LakeUnwritable
from pipelines.landing import Answer, Receipt, SliceRecord, StagedSlice, decode
from pipelines.spans import Span
from pipelines.windows import Window, parse_instant

DAY = parse_instant("2026-11-20")
HOUR = 36_000_000_000
COLUMNS = {"Timestamp": "DateTime", "Name": "String", "Span": "TimeSpan"}


def hours(first: int, last: int) -> Window:
    return Window(DAY + first * HOUR, DAY + last * HOUR)


def an_answer(
    rows: Sequence[dict[str, Any]], columns: dict[str, str] | None = None, **more: Any
) -> Answer:
    listed = COLUMNS if columns is None else columns
    schema = [{"Name": name, "Type": kind} for name, kind in listed.items()]
    return decode(json.dumps({"Schema": schema, "Results": list(rows), **more}).encode(), "plain")


def a_record(window: Window, rows: int, **changes: Any) -> SliceRecord:
    values = {
        "span": Span.of(window),
        "rows": rows,
        "limit": 100_000,
        "proof": "whole answer",
        "running_seconds": 0.25,
        "request_id": "6ae93e30-7472-4bdd-80e2-1a464e8658eb",
        "body_sha256": "ab" * 32,
        "body_bytes": 1_000,
        "kept_aside": 0,
        "pulled_ns": 1_795_000_000_123_456_789,
        "calls": 1,
    }
    return SliceRecord(**{**values, **changes})


def a_receipt(slices: Sequence[StagedSlice], **changes: Any) -> Receipt:
    values = {
        "hunt": "logons",
        "fingerprint": "f" * 64,
        "query_sha256": "e" * 64,
        "tenant": "contoso.com",
        "surface": "graph",
        "partition": "2026-11-20",
        "window": hours(0, 24),
        "verdict": "row-wise",
        "slices": tuple(each.record for each in slices),
        "rows": sum(each.record.rows for each in slices),
        "counted_rows": None,
        "calls": 3,
        "running_seconds": 1.5,
        "counting_calls": 1,
        "wasted_calls": 1,
        "wasted_rows": 100_000,
        "kept_aside": 0,
        "committed_ns": 1_795_000_000_987_654_321,
    }
    return Receipt(**{**values, **changes})


def on_a_full_disk(limit: int, write: Callable[[], object]) -> str:
    """Run ``write`` while no file may grow longer than ``limit``; what it raised.

    The limit is this process's own and soft, and Python ignores the signal that comes with it: a
    write beyond it fails with an ``OSError``, as on a full disk.
    """
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        write()
    except LakeUnwritable as error:
        return f"LakeUnwritable: {error}"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    return "nothing"

"""What killed runs left on disk, and what readers of the lake see.

What belongs here: reading a data folder without touching it. What does not: the runs and their
killing (``killing``, ``killing_recounts``).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from pipelines.lake import LakeLayout, connect
from pipelines.lake.layout import CARD_FILE, DATA_FILE
from pipelines.landing import SliceRecord, read_receipt
from pipelines.spans import Span

Row = tuple[object, ...]
Rows = Counter[Row]

# What a row is compared by, as SQL over the lake.
KEYS: Final = ("DeviceId", "RemoteIP", "RemotePort")
_COLUMNS: Final = {
    "connections": f"epoch_ns(Timestamp), {', '.join(KEYS)}, ReportId",
    "peers": f"{', '.join(KEYS)}, n",
}
# What is being written where a file is half there, by the folders that it lies in.
_WRITING: Final = {
    ("state", "staged"): "staging a slice",
    ("state", "history"): "keeping what was learned",
    ("journal", "recounts"): "writing down a recount",
}
# What it does where none is: first what it hasn't said, then what it has.
NO_WRITE: Final = ("between two steps", "waiting for quota")


def refuse_leftovers(layout: LakeLayout) -> None:
    """Raise ``AssertionError`` where a run that ended has left more than its lake."""
    staged = layout.state / "staged"
    files = [*staged.rglob("*"), *layout.lake.rglob("*")]
    left = [path for path in files if path.is_file() and path.name not in {DATA_FILE, CARD_FILE}]
    if left:
        raise AssertionError(f"the run left {left} behind")


def amid_what(layout: LakeLayout, said: Path, began_ns: int) -> str:
    """What a process was doing that is no more, by what it left on disk and what it said last."""
    for path in layout.root.rglob("*"):
        if path.is_file() and path.stat().st_mtime_ns >= began_ns:
            if path.name.startswith("lake.new"):
                return "publishing the catalogue"
            if path.name == ".plan.json.partial":
                return "writing down a plan"
            if path.name.endswith(".partial"):
                folder = path.relative_to(layout.root).parts[:2]
                return _WRITING.get(folder, "committing a partition")
    if set(staged_slices(layout)) & set(committed_slices(layout)):
        return "between a commit and the next slice"
    lines = said.read_text().splitlines()
    if not lines:
        return "starting"
    return NO_WRITE["waiting until" in lines[-1]]


def safe_spans(layout: LakeLayout) -> Mapping[str, Sequence[Span]]:
    """What is safe of each hunt, staged or committed."""
    spans: dict[str, list[Span]] = {}
    for hunt, record in {*staged_slices(layout), *committed_slices(layout)}:
        spans.setdefault(hunt, []).append(record.span)
    return spans


def staged_slices(layout: LakeLayout) -> Iterator[tuple[str, SliceRecord]]:
    """The slices on disk, without clearing away what else lies there as the next run will."""
    folder = layout.state / "staged"
    for path in folder.rglob("*.parquet"):
        record = json.loads(pq.read_schema(path).metadata[b"huntlake.slice"])
        yield path.relative_to(folder).parts[0], SliceRecord.from_dict(record)


def committed_slices(layout: LakeLayout) -> Iterator[tuple[str, SliceRecord]]:
    """The slices that the receipts of committed partitions name."""
    for path in layout.lake.rglob(DATA_FILE):
        receipt = read_receipt(path)
        assert receipt is not None, f"{path} has no receipt"
        for record in receipt.slices:
            yield receipt.hunt, record


def seen_rows(layout: LakeLayout) -> dict[str, dict[str, Rows]]:
    """The rows of each hunt and day that readers of the catalogue see."""
    seen: dict[str, dict[str, Rows]] = {}
    if not layout.catalogue.exists():
        return seen
    with connect(layout) as lake:
        main = "WHERE NOT internal AND schema_name = 'main'"
        views = lake.sql(f"SELECT view_name FROM duckdb_views() {main}").fetchall()
        for (hunt,) in views:
            rows = lake.sql(f"SELECT date::VARCHAR, {_COLUMNS[hunt]} FROM {hunt}").fetchall()
            for day, *row in rows:
                seen.setdefault(hunt, {}).setdefault(day, Counter())[tuple(row)] += 1
    return seen

"""What landed, counted as the service counts it, and what differs.

What belongs here: the histogram of a committed partition, and its comparison with a count. What
does not: asking for the count (``census``), or what follows from a difference.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.landing import WIRE_NAME
from pipelines.spans import Grid
from pipelines.windows import NANOSECONDS_PER_TICK, Window


@dataclass(frozen=True, slots=True)
class BinDifference:
    """One bin in which the service counts another number of rows than landed."""

    window: Window
    landed: int
    counted: int


def time_field(schema: pa.Schema, time_column: str) -> str:
    """The name under which the column of the rows' time has landed. Raises ``KeyError``."""
    for field in schema:
        if (field.metadata or {}).get(WIRE_NAME, b"").decode() == time_column:
            name: str = field.name
            return name
    raise KeyError(time_column)


def landed_bins(path: Path, time_column: str, width: int | None) -> Counter[int]:
    """The partition's rows by the start of a bin, or by the value of their time itself.

    Bins of ``width`` ticks, which must divide a day: else they would begin elsewhere than KQL's.
    """
    found: Counter[int] = Counter()
    with pq.ParquetFile(path) as file:
        if not file.metadata.num_rows:
            # Its columns may not even be known.
            return found
        for batch in file.iter_batches(columns=[time_field(file.schema_arrow, time_column)]):
            instants = pc.divide(pc.cast(batch.column(0), pa.int64()), NANOSECONDS_PER_TICK)
            if width is not None:
                instants = pc.multiply(pc.divide(instants, width), width)
            for each in pc.value_counts(instants).to_pylist():
                found[each["values"]] += each["counts"]
    return found


def differences(
    landed: Mapping[int, int],
    counted: Mapping[int, int],
    *,
    within: Window,
    width: int | None,
    grid: Grid,
) -> tuple[BinDifference, ...]:
    """The bins, of ``width`` or else the grid's own, that differ; a bin ends with its partition."""

    def window_of(start: int) -> Window:
        end = grid.after(start) if width is None else start + width
        return Window(max(start, within.start), min(end, within.end))

    return tuple(
        BinDifference(window_of(start), landed.get(start, 0), counted.get(start, 0))
        for start in sorted({*landed, *counted})
        if landed.get(start, 0) != counted.get(start, 0)
    )

"""Days of the tests' own stand-in, and what an export of them must have landed.

What belongs here: the days and the truth about them. What does not: the stand-in and the engine
before it (``conftest``).
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.engine import Engine
from pipelines.slicing import Partition, partition
from pipelines.standin import Standin
from pipelines.windows import NANOSECONDS_PER_TICK

Serve = Callable[..., Standin]
EngineFor = Callable[..., Engine]

BUSIEST = partition("daily", "2026-11-17")
QUIET = partition("daily", "2026-11-19")


def truth(standin: Standin, day: Partition) -> Counter[tuple[object, ...]]:
    """What the network hunt must bring for a day, straight from the stand-in's database."""
    events = standin.tenant.table("DeviceNetworkEvents")
    times = events.column("Timestamp").cast(pa.int64()).to_pylist()
    others = [
        events.column(name).to_pylist()
        for name in ("DeviceId", "RemoteIP", "RemotePort", "ReportId")
    ]
    return Counter(
        row
        for row in zip(times, *others, strict=True)
        if row[0] // NANOSECONDS_PER_TICK in day.window
    )


def landed(path: Path) -> Counter[tuple[object, ...]]:
    table = pq.read_table(path, partitioning=None)
    times = table.column("Timestamp").cast(pa.int64()).to_pylist()
    others = [
        table.column(name).to_pylist()
        for name in ("DeviceId", "RemoteIP", "RemotePort", "ReportId")
    ]
    return Counter(zip(times, *others, strict=True))

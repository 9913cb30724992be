"""Partitions of a hunt, and the slices that they are pulled in."""

from pipelines.slicing.counts import (
    Count,
    CountBuckets,
    CountCells,
    cells_count,
    first_count,
    overflow_count,
)
from pipelines.slicing.density import Density, Piece
from pipelines.slicing.knowledge import Caps, Knowledge
from pipelines.slicing.partitions import (
    DAILY_KEY_FORMAT,
    HOURLY_KEY_FORMAT,
    Partition,
    describe,
    partition,
    partition_at,
    partitions_between,
)
from pipelines.slicing.plan import Plan, Slice, remaining, without
from pipelines.slicing.planner import least_seconds, next_slice, plan, within
from pipelines.slicing.rates import Rates

__all__ = [
    "DAILY_KEY_FORMAT",
    "HOURLY_KEY_FORMAT",
    "Caps",
    "Count",
    "CountBuckets",
    "CountCells",
    "Density",
    "Knowledge",
    "Partition",
    "Piece",
    "Plan",
    "Rates",
    "Slice",
    "cells_count",
    "describe",
    "first_count",
    "least_seconds",
    "next_slice",
    "overflow_count",
    "partition",
    "partition_at",
    "partitions_between",
    "plan",
    "remaining",
    "within",
    "without",
]

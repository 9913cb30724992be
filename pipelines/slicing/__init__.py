"""Partitions of a hunt, and the slices that they are pulled in."""

from pipelines.slicing.partitions import (
    DAILY_KEY_FORMAT,
    HOURLY_KEY_FORMAT,
    Partition,
    describe,
    partition,
    partition_at,
    partitions_between,
)
from pipelines.slicing.plan import Plan

__all__ = [
    "DAILY_KEY_FORMAT",
    "HOURLY_KEY_FORMAT",
    "Partition",
    "Plan",
    "describe",
    "partition",
    "partition_at",
    "partitions_between",
]

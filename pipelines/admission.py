"""Which partitions may be exported now, and the refusal of the others.

What belongs here: rules about time and about what the lake holds already. What does not: failures
of calls (``recovery``).
"""

from pipelines.errors import PartitionExpired, PartitionRefused
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, Verdict
from pipelines.lake import LakeLayout
from pipelines.slicing import Partition, describe
from pipelines.windows import TICKS_PER_SECOND, Window, format_instant

_DAY_TICKS = 86_400 * TICKS_PER_SECOND


def refuse_unless_due(
    hunt: Hunt, analysis: Analysis, partition: Partition, *, now: int, data_age_days: int
) -> None:
    """Raise ``PartitionRefused`` for a partition that isn't over, or whose data is gone."""
    if analysis.verdict is Verdict.SNAPSHOT:
        if now not in partition.window:
            raise PartitionRefused(
                f"{hunt.name}: its tables hold only the current state, so a snapshot can be taken "
                f"for today, {format_instant(now)[:10]}, and not for {partition.key}"
            )
        return
    if now < partition.window.end:
        raise PartitionRefused(
            f"{hunt.name}: partition {describe(partition)} is not over yet; export it after its end"
        )
    refuse_past_horizon(
        hunt, analysis, partition, partition.window, now=now, data_age_days=data_age_days
    )


def refuse_past_horizon(  # noqa: PLR0913 - what, when, and the three that the message names
    hunt: Hunt,
    analysis: Analysis,
    partition: Partition,
    window: Window,
    *,
    now: int,
    data_age_days: int,
) -> None:
    """Raise ``PartitionExpired`` where the window reaches past what the service still has.

    The service answers for what it has forgotten with no rows and no error, which a lake that
    believed it would take for a quiet day.
    """
    horizon = now - data_age_days * _DAY_TICKS
    if analysis.verdict is not Verdict.SNAPSHOT and window.start < horizon:
        raise PartitionExpired(
            f"{hunt.name}: partition {describe(partition)} reaches past the horizon; the service "
            f"has nothing older than {format_instant(horizon)}. What was exported of it before "
            f"stays as it is"
        )


def refuse_other_partitioning(
    hunt: Hunt, partition: Partition, layout: LakeLayout, tenant: str
) -> None:
    """Raise ``PartitionRefused`` where days and hours of one hunt would show its rows twice."""
    folder = layout.hunt_folder(hunt.name, tenant)
    hourly = partition.partitioning == "hourly"
    if any(folder.glob("date=*/*.parquet" if hourly else "date=*/hour=*")):
        raise PartitionRefused(
            f"{hunt.name}: its partitions are {partition.partitioning} now, but {folder} holds "
            f"{'daily' if hourly else 'hourly'} ones. Move that folder out of the lake, or set "
            f"`export: partitions:` back"
        )

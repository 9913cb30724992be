"""What Dagster is told of partitions that were not exported, or may not be in time.

What belongs here: one clear failure for a run, and an observation for each of its partitions. What
does not: which failures there are, and what follows them (``pipelines.going_on``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from assets.catalogue import TenantHunts
from pipelines.errors import HuntlakeError
from pipelines.failure_text import failure_lines
from pipelines.going_on import PartitionFailed
from pipelines.hunts import Hunt
from pipelines.overdue import TooLate
from pipelines.recovery import policy_for
from pipelines.windows import NANOSECONDS_PER_TICK, format_instant

# Dagster keeps every table for ever, in one row of its database.
_MOST_RECORDS: Final = 100


class ExportFailed(dg.Failure):
    """A run that did not export all that it was asked for. Dagster's page shows it by its name."""


class RunFailures:
    """What failed in one run of a hunt."""

    def __init__(self, hunts: TenantHunts, hunt: Hunt, key: dg.AssetKey) -> None:
        self._tenant = hunt.export.tenant or hunts.tenant
        self._hunt = hunt
        self._key = key
        self._failed: list[PartitionFailed] = []
        self._error: HuntlakeError | None = None

    def __bool__(self) -> bool:
        return bool(self._failed) or self._error is not None

    def of_partition(self, failed: PartitionFailed) -> dg.AssetObservation:
        """Take a partition that failed; the observation stands among its events in the page."""
        self._failed.append(failed)
        return dg.AssetObservation(
            self._key,
            partition=failed.partition.key,
            description=str(failed.error),
            metadata={
                "error": type(failed.cause).__name__,
                "what_to_do": failed.advice,
                "in_the_lake": failed.landed is not None,
            },
        )

    def of_run(self, error: HuntlakeError) -> None:
        """Take an error that is no single partition's, such as a setting."""
        self._error = error

    def raise_any(self, asked: int) -> None:
        """Raise the run's one failure, if anything failed; ``asked`` is of how many partitions."""
        if self._error is not None:
            # Without its cause: the message says it, and Dagster would show a page of frames.
            raise failure_of(self._error, tenant=self._tenant, hunt=self._hunt.name) from None
        if self._failed:
            kinds = sorted({type(each.cause).__name__ for each in self._failed})
            advice = "; ".join(dict.fromkeys(each.advice for each in self._failed))
            text = "\n".join(failure_lines(self._hunt.name, self._failed, asked=asked))
            table = {"failed": _failed_table(self._failed)}
            names = {"tenant": self._tenant, "hunt": self._hunt.name}
            raise _failure(text, ", ".join(kinds), advice, {**names, **table}) from None


def failure_of(error: HuntlakeError, **names: str) -> ExportFailed:
    """The failure of a run for one error; ``names`` say whose run it was."""
    return _failure(str(error), type(error).__name__, policy_for(error)[1].advice, names)


def late_observation(key: dg.AssetKey, found: Sequence[TooLate]) -> dg.AssetObservation:
    """Which partitions will not make it before the horizon, as the asset's page shows it."""
    records = [
        dg.TableRecord(
            {
                "partition": each.partition,
                "expires_at": _minute(each.expires_ns),
                "expected_at": _minute(each.expected_ns),
            }
        )
        for each in found[:_MOST_RECORDS]
    ]
    names = ("partition", "expires_at", "expected_at")
    schema = dg.TableSchema([dg.TableColumn(name, "string") for name in names])
    return dg.AssetObservation(
        key,
        description=f"{len(found)} partitions will not make it before the horizon",
        metadata={
            "too_late": len(found),
            "partitions": dg.MetadataValue.table(records, schema=schema),
        },
    )


def _failure(text: str, error: str, advice: str, more: Mapping[str, Any]) -> ExportFailed:
    metadata = {"error": error, "what_to_do": advice, **more}
    # What may pass was tried again already.
    return ExportFailed(description=text, metadata=metadata, allow_retries=False)


def _failed_table(failed: Sequence[PartitionFailed]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "partition": each.partition.key,
                "error": type(each.cause).__name__,
                "what_happened": str(each.error),
                "what_to_do": each.advice,
            }
        )
        for each in failed[:_MOST_RECORDS]
    ]
    names = ("partition", "error", "what_happened", "what_to_do")
    schema = dg.TableSchema([dg.TableColumn(name, "string") for name in names])
    return dg.MetadataValue.table(records, schema=schema)


def _minute(at_ns: int) -> str:
    return f"{format_instant(at_ns // NANOSECONDS_PER_TICK)[:16]}Z"

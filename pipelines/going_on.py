"""What the failure of one partition means for the others: one table, and exporting by it.

What belongs here: whether an export goes on with the next partition, and whether the same export
may succeed later with nothing changed. What does not: what follows a single failed call
(``recovery``), or the export of a partition (``export``).

The oldest partitions are exported first, since they expire first. One that can't be completed must
not hold up the others until they have expired too; a failure that all of them would share is not
worth asking thirty times. What may pass by itself is tried again after a while, once the others are
done.

Dagster could try again by itself, and would not do: a step with a retry policy takes a cancelled
run for a failed one and runs again, and while it waits in its process it can't be cancelled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pipelines.committing import PartitionExport
from pipelines.errors import (
    CallTimedOut,
    CannotSplit,
    ConnectionFailed,
    HuntlakeError,
    MalformedResponse,
    PartitionExpired,
    PartitionRefused,
    RowsMissing,
    SchemaChanged,
    SchemaClash,
    ServiceUnavailable,
    SignInUnavailable,
    SliceFailed,
    Throttled,
    TooMuchForOneCall,
)
from pipelines.export import Exporter
from pipelines.recovery import policy_for
from pipelines.slicing import Partition


class Then(StrEnum):
    """What an export does after a partition has failed."""

    GO_ON = "goes on with the next"
    GO_ON_A_WHILE = "goes on with the next, until three in a row have failed"
    STOP = "stops"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What follows a failure. ``passes``: the same may succeed later, with nothing changed."""

    then: Then
    passes: bool = False


AFTERMATHS: Final[Mapping[type[HuntlakeError], Aftermath]] = MappingProxyType(
    {
        # No call is made for these.
        PartitionExpired: Aftermath(Then.GO_ON),
        PartitionRefused: Aftermath(Then.GO_ON),
        # What was pulled is kept, so that the clash can be mended after the data is gone.
        SchemaClash: Aftermath(Then.GO_ON),
        # These are pulled anew by the next export.
        SchemaChanged: Aftermath(Then.GO_ON, passes=True),
        RowsMissing: Aftermath(Then.GO_ON, passes=True),
        # A heavy day, or a garbled answer; but each costs quota, and it may be the hunt.
        CannotSplit: Aftermath(Then.GO_ON_A_WHILE),
        TooMuchForOneCall: Aftermath(Then.GO_ON_A_WHILE),
        MalformedResponse: Aftermath(Then.GO_ON_A_WHILE, passes=True),
        # The service, or the way to it, is not well: the next partition would fail alike.
        CallTimedOut: Aftermath(Then.STOP, passes=True),
        ServiceUnavailable: Aftermath(Then.STOP, passes=True),
        ConnectionFailed: Aftermath(Then.STOP, passes=True),
        SignInUnavailable: Aftermath(Then.STOP, passes=True),
        Throttled: Aftermath(Then.STOP, passes=True),
        # A permission, the query, a setting, the disk: somebody has to do something.
        HuntlakeError: Aftermath(Then.STOP),
    }
)
_MOST_IN_A_ROW: Final = 3
# 10, 30 and 90 minutes: the usual three tries reach over two hours.
_PAUSE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class PartitionFailed:
    """A partition that could not be completed.

    ``untried`` are those that were given up with it; ``landed`` is what the lake has of one that
    expired, and now keeps for good.
    """

    partition: Partition
    error: HuntlakeError
    untried: tuple[Partition, ...] = ()
    landed: PartitionExport | None = None

    @property
    def cause(self) -> HuntlakeError:
        """What the error comes down to: of a slice, why its call failed."""
        cause = self.error.__cause__
        if isinstance(self.error, SliceFailed) and isinstance(cause, HuntlakeError):
            return cause
        return self.error

    @property
    def aftermath(self) -> Aftermath:
        """What the table says of it."""
        return aftermath_of(self.cause)

    @property
    def advice(self) -> str:
        """What is to be done about it."""
        if isinstance(self.cause, PartitionExpired):
            return "nothing brings it back; what the lake has of it stays"
        return policy_for(self.cause)[1].advice


def aftermath_of(error: HuntlakeError) -> Aftermath:
    """What the table says of an error's kind."""
    return next(AFTERMATHS[kind] for kind in type(error).__mro__ if kind in AFTERMATHS)


def export_in_spite(
    exporter: Exporter, partitions: Sequence[Partition], *, refresh: bool, retries: int
) -> Iterator[PartitionExport | PartitionFailed]:
    """Export partitions in order, in spite of those that fail, as the table says.

    What may pass is tried again, after a pause, up to ``retries`` times with no commit in between.
    Yields each partition as it commits, or once it has failed for good; raises none of their
    errors.
    """
    todo, tries = tuple(partitions), 0
    while todo:
        held: list[PartitionFailed] = []
        for outcome in _export_once(exporter, todo, refresh=refresh):
            if isinstance(outcome, PartitionExport):
                tries = tries if outcome.reused else 0
                yield outcome
            elif outcome.aftermath.passes:
                held.append(outcome)
            else:
                yield outcome
                # Somebody has to do something first, so that there is nothing to wait for.
                tries = retries if outcome.untried else tries
        if tries >= retries:
            yield from held
            return
        todo = tuple(each for failed in held for each in (failed.partition, *failed.untried))
        if todo:
            exporter.pause(held[-1].partition, _PAUSE_SECONDS * 3**tries, held[-1].error)
            tries += 1


def _export_once(
    exporter: Exporter, partitions: tuple[Partition, ...], *, refresh: bool
) -> Iterator[PartitionExport | PartitionFailed]:
    rest, in_a_row = partitions, 0
    while rest:
        try:
            for exported in exporter.export(rest, refresh=refresh):
                # They come in order, so that the first which didn't is the one that failed.
                rest = rest[1:]
                in_a_row = in_a_row if exported.reused else 0
                yield exported
        except HuntlakeError as error:
            failed = PartitionFailed(rest[0], error)
        else:
            return
        then = failed.aftermath.then
        in_a_row += then is Then.GO_ON_A_WHILE
        if then is Then.STOP or in_a_row == _MOST_IN_A_ROW:
            yield replace(failed, untried=rest[1:])
            return
        if isinstance(failed.error, PartitionExpired):
            failed = replace(failed, landed=exporter.landed(failed.partition))
        yield failed
        rest = rest[1:]

"""What one message says of all the partitions of a hunt that failed.

What belongs here: the words. What does not: which failures there are, and what follows them
(``going_on``), or where the message is shown (the command line, Dagster).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pipelines.going_on import PartitionFailed
from pipelines.slicing import Partition


def failure_lines(hunt: str, failed: Sequence[PartitionFailed], *, asked: int) -> Iterator[str]:
    """What happened, the failures of a kind in a row as one; so many partitions were ``asked``."""
    if asked == 1:
        yield str(failed[0].error)
        return
    missing = len(failed) + sum(len(each.untried) for each in failed)
    yield f"{hunt}: {missing} of {asked} partitions were not exported"
    for _, group in groupby(failed, lambda each: type(each.cause)):
        alike = list(group)
        keys = _keys([each.partition for each in alike])
        yield f"- {keys} ({type(alike[0].cause).__name__}): {alike[0].error}"
    for each in failed:
        if each.untried:
            yield f"- {_keys(each.untried)}: not tried after that"


def _keys(partitions: Sequence[Partition]) -> str:
    if len(partitions) == 1:
        return partitions[0].key
    return f"{partitions[0].key} to {partitions[-1].key} ({len(partitions)})"

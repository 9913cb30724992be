"""Keeping others out of the partitions that one process is about to commit.

What belongs here: the locks. What does not: what is done under them (``export``, ``late``).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from filelock import BaseFileLock, FileLock, Timeout

from pipelines.hunt_in_tenant import HuntInTenant
from pipelines.landing import writing
from pipelines.progress import Waiting
from pipelines.slicing import Partition

_POLL_SECONDS: Final = 0.5


@contextmanager
def alone(
    at: HuntInTenant, partitions: Sequence[Partition]
) -> Iterator[Callable[[Partition], None]]:
    """Keep others from the same partitions; they find what was committed.

    Yields what lets them in again, partition by partition. All take the locks oldest first, so that
    no two wait for each other.
    """
    locks: dict[str, BaseFileLock] = {}
    with ExitStack() as held:
        for partition in partitions:
            lock = _lock(at, partition)
            held.callback(lock.release)
            locks[partition.key] = lock
        yield lambda partition: locks[partition.key].release()


def _lock(at: HuntInTenant, partition: Partition) -> BaseFileLock:
    path = at.layout.partition_lock(at.hunt.name, at.tenant.name, partition)
    lock = FileLock(path, thread_local=False)
    told = False
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        while not _acquired(lock):
            if not told:
                reason = "another export of this partition is under way"
                at.observer(Waiting(at.hunt.name, partition.key, reason, None))
                told = True
            at.clock.sleep(_POLL_SECONDS)
    return lock


def _acquired(lock: BaseFileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True

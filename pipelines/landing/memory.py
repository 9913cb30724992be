"""The allocator of a process that lands answers.

What belongs here: the choice, and its reason. What does not: how much is in memory at a time, which
each step says for itself.
"""

import pyarrow as pa


def use_system_allocator() -> None:
    """Let Arrow allocate as the rest of the process does, from now on.

    Its own allocator and the system's keep what one step has freed from the next: an answer was
    read with the one and its partition written with the other, which took 160 MB instead of 130.
    What was allocated before stays valid.

    The writer's own buffers heed nothing but ``ARROW_DEFAULT_MEMORY_POOL`` as it was when Arrow was
    loaded. So the package sets that too: a commit then takes 10 MB less, and a quarter less of its
    CPU, which went into clearing huge pages.
    """
    pa.set_memory_pool(pa.system_memory_pool())

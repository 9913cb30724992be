"""The allocator of a process that lands answers.

What belongs here: the choice, and its reason. What does not: how much is in memory at a time, which
each step says for itself.
"""

import pyarrow as pa


def use_system_allocator() -> None:
    """Let Arrow allocate as the rest of the process does, from now on.

    Its own allocator and the system's keep what one step has freed from the next: an answer was
    read with the one and its partition written with the other, which took 160 MB instead of 130.
    The writer has no say in it but by the process's default. What was allocated before stays valid.
    """
    pa.set_memory_pool(pa.system_memory_pool())

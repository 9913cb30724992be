"""Commands that end by SIGKILL at a step of their own choice, to be started as processes.

What belongs here: where they die. What does not: what is expected of the next (``test_killed``).
"""

import os
import signal
from collections.abc import Callable
from unittest.mock import patch

from tests import processes

# What puts a file or folder into its place, or takes it away. Between two of these nothing changes
# that another process could find.
_STEPS = ("replace", "rename", "unlink", "rmdir")


def at_step(by_ns: int, last: int, *arguments: str) -> None:
    """Be killed at the step of this number: just before it where that is odd, else just after.

    Before it what the step puts in place is there under another name; after it nobody was told.
    """
    done = 0

    def counting(step: Callable[..., None]) -> Callable[..., None]:
        def act(*what: object, **how: object) -> None:
            nonlocal done
            if done + 1 == last and last % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            step(*what, **how)
            done += 1
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)

        return act

    with patch.multiple(os, **{name: counting(getattr(os, name)) for name in _STEPS}):
        processes.huntlake_later(by_ns, *arguments)

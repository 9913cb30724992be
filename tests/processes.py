"""Real ``huntlake`` processes that start in a few hundredths of a second.

What belongs here: starting them. What does not: the tests and benchmarks that kill them. Each is
forked from a process that has imported everything and done nothing; from there on it is the command
itself, with files, connections and signals of its own.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from pipelines.cli import main

_SERVER: Final = multiprocessing.get_context("forkserver")
# With what the command imports only once it needs it, and whichever program starts it.
_SERVER.set_forkserver_preload(
    ["__main__", "tests.processes", "pipelines.console", "msal", "httpcore"]
)


def start(
    arguments: Sequence[str], environment: Mapping[str, str], *, said: Path
) -> ForkServerProcess:
    """Start the command; what it prints is added to the file ``said``."""
    process = _SERVER.Process(
        target=_run, args=(tuple(arguments), dict(environment), said), daemon=True
    )
    process.start()
    return process


def _run(arguments: Sequence[str], environment: Mapping[str, str], said: Path) -> None:
    os.environ.update(environment)
    sys.argv = ["huntlake", *arguments]
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (sys.stdout, sys.stderr):
        standard.flush()
        os.dup2(descriptor, standard.fileno())
    main()

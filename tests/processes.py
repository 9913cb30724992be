"""Real processes that start in a few hundredths of a second.

What belongs here: starting them, the command ``huntlake`` above all. What does not: the tests and
benchmarks that kill them. Each is forked from a process that has imported everything and done
nothing; from there on it has files, connections and signals of its own.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final
from unittest.mock import patch

from pipelines.cli import main
from pipelines.clock import SystemClock

_SERVER: Final = multiprocessing.get_context("forkserver")
# With what the command imports only once it needs it, and whichever program starts it.
_IMPORTED: Final = (
    *("__main__", "tests.processes", "pipelines.console", "msal", "httpcore"),
    *(
        f"pipelines.commands.{name}"
        for name in ("export", "plan", "recount", "quota", "sql", "kql")
    ),
    *(f"pipelines.commands.{name}" for name in ("check", "publish", "report", "retention")),
    *("pipelines.commands.standin", "pipelines.lake.kql"),
)
_SERVER.set_forkserver_preload([*_IMPORTED])
# Guards against hanging, and nothing else.
PATIENCE_SECONDS: Final = 120.0


def preload(module: str) -> None:
    """Let processes begin with a module imported too; only if none was started yet."""
    _SERVER.set_forkserver_preload([*_IMPORTED, module])


def start(
    target: Callable[..., None],
    *arguments: object,
    environment: Mapping[str, str],
    said: Path,
    errors: Path | None = None,
) -> ForkServerProcess:
    """Let a process do this; what it prints is added to the file ``said``, or to ``errors``."""
    said.touch()
    files = (said, errors or said)
    process = _SERVER.Process(
        target=_run, args=(target, arguments, dict(environment), files), daemon=True
    )
    process.start()
    return process


def huntlake(*arguments: str) -> None:
    """The command itself, to be started."""
    sys.argv = ["huntlake", *arguments]
    main()


def huntlake_later(by_ns: int, *arguments: str) -> None:
    """The command itself, which takes the machine's time to be so much later."""
    now_ns = SystemClock.now_ns
    with patch.object(SystemClock, "now_ns", lambda clock: now_ns(clock) + by_ns):
        huntlake(*arguments)


def huntlake_without_pauses(*arguments: str) -> None:
    """The command itself, which waits for nothing before it tries again."""
    with patch.object(SystemClock, "sleep", lambda _, seconds: None):
        huntlake(*arguments)


def wait_until_said(text: str, said: Path, process: ForkServerProcess) -> None:
    """Return once a process has printed the text. Raises ``AssertionError`` if it ends without."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while text not in said.read_text():
        assert process.exitcode is None, said.read_text()
        assert time.monotonic() < give_up, said.read_text()
        time.sleep(0.01)


def ended(process: ForkServerProcess) -> int:
    """The exit code of a process that ends by itself; negative where a signal ended it."""
    process.join(PATIENCE_SECONDS)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


def _run(
    target: Callable[..., None],
    arguments: Sequence[object],
    environment: Mapping[str, str],
    files: tuple[Path, Path],
) -> None:
    os.environ.update(environment)
    for standard, file in zip((sys.stdout, sys.stderr), files, strict=True):
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        standard.flush()
        os.dup2(descriptor, standard.fileno())
    target(*arguments)

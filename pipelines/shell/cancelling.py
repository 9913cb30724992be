"""Ctrl-C while a query runs.

What belongs here: running work so that it can be cancelled. What does not: what the work is.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Thread
from typing import Final

_AGAIN_SECONDS: Final = 0.1


class Cancelled(Exception):
    """The work was cancelled, and has ended."""


def cancellable(work: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Do the work, and cancel it at Ctrl-C. Raises ``Cancelled`` where it didn't come to its end.

    It is done in a thread, for Python hears of Ctrl-C in its main thread alone, and only when that
    isn't inside of DuckDB.
    """
    doing: Future[None] = Future()
    thread = Thread(target=_do, args=(work, doing), name="query", daemon=True)
    try:
        thread.start()
        doing.result()
    except KeyboardInterrupt:
        # Again and again, since what has not begun yet can't be cancelled.
        while thread.ident is not None and not doing.done():
            _cancel_once_more(doing, cancel)
        if thread.ident is None or doing.exception() is not None:
            raise Cancelled from None


def _do(work: Callable[[], None], doing: Future[None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
        doing.set_exception(error)
    else:
        doing.set_result(None)


def _cancel_once_more(doing: Future[None], cancel: Callable[[], None]) -> None:
    # A second Ctrl-C says what is being done already.
    with suppress(KeyboardInterrupt):
        cancel()
        wait([doing], _AGAIN_SECONDS)

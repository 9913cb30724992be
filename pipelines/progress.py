"""What an export tells whoever watches it: values, in the order in which they happen.

What belongs here: the events, and each as one line of text without records or queries. What does
not: where the lines go (``console`` and ``assets`` decide).
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.recovery import Remedy
from pipelines.spans import Span
from pipelines.windows import NANOSECONDS_PER_TICK, Window, format_instant


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one partition of one hunt."""

    hunt: str
    partition: str

    def _line(self, text: str) -> str:
        return f"{self.hunt} {self.partition}: {text}"


@dataclass(frozen=True, slots=True)
class PartitionStarted(Event):
    """A partition's export begins; ``staged`` are the spans that an earlier run pulled of it."""

    window: Window
    staged: tuple[Span, ...]

    def __str__(self) -> str:
        if self.staged:
            return self._line(f"continues; {len(self.staged)} slices were staged by an earlier run")
        return self._line("started")


@dataclass(frozen=True, slots=True)
class Counted(Event):
    """The service counted the rows of a window, and the plan is to pull them in ``calls`` calls."""

    window: Window
    rows: int
    calls: int

    def __str__(self) -> str:
        plural = "call" if self.calls == 1 else "calls"
        return self._line(
            f"{self.rows:,} rows of {self.window} were counted; about {self.calls} {plural} to pull"
        )


@dataclass(frozen=True, slots=True)
class SliceStaged(Event):
    """A slice is safe on disk, and about ``left`` more are to be pulled.

    ``held``: it is the last one, and is in memory until its partition is committed. ``calls`` are
    those since the slice before, the other two among them.
    """

    span: Span
    rows: int
    body_bytes: int
    running_seconds: float
    left: int
    held: bool = False
    calls: int = 0
    counting_calls: int = 0
    wasted_calls: int = 0

    def __str__(self) -> str:
        # An answer that spans partitions is on the account of the first.
        cost = f" ({self.running_seconds:.1f} s of running time)" if self.running_seconds else ""
        rest = f"; about {self.left} more to pull" if self.left else ""
        state = "pulled" if self.held else "staged"
        return self._line(f"{self.rows:,} rows of {self.span} are {state}{cost}{rest}")


@dataclass(frozen=True, slots=True)
class SliceCut(Event):
    """An answer reached the cap and none of it is whole, so less is asked for."""

    span: Span
    reason: str

    def __str__(self) -> str:
        return self._line(f"{self.span} is too much for one call, since {self.reason}")


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """No call may start until then (``None``: until another process's call is over)."""

    reason: str
    until_ns: int | None

    def __str__(self) -> str:
        if self.until_ns is None:
            return self._line(f"waiting, since {self.reason}")
        until = format_instant(self.until_ns // NANOSECONDS_PER_TICK)[:19]
        return self._line(f"waiting until {until}Z, since {self.reason}")


@dataclass(frozen=True, slots=True)
class WaitOver(Event):
    """The call that had to wait starts; for whoever measures waits, and not told to others."""

    def __str__(self) -> str:
        return self._line("the wait is over")


@dataclass(frozen=True, slots=True)
class CallFailed(Event):
    """A call failed; each failure is told once, with what follows.

    ``attempt`` counts the calls for the same from 1; ``request_id`` is what Microsoft's support
    asks for, and ``kind`` the class of the error.
    """

    span: Span
    attempt: int
    remedy: Remedy
    follows: str
    error: str
    request_id: str | None
    kind: str = ""

    def __str__(self) -> str:
        request = f" (request id {self.request_id})" if self.request_id else ""
        return self._line(
            f"attempt {self.attempt} at {self.span} failed; {self.follows}: {self.error}{request}"
        )


@dataclass(frozen=True, slots=True)
class SurfaceRetires(Event):
    """The surface that the hunt is asked through will stop working; told once for each export."""

    warning: str

    def __str__(self) -> str:
        return self._line(self.warning)


@dataclass(frozen=True, slots=True)
class TryingLater(Event):
    """The partition failed in a way that may pass, and is tried again then."""

    until_ns: int
    error: str

    def __str__(self) -> str:
        until = format_instant(self.until_ns // NANOSECONDS_PER_TICK)[:19]
        return self._line(f"failed, and is tried again at {until}Z: {self.error}")


@dataclass(frozen=True, slots=True)
class HistoryNotKept(Event):
    """What answers taught can't be written down, which costs the next export a count at most."""

    error: str

    def __str__(self) -> str:
        return self._line(
            f"what the answers taught is not kept, so that the next export may count again: "
            f"{self.error}"
        )


@dataclass(frozen=True, slots=True)
class JournalNotKept(HistoryNotKept):
    """A row of a journal can't be written down: the partition is what it is all the same."""

    def __str__(self) -> str:
        return self._line(f"`huntlake.exports` lacks a row on this: {self.error}")


@dataclass(frozen=True, slots=True)
class PartitionNotCommitted(Event):
    """The export of a partition ends without it; for whoever measures, as the error tells others.

    The costs are those since its last slice.
    """

    window: Window
    error: BaseException
    calls: int = 0
    counting_calls: int = 0
    wasted_calls: int = 0
    running_seconds: float = 0.0

    def __str__(self) -> str:
        return self._line(f"not committed: {self.error}")


@dataclass(frozen=True, slots=True)
class PartitionCommitted(Event):
    """Readers see the partition. ``calls`` is 0 where an answer had the partition before it too.

    ``reused``: an earlier export had committed it, and no call was made.
    """

    window: Window
    rows: int
    calls: int
    reused: bool
    file_bytes: int = 0

    def __str__(self) -> str:
        if self.reused:
            return self._line(f"{self.rows:,} rows were committed before; no call was made")
        if self.calls == 0:
            return self._line(f"{self.rows:,} rows committed, which an earlier answer held too")
        plural = "call" if self.calls == 1 else "calls"
        return self._line(f"{self.rows:,} rows committed after {self.calls} {plural}")


@dataclass(frozen=True, slots=True)
class Recounted(Event):
    """A committed partition was counted again; ``late_rows`` came, and ``what`` says what was done.

    ``settled``: no more are expected.
    """

    rows: int
    late_rows: int
    settled: bool
    what: str

    def __str__(self) -> str:
        return self._line(f"{self.rows:,} rows; {self.what}{'; settled' if self.settled else ''}")


Observer = Callable[[Event], None]


def unobserved(event: Event) -> None:
    """The observer for whom nobody watches."""
    del event

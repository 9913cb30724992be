"""Exports in real processes that are killed at random instants, and what became of their rows.

What belongs here: one tenant, exports of it in one data folder after another, and comparing what is
on disk and in the tenant's log after each kill. What does not: the figures of many (``crash``).

A kill may cost the slice that was being pulled: its call was in flight, or its answer was not safe
on disk yet. What a kill costs is told by the tenant's log: the calls whose answers are nowhere safe
after it, and those after it that ask for what was safe.
"""

import random
import re
import signal
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Protocol, Self, TypeVar

import pyarrow as pa

from pipelines.clock import SystemClock
from pipelines.kql import BUCKET
from pipelines.kql.rewrite import ROWS
from pipelines.lake import LakeLayout
from pipelines.spans import BUCKETS, Position, Span
from pipelines.standin import Call, Standin, StandinLimits, SyntheticSettings
from pipelines.windows import (
    NANOSECONDS_PER_TICK,
    TICKS_PER_SECOND,
    Window,
    datetime_from_instant,
    parse_instant,
)
from tests import processes
from tests.benchmarks.left_on_disk import (
    KEYS,
    NO_WRITE,
    Rows,
    amid_what,
    committed_slices,
    refuse_leftovers,
    safe_spans,
    seen_rows,
    staged_slices,
)

TABLE: Final = "DeviceNetworkEvents"
# One is pulled in pages by time, of which one spans both days; one in parts by a hash.
HUNTS: Final[Mapping[str, str]] = {
    "connections": f"{TABLE} | project Timestamp, DeviceId, RemoteIP, RemotePort, ReportId",
    "peers": f"{TABLE} | summarize n = count() by DeviceId, RemoteIP, RemotePort",
}
_ROWS_CAP: Final = 500
# Few enough that every export has to wait for the service; it says to come again in a second.
CALLS: Final = ((12, 2.0),)
_MINUTE_TICKS: Final = 60 * TICKS_PER_SECOND
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
_DAYS: Final = 2

_DATETIME: Final = r"datetime\(([^)]+)\)"
_WINDOW: Final = re.compile(rf"Timestamp >= {_DATETIME} and Timestamp < {_DATETIME}")
_PAGE_BUCKET: Final = re.compile(rf"{BUCKET} >= (\d+)")
_TAKE: Final = re.compile(r"\| take (\d+)$")
_FROM_BUCKET: Final = re.compile(rf", {BUCKETS}\) >= (\d+)")
_TO_BUCKET: Final = re.compile(rf", {BUCKETS}\) < (\d+)$")


class Tenant:
    """The stand-in, and what its events are; a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        busiest_day_rows: int = 2_500,
        calls: tuple[tuple[int, float], ...] = CALLS,
    ) -> None:
        today = SystemClock().now_ns() // NANOSECONDS_PER_TICK // _DAY_TICKS * _DAY_TICKS
        self._folder = folder
        self._standin = Standin(
            folder / "standin",
            data=SyntheticSettings(
                end=today, days=4, rows_per_day=400, busiest_day_rows=busiest_day_rows
            ),
            limits=StandinLimits(rows=_ROWS_CAP, calls=calls, running=()),
            call_log=folder / "calls.jsonl",
        )
        self.hunts = folder / "hunts"
        self.hunts.mkdir()
        for name, query in HUNTS.items():
            (self.hunts / f"{name}.kql").write_text(query)
        # The busiest day and the one after it.
        self.window = Window(today - 3 * _DAY_TICKS, today - (3 - _DAYS) * _DAY_TICKS)

    def __enter__(self) -> Self:
        self._standin.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._standin.__exit__(kind, error, trace)

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings with which huntlake exports from it."""
        return {
            **self._standin.environment(),
            "HUNTLAKE_HUNTS": str(self.hunts),
            # Its own quotas are the service's: a killed call must not hold up the next for hours.
            "HUNTLAKE_LIMITS": f"graph,rows={_ROWS_CAP},calls_per_minute=100000",
        }

    def add_late(self, *, share: float, seed: int) -> None:
        """Let events arrive only now, in a share of the minutes of its days."""
        self._standin.tenant.add_late_in_bins(
            TABLE, self.window, bin_ticks=_MINUTE_TICKS, share=share, seed=seed
        )
        for known in ("truth", "_events", "instants"):
            self.__dict__.pop(known, None)

    @cached_property
    def truth(self) -> Mapping[str, Mapping[str, Rows]]:
        """What each hunt must bring for each day, from the events themselves."""
        connections: dict[str, Rows] = {}
        for row in self._events:
            connections.setdefault(_day(row[0] // NANOSECONDS_PER_TICK), Counter())[row] += 1
        peers = {
            day: Counter(
                (*key, n) for key, n in Counter(row[1:4] for row in rows.elements()).items()
            )
            for day, rows in connections.items()
        }
        return {"connections": connections, "peers": peers}

    @cached_property
    def _events(self) -> list[tuple[int, str, str, int, int]]:
        table = self._standin.tenant.table(TABLE)
        times = table.column("Timestamp").cast(pa.int64()).to_pylist()
        others = [table.column(name).to_pylist() for name in (*KEYS, "ReportId")]
        return sorted(
            row
            for row in zip(times, *others, strict=True)
            if row[0] // NANOSECONDS_PER_TICK in self.window
        )

    @cached_property
    def instants(self) -> list[int]:
        """When the events happened, in order."""
        return [row[0] // NANOSECONDS_PER_TICK for row in self._events]

    @contextmanager
    def before_calls(self, act: Callable[[str], None]) -> Iterator[None]:
        """Let ``act`` see each query before it is answered, until the block ends."""
        self._standin._service.before_call = act
        try:
            yield
        finally:
            self._standin._service.before_call = None

    @property
    def in_flight(self) -> bool:
        """Whether it is at work on a call."""
        return self._standin._service._in_flight > 0

    @property
    def calls(self) -> Sequence[Call]:
        """Its log."""
        return self._standin.calls

    def settle(self) -> None:
        """Return once it is done with what a process asked that is no more."""
        server = self._standin._server
        with server._changed:
            assert server._changed.wait_for(
                lambda: not server._connections, processes.PATIENCE_SECONDS
            )


@dataclass(frozen=True, slots=True)
class Pull:
    """A call for rows, by what the tenant logged of it: whose, and which span its answer holds."""

    hunt: str
    span: Span

    @classmethod
    def of(cls, call: Call, instants: Sequence[int]) -> Self | None:
        """The pull that a call was; ``None`` where it counted, was refused, or answered too much.

        Of a full page the rows before its last cell count. Rows of the page's first tick that
        belong to the page before are not told apart here: a dozen rows at most.
        """
        if call.status != 200 or ROWS in call.query:
            return None
        hunt = next(name for name, query in HUNTS.items() if f";\n{query}" in call.query)
        window = _WINDOW.search(call.query)
        assert window is not None, call.query
        start, end = (parse_instant(text) for text in window.groups())
        take = _TAKE.search(call.query)
        if take is None:
            if call.rows >= _ROWS_CAP:
                return None
            first, last = (_FROM_BUCKET.search(call.query), _TO_BUCKET.search(call.query))
            to = Position(start, int(last[1])) if last else Position(end)
            return cls(hunt, Span(Position(start, int(first[1]) if first else 0), to))
        bucket = _PAGE_BUCKET.search(call.query)
        begin = Position(start, int(bucket[1]) if bucket else 0)
        if call.rows >= int(take[1]):
            end = instants[bisect_left(instants, start) + call.rows - 1]
        return cls(hunt, Span(begin, Position(end)))


def outlive(
    process: ForkServerProcess, tenant: Tenant, said: Path, seconds: float | None
) -> tuple[bool, bool]:
    """Let a process run to its end, or kill it after so many seconds, or let it kill itself.

    Whether it came to its end, and whether a call of its was in flight then. Raises
    ``AssertionError`` where it ended any worse than killed.
    """
    process.join(processes.PATIENCE_SECONDS if seconds is None else seconds)
    in_flight = tenant.in_flight
    process.kill()
    process.join()
    tenant.settle()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"a run failed ({process.exitcode}):\n{said.read_text()}")
    return process.exitcode == 0, in_flight


@dataclass(slots=True)
class Kill:
    """What a kill came upon, what share of the rows was safe by then, and what it cost."""

    amid: str
    safe_share: float
    pulled_again: int


@dataclass(slots=True)
class Export:
    """One export into a folder of its own, by as many processes as it takes."""

    kind: ClassVar[str] = "export"

    tenant: Tenant
    folder: Path
    lost: int = 0
    doubled: int = 0
    counted: int = 0
    kills: list[Kill] = field(default_factory=list)
    _lives: int = 0
    _logged: int = 0
    _safe: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self._logged = len(self.tenant.calls)

    @property
    def layout(self) -> LakeLayout:
        """Where its files lie."""
        return LakeLayout(self.folder / "data")

    def live(self, seconds: float | None = None) -> bool:
        """Run to the end, or to a kill after so many seconds; whether it came to its end."""
        self._lives += 1
        said = self.folder / f"said-{self._lives}.txt"
        began_ns = time.time_ns()
        process = processes.start(
            processes.huntlake, *self._arguments, environment=self._environment, said=said
        )
        ended, in_flight = outlive(process, self.tenant, said, seconds)
        gone = self._account()
        self._compare(whole=ended)
        if ended:
            refuse_leftovers(self.layout)
            if gone:
                raise AssertionError(f"an export ended without what it pulled: {gone}")
        else:
            amid = "a call" if in_flight else amid_what(self.layout, said, began_ns)
            if gone and amid in NO_WRITE:
                amid = "landing an answer"
            self.kills.append(Kill(amid, self._safe_share, len(gone)))
        return ended

    @property
    def _arguments(self) -> Sequence[str]:
        window = self.tenant.window
        names = [word for name in HUNTS for word in ("--hunt", name)]
        return ["export", *names, "--from", _day(window.start), "--to", _day(window.end)]

    @property
    def _environment(self) -> Mapping[str, str]:
        return {**self.tenant.environment, "HUNTLAKE_DATA": str(self.layout.root)}

    def _account(self) -> Sequence[Pull]:
        """What the last process pulled and left nowhere safe: this must be pulled again.

        What it pulled although it was safe before is put on the account of the kill before.
        """
        calls = self.tenant.calls[self._logged :]
        self._logged += len(calls)
        self.counted += sum(ROWS in call.query and call.status == 200 for call in calls)
        found = (Pull.of(call, self.tenant.instants) for call in calls)
        pulls = [pull for pull in found if pull is not None]
        for pull in pulls:
            if any(each.start <= pull.span.start < each.end for each in self._safe_of(pull)):
                self.kills[-1].pulled_again += 1
        self._safe = safe_spans(self.layout)
        return [pull for pull in pulls if not _covered(pull.span, self._safe_of(pull))]

    def _safe_of(self, pull: Pull) -> Sequence[Span]:
        return self._safe.get(pull.hunt, ())

    @property
    def _safe_share(self) -> float:
        safe = {*staged_slices(self.layout), *committed_slices(self.layout)}
        rows = sum(record.rows for _, record in safe)
        return rows / sum(
            found.total() for days in self.tenant.truth.values() for found in days.values()
        )

    def _compare(self, *, whole: bool) -> None:
        """Compare what readers see with the truth; before the end, of the days that they see."""
        seen = seen_rows(self.layout)
        for hunt, days in self.tenant.truth.items():
            for day, rows in days.items():
                found = seen.get(hunt, {}).pop(day, None)
                if found is not None or whole:
                    found = found or Counter()
                    self.lost += (rows - found).total()
                    self.doubled += (found - rows).total()
        self.doubled += sum(rows.total() for days in seen.values() for rows in days.values())


class _Living(Protocol):
    """What goes on, life after life, until it has come to its end."""

    def live(self, seconds: float | None = None) -> bool: ...


_Lives = TypeVar("_Lives", bound=_Living)


def seconds_of_an_export(tenant: Tenant, folder: Path) -> float:
    """What an export takes that nobody kills."""
    for number in range(2):
        # The first also waits until processes can be started quickly.
        export = Export(tenant, folder / f"undisturbed-{number}")
        began = time.monotonic()
        export.live()
        seconds = time.monotonic() - began
    return seconds


def exports_under_kills(
    tenant: Tenant, folder: Path, *, kills: int, seed: int, within_seconds: float
) -> Iterator[Export]:
    """Exports one after another; see ``under_kills``."""
    return under_kills(
        lambda number: Export(tenant, folder / f"export-{number}"), kills, seed, within_seconds
    )


def under_kills(
    begin: Callable[[int], _Lives], kills: int, seed: int, within_seconds: float
) -> Iterator[_Lives]:
    """One after another, each killed again and again, until so many kills were made.

    Yields each as it has come to its end, which the last does too. A process that isn't done in
    ``within_seconds`` is killed before, at random. The next begins where it stopped, so that the
    kills are spread over whole runs.
    """
    chance = random.Random(seed)  # noqa: S311 - instants that can be repeated, not secrets
    made = 0
    for number in count(1):
        each = begin(number)
        while not each.live(chance.uniform(0, within_seconds) if made < kills else None):
            made += 1
        yield each
        if made == kills:
            return


def _covered(span: Span, spans: Sequence[Span]) -> bool:
    reached = span.start
    for each in sorted(spans):
        if each.start <= reached:
            reached = max(reached, each.end)
    return reached >= span.end


def _day(instant: int) -> str:
    return f"{datetime_from_instant(instant):%Y-%m-%d}"

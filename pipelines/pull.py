"""One slice: call after call, until its answer is whole or it is clear that it must be cut.

What belongs here: acting on ``recovery``'s remedies for one slice. What does not: which slices
there are (``export``), and where answers are kept (``landing``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pipelines.admission import refuse_past_horizon
from pipelines.api import HuntingClient, RawAnswer, Surface, TokenSource
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock, now_ticks
from pipelines.errors import CannotSplit, HuntlakeError, SliceFailed
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, Verdict, restrict
from pipelines.landing import Answer, SliceRecord, decode
from pipelines.progress import Observer, Retrying, SliceCut, Waiting
from pipelines.quota import Gate, Limits, Wait
from pipelines.recovery import Remedy, pause_seconds, remedy_for
from pipelines.slicing import Partition
from pipelines.windows import Window

_SINGLE_TICK: Final = 1


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant through one surface: the parts that every call to it needs."""

    id: str
    surface: Surface
    tokens: TokenSource
    client: HuntingClient
    gate: Gate
    limits: Limits


@dataclass(frozen=True, slots=True)
class Pulled:
    """A slice's whole answer, and what to remember of how it was had."""

    answer: Answer
    record: SliceRecord


@dataclass(slots=True)
class Waste:
    """Calls for windows that had to be cut after all: their rows are pulled again."""

    calls: int = 0
    rows: int = 0
    running_seconds: float = 0.0


@dataclass(slots=True)
class SlicePuller:
    """Pulls slices of one partition."""

    hunt: Hunt
    analysis: Analysis
    tenant: Tenant
    partition: Partition
    clock: Clock
    observer: Observer
    waste: Waste = field(default_factory=Waste)

    def pull(self, window: Window) -> Pulled | None:
        """The whole answer for the window, or ``None`` where it must be cut.

        Raises ``CannotSplit`` where it must be cut and can't, ``SliceFailed`` where the service
        refused for good, ``PartitionRefused`` where the window fell off the horizon meanwhile.
        """
        attempt = 0
        started_ns = self.clock.now_ns()
        while True:
            attempt += 1
            self._refuse_past_horizon(window)
            try:
                pulled = self._call(window, attempt)
            except HuntlakeError as error:
                if self._recover(error, attempt, window) is Remedy.CUT:
                    self._cut(window, attempt, started_ns, str(error), error)
                    return None
                continue
            if pulled.record.rows < self.tenant.limits.rows:
                return pulled
            # The service cuts without a word, so as many rows as the cap means "perhaps more".
            self.waste.rows += pulled.record.rows
            reason = f"the answer reached the cap of {self.tenant.limits.rows:,} rows"
            self._cut(window, attempt, started_ns, reason)
            return None

    def _refuse_past_horizon(self, window: Window) -> None:
        """Before each call: the window may fall off the horizon while others wait for quota."""
        refuse_past_horizon(
            self.hunt,
            self.analysis,
            self.partition,
            window,
            now=now_ticks(self.clock),
            data_age_days=self.tenant.limits.data_age_days,
        )

    def _call(self, window: Window, attempt: int) -> Pulled:
        # The partition's end, not the slice's: what now() means must not depend on slicing.
        now = self.partition.window.end
        query = restrict(self.hunt.query, self.analysis, window=window, now=now)
        with self.tenant.gate.call(self.hunt.name, self._tell_wait) as call:
            raw = self.tenant.client.run(query)
        answer = decode(raw.body, self.tenant.surface.dialect)
        if answer.execution_seconds is not None:
            self.tenant.gate.correct(call, answer.execution_seconds)
        return Pulled(answer, self._record(window, raw, answer, attempt))

    def _record(self, window: Window, raw: RawAnswer, answer: Answer, attempt: int) -> SliceRecord:
        reported = answer.execution_seconds
        return SliceRecord(
            window=window,
            rows=answer.rows,
            running_seconds=raw.wire_seconds if reported is None else reported,
            request_id=raw.request_id,
            body_sha256=raw.sha256,
            body_bytes=len(raw.body),
            kept_aside=answer.kept_aside,
            pulled_ns=self.clock.now_ns(),
            calls=attempt,
        )

    def _recover(self, error: HuntlakeError, attempt: int, window: Window) -> Remedy:
        """Do what the error's policy says, and return it; raises where nothing helps."""
        remedy = remedy_for(error, attempt)
        if remedy is Remedy.FAIL:
            raise SliceFailed(f"{self._where(window)}: {error}") from error
        if remedy is Remedy.RETRY:
            wait = pause_seconds(attempt)
            self.observer(
                Retrying(self.hunt.name, self.partition.key, window, attempt, wait, str(error))
            )
            self.clock.sleep(wait)
        return remedy

    def _cut(
        self,
        window: Window,
        calls: int,
        started_ns: int,
        reason: str,
        cause: HuntlakeError | None = None,
    ) -> None:
        """Count the waste and announce the cut; ``CannotSplit`` where it may or can not be."""
        self.waste.calls += calls
        self.waste.running_seconds += (self.clock.now_ns() - started_ns) / NANOSECONDS_PER_SECOND
        if self.analysis.verdict is not Verdict.ROW_WISE:
            raise CannotSplit(
                f"{self._where(window)}: {reason}, and the hunt can't be cut by time: it is "
                f"{self.analysis.verdict}, since {self.analysis.reason}. Filter or summarise it "
                f"further{self._smaller_partitions}"
            ) from cause
        if window.ticks == _SINGLE_TICK:
            raise CannotSplit(
                f"{self._where(window)}: {reason}, and the window is a single tick of 100 ns, "
                f"which time can't divide. Filter the hunt further"
            ) from cause
        self.observer(SliceCut(self.hunt.name, self.partition.key, window, reason))

    @property
    def _tell_wait(self) -> Callable[[Wait], None]:
        return lambda wait: self.observer(
            Waiting(self.hunt.name, self.partition.key, wait.reason, wait.until_ns)
        )

    @property
    def _smaller_partitions(self) -> str:
        daily = self.partition.partitioning == "daily"
        return ", or make its partitions hourly (`export: partitions:`)" if daily else ""

    def _where(self, window: Window) -> str:
        return f"{self.hunt.name}, partition {self.partition.key}, slice {window}"

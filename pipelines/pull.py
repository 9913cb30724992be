"""One question to the service: call after call, until its answer is whole or too much for one.

What belongs here: acting on ``recovery``'s remedies for one query. What does not: which queries are
asked (``export``, ``counting``), and where answers are kept (``landing``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.admission import refuse_past_horizon
from pipelines.api import HuntingClient, RawAnswer, Surface, TokenSource
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock, now_ticks
from pipelines.errors import HuntlakeError, ResultTooLarge, SliceFailed, Throttled
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, Verdict
from pipelines.landing import Answer, decode
from pipelines.progress import Observer, Retrying, Waiting
from pipelines.quota import Gate, Limits, Turn, Urgency, Wait, urgency_of
from pipelines.recovery import Remedy, pause_seconds, remedy_for
from pipelines.slicing import Partition
from pipelines.spans import Span
from pipelines.windows import Window


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
class Reply:
    """A whole answer, and what is to be remembered of its call."""

    answer: Answer
    running_seconds: float
    request_id: str | None
    body_sha256: str
    body_bytes: int


@dataclass(frozen=True, slots=True)
class TooMuch:
    """One call can't answer this. ``too_large``: by its bytes; else by what it took."""

    reason: str
    too_large: bool
    cause: HuntlakeError


@dataclass(slots=True)
class Spent:
    """What calls have cost; ``seconds`` are of running time."""

    calls: int = 0
    counting_calls: int = 0
    wasted_calls: int = 0
    wasted_rows: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """The running time that a call should take, and the calls and seconds to come, it included.

    ``call_seconds`` is ``None`` where no answer has told yet; ``least_seconds`` what a smaller call
    would take that is still worth making (``None``: it can't be smaller).
    """

    call_seconds: float | None = None
    least_seconds: float | None = None
    calls: int = 1
    seconds: float = 0.0


@dataclass(slots=True)
class Caller:
    """Asks the service about one partition after another of a hunt.

    ``partition`` is the one that comes next, which messages name; ``spent`` adds up until somebody
    takes it away. ``interactive``: a person waits for the answers.
    """

    hunt: Hunt
    analysis: Analysis
    tenant: Tenant
    partition: Partition
    clock: Clock
    observer: Observer
    interactive: bool = False
    spent: Spent = field(default_factory=Spent)

    def ask(
        self,
        query: str | Callable[[float], str],
        span: Span,
        outlook: Outlook | None = None,
    ) -> Reply | TooMuch:
        """The whole answer to a query about a span, or why one call can't give it.

        ``outlook`` is what the call should take, and what is to come after it. Where the quota has
        less left, ``query`` is asked for one of so many seconds (infinite: no less). Raises
        ``SliceFailed`` where the service refused for good, ``PartitionRefused`` where the span fell
        off the horizon meanwhile.
        """
        attempt = 0
        while True:
            attempt += 1
            self._refuse_past_horizon(span)
            try:
                return self._call(query, span, outlook or Outlook())
            except HuntlakeError as error:
                remedy = self._recover(error, attempt, span)
                self.spent.wasted_calls += 1
                if remedy is Remedy.CUT:
                    return TooMuch(str(error), isinstance(error, ResultTooLarge), error)

    def take_spent(self) -> Spent:
        """What was spent since this was asked last."""
        spent, self.spent = self.spent, Spent()
        return spent

    def where(self, span: Span) -> str:
        """Hunt, partition and slice, for messages."""
        return f"{self.hunt.name}, partition {self.partition.key}, slice {span}"

    def _refuse_past_horizon(self, span: Span) -> None:
        """Before each call: the window may fall off the horizon while others wait for quota."""
        refuse_past_horizon(
            self.hunt,
            self.analysis,
            self.partition,
            Window(span.start.instant, span.start.instant + 1),
            now=now_ticks(self.clock),
            data_age_days=self.tenant.limits.data_age_days,
        )

    def _turn(self, span: Span, outlook: Outlook) -> Turn:
        start = span.start.instant
        urgency, due_ns = urgency_of(
            Window(start, max(self.partition.window.end, start + 1)),
            now_ns=self.clock.now_ns(),
            data_age_days=self.tenant.limits.data_age_days,
        )
        if self.analysis.verdict is Verdict.SNAPSHOT:
            urgency = Urgency.NIGHTLY
        return Turn(
            hunt=self.hunt.name,
            partition=self.partition.key,
            urgency=Urgency.INTERACTIVE if self.interactive else urgency,
            due_ns=due_ns,
            expected_seconds=outlook.call_seconds,
            least_seconds=outlook.least_seconds,
            calls_left=outlook.calls,
            seconds_left=outlook.seconds,
        )

    def _call(self, query: str | Callable[[float], str], span: Span, outlook: Outlook) -> Reply:
        self.spent.calls += 1
        with self.tenant.gate.call(self._turn(span, outlook), self._tell_wait) as call:
            room = math.inf if call.room_seconds is None else call.room_seconds
            text = query if isinstance(query, str) else query(room)
            started_ns = self.clock.now_ns()
            try:
                raw = self.tenant.client.run(text)
            except Throttled:
                raise
            except HuntlakeError:
                self.spent.seconds += (self.clock.now_ns() - started_ns) / NANOSECONDS_PER_SECOND
                raise
        answer = decode(raw.body, self.tenant.surface.dialect)
        reported = answer.execution_seconds
        if reported is not None:
            self.tenant.gate.correct(call, reported)
        reply = _reply(raw, answer)
        self.spent.seconds += reply.running_seconds
        return reply

    def _recover(self, error: HuntlakeError, attempt: int, span: Span) -> Remedy:
        """Do what the error's policy says, and return it; raises where nothing helps."""
        remedy = remedy_for(error, attempt)
        if remedy is Remedy.FAIL:
            raise SliceFailed(f"{self.where(span)}: {error}") from error
        if remedy is Remedy.RETRY:
            wait = pause_seconds(attempt)
            self.observer(
                Retrying(self.hunt.name, self.partition.key, span, attempt, wait, str(error))
            )
            self.clock.sleep(wait)
        return remedy

    @property
    def _tell_wait(self) -> Callable[[Wait], None]:
        return lambda wait: self.observer(
            Waiting(self.hunt.name, self.partition.key, wait.reason, wait.until_ns)
        )


def _reply(raw: RawAnswer, answer: Answer) -> Reply:
    reported = answer.execution_seconds
    return Reply(
        answer=answer,
        running_seconds=raw.wire_seconds if reported is None else reported,
        request_id=raw.request_id,
        body_sha256=raw.sha256,
        body_bytes=len(raw.body),
    )

"""One question to the service: call after call, until its answer is whole or too much for one.

What belongs here: acting on ``recovery``'s remedies for one query. What does not: which queries are
asked (``export``, ``counting``), and where answers are kept (``landing``).
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pipelines.admission import refuse_past_horizon
from pipelines.api import HuntingClient, Received, Surface, TokenSource
from pipelines.clock import NANOSECONDS_PER_SECOND, Clock, now_ticks
from pipelines.errors import (
    ApiError,
    HuntlakeError,
    MalformedResponse,
    ResultTooLarge,
    SliceFailed,
    Throttled,
    TooMuchForOneCall,
)
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, Verdict
from pipelines.landing import Answer, Decoder, Room
from pipelines.progress import CallFailed, Observer, Waiting, WaitOver
from pipelines.quota import Gate, Limits, Turn, Urgency, Wait, urgency_of
from pipelines.recovery import Failures, Remedy, Step
from pipelines.slicing import Partition
from pipelines.spans import Span
from pipelines.windows import Window

Asked = Literal["rows", "count"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant through one surface: the parts that every call to it needs.

    The service, the ledger and the gate know it by its ``id``; the lake, and whoever reads of it,
    by its ``name``, which is the id where it was given no other.
    """

    id: str
    surface: Surface
    tokens: TokenSource
    client: HuntingClient
    gate: Gate
    limits: Limits
    called: str | None = None

    @property
    def name(self) -> str:
        """See the class."""
        return self.called or self.id


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


class HasToWait(Exception):
    """The next call can't start now, and who asked would do something else first."""


@dataclass(slots=True)
class Caller:
    """Asks the service about one partition after another of a hunt.

    ``partition`` is the one that comes next, which messages name; ``spent`` adds up until somebody
    takes it away; ``room`` is what the answers need on disk, without which none is asked for.
    ``interactive``: a person waits for the answers. ``may_wait``: whether to wait where the next
    call can't start at once, or to raise ``HasToWait``.
    """

    hunt: Hunt
    analysis: Analysis
    tenant: Tenant
    partition: Partition
    clock: Clock
    observer: Observer
    room: Room | None = None
    interactive: bool = False
    may_wait: bool = True
    spent: Spent = field(default_factory=Spent)
    _cuts: Counter[type[HuntlakeError]] = field(default_factory=Counter)
    """Cuts since the last answer, by what they were for."""
    _waits: bool = False

    def ask(
        self,
        query: str | Callable[[float], str],
        span: Span,
        outlook: Outlook | None = None,
        *,
        asked: Asked = "rows",
        can_be_cut: bool = True,
    ) -> Reply | TooMuch:
        """The whole answer to a query about a span, or why one call can't give it.

        ``outlook`` is what the call should take, and what is to come after it. Where the quota has
        less left, ``query`` is asked for one of so many seconds (infinite: no less). Raises
        ``SliceFailed`` where the service refused for good, ``PartitionRefused`` where the span fell
        off the horizon meanwhile, ``LakeUnwritable`` where there is no room for it, and
        ``HasToWait`` where it may not wait.
        """
        # Nothing is cut for a count, so that its troubles say nothing of slices.
        failures = Failures(self._cuts if asked == "rows" else Counter(), can_be_cut=can_be_cut)
        while True:
            self._refuse_past_horizon(span)
            self._refuse_without_room()
            try:
                reply = self._call(query, span, outlook or Outlook())
            except (ApiError, MalformedResponse) as error:
                self.spent.wasted_calls += 1
                step = failures.next_step(error)
                self._tell_failed(span, step, asked, error)
                if step.remedy is Remedy.FAIL and (
                    can_be_cut or not isinstance(error, TooMuchForOneCall)
                ):
                    raise self._slice_failed(span, error) from error
                if step.remedy is Remedy.FRESH_TOKEN:
                    self.tenant.tokens.discard()
                self.clock.sleep(step.pause_seconds)
                if step.remedy in (Remedy.CUT, Remedy.FAIL):
                    return TooMuch(str(error), isinstance(error, ResultTooLarge), error)
            else:
                failures.cuts.clear()
                return reply

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

    def _refuse_without_room(self) -> None:
        if self.room is not None:
            self.room.refuse_if_lacking(self.hunt.name, self.partition.key)

    def _call(self, query: str | Callable[[float], str], span: Span, outlook: Outlook) -> Reply:
        with Decoder(self.tenant.surface.dialect) as decoder:
            with self.tenant.gate.call(self._turn(span, outlook), self._tell_wait) as call:
                self._tell_wait_over()
                self.spent.calls += 1
                # Others may have filled the disk while this call waited for its quota.
                self._refuse_without_room()
                room = math.inf if call.room_seconds is None else call.room_seconds
                received = self._received(query if isinstance(query, str) else query(room), decoder)
            try:
                answer = self._whole(decoder.finish())
            except MalformedResponse as error:
                error.request_id = received.request_id
                self.spent.seconds += received.wire_seconds
                raise
        reported = answer.execution_seconds
        if reported is not None:
            self.tenant.gate.correct(call, reported)
        reply = _reply(received, answer)
        self.spent.seconds += reply.running_seconds
        return reply

    def _received(self, query: str, decoder: Decoder) -> Received:
        """Have the answer decoded while it comes in."""
        started_ns = self.clock.now_ns()
        try:
            return self.tenant.client.stream(query, decoder.feed)
        except Throttled:
            raise
        except HuntlakeError:
            self.spent.seconds += (self.clock.now_ns() - started_ns) / NANOSECONDS_PER_SECOND
            raise

    def _whole(self, answer: Answer) -> Answer:
        """The answer, if it has as many rows as it says that it has, or as one may have."""
        if answer.rows < min(answer.stated_rows or 0, self.tenant.limits.rows):
            raise MalformedResponse(
                f"the answer says that it has {answer.stated_rows:,} rows, and has {answer.rows:,}"
            )
        return answer

    def slice_failed(self, span: Span, error: MalformedResponse) -> SliceFailed:
        """What to raise of a whole answer that is not what was asked for; tells of it."""
        self._tell_failed(span, Step(Remedy.FAIL, 0.0, 1), "rows", error)
        return self._slice_failed(span, error)

    def _slice_failed(self, span: Span, error: ApiError | MalformedResponse) -> SliceFailed:
        request = f" (request id {error.request_id})" if error.request_id else ""
        return SliceFailed(f"{self.where(span)}: {error}{request}")

    def _tell_failed(
        self, span: Span, step: Step, asked: Asked, error: ApiError | MalformedResponse
    ) -> None:
        self.observer(
            CallFailed(
                hunt=self.hunt.name,
                partition=self.partition.key,
                span=span,
                attempt=step.attempt,
                remedy=step.remedy,
                follows=_follows(step, asked),
                error=str(error),
                request_id=error.request_id,
                kind=type(error).__name__,
            )
        )

    def _tell_wait(self, wait: Wait) -> None:
        if not self.may_wait:
            raise HasToWait
        self._waits = True
        self.observer(Waiting(self.hunt.name, self.partition.key, wait.reason, wait.until_ns))

    def _tell_wait_over(self) -> None:
        if self._waits:
            self._waits = False
            self.observer(WaitOver(self.hunt.name, self.partition.key))


def _follows(step: Step, asked: Asked) -> str:
    """What follows a failure, in words."""
    pause = f" in {step.pause_seconds:.0f} s" if step.pause_seconds else ""
    match step.remedy:
        case Remedy.WAIT:
            return "the same is asked again when the quota allows"
        case Remedy.RETRY:
            return f"the same is asked again{pause}"
        case Remedy.FRESH_TOKEN:
            return "the same is asked again with a fresh token"
        case Remedy.CUT if asked == "count":
            return "the count is given up"
        case Remedy.CUT:
            return f"less is asked for{pause or ' at once'}"
        case Remedy.FAIL:
            return "it is not asked again"


def _reply(received: Received, answer: Answer) -> Reply:
    reported = answer.execution_seconds
    return Reply(
        answer=answer,
        running_seconds=received.wire_seconds if reported is None else reported,
        request_id=received.request_id,
        body_sha256=received.sha256,
        body_bytes=received.body_bytes,
    )

"""One hunting call: from a request's parts to a reply.

What belongs here: the order in which the service looks at a call, and what it says. What does not:
sockets (``server``), words (``replies``), counting (``limits``).
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pipelines.clock import Clock, now_ticks
from pipelines.hunts import SurfaceName
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.faults import REFUSALS, Fault, Faults
from pipelines.standin.limits import QuotaBook, RunningTimeModel, StandinLimits
from pipelines.standin.refusals import refuse
from pipelines.standin.replies import (
    TOO_HEAVY,
    TOO_LARGE,
    Reply,
    error_reply,
    forbidden,
    quota_reply,
    unauthorized,
)
from pipelines.standin.signin import SignIn
from pipelines.standin.timespan import visible_window
from pipelines.standin.translate import QueryFault
from pipelines.windows import TICKS_PER_SECOND, Window

PATHS: Final[Mapping[str, SurfaceName]] = {
    "/api/advancedhunting/run": "xdr",
    "/v1.0/security/runHuntingQuery": "graph",
    "/api/advancedqueries/run": "mde",
}
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the stand-in saw it; ``in_flight`` counts it too.

    ``status`` is that of the reply that was made; ``fault`` says what became of it on its way.
    """

    when_ns: int
    surface: SurfaceName
    query: str
    status: int
    rows: int
    bytes: int
    modelled_seconds: float
    in_flight: int
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A reply, how many rows are in it, and how long the query is said to have run."""

    reply: Reply
    rows: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Service:
    """The tenant's hunting service, on all surfaces. Threads may share it."""

    tenant: SyntheticTenant
    sign_in: SignIn
    limits: StandinLimits
    running_time: RunningTimeModel
    clock: Clock
    call_log: Path | None = None
    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)
    permitted: bool = True
    # Sees each query before it is answered: tests let events arrive between two calls of an export.
    before_call: Callable[[str], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _in_flight: int = 0
    _quota: QuotaBook = field(init=False)

    def __post_init__(self) -> None:
        self._quota = QuotaBook(self.limits)

    def answer(
        self, surface: SurfaceName, authorization: str, content: bytes
    ) -> tuple[Reply, Fault | None]:
        """The reply to one call, and the fault that is to spoil it on the way, if any."""
        arrived_ns = self.clock.now_ns()
        query, timespan = _request(content)
        if self.before_call is not None:
            self.before_call(query)
        fault = self.faults.take(query)
        with self._lock:
            self._in_flight += 1
            in_flight = self._in_flight
        try:
            outcome = self._outcome(surface, authorization, query, timespan, fault)
        finally:
            with self._lock:
                self._in_flight -= 1
        reply = outcome.reply
        self._record(
            Call(
                when_ns=arrived_ns,
                surface=surface,
                query=query,
                status=reply.status,
                rows=outcome.rows,
                bytes=len(reply.body),
                modelled_seconds=outcome.seconds,
                in_flight=in_flight,
                fault=fault,
            )
        )
        return reply, fault

    def _outcome(
        self,
        surface: SurfaceName,
        authorization: str,
        query: str,
        timespan: str | None,
        fault: Fault | None,
    ) -> _Outcome:
        if fault is Fault.EXPIRED_TOKEN:
            self.sign_in.expire_all()
        if refusal := self._refused(surface, authorization):
            return _Outcome(refusal)
        if fault in REFUSALS:
            return _Outcome(refuse(fault, surface, self.clock))
        if not query:
            return _bad_request(surface, "The request has no Query.")
        try:
            # Only Graph knows a Timespan; the other surfaces pass over what they don't know.
            visible = visible_window(timespan if surface == "graph" else None, held=self._held())
        except ValueError as error:
            return _bad_request(surface, str(error))
        return self._evaluated(surface, query, visible)

    def _evaluated(self, surface: SurfaceName, query: str, visible: Window) -> _Outcome:
        try:
            evaluation = self.tenant.evaluate(query, visible=visible, row_cap=self.limits.rows)
        except QueryFault as error:
            return _bad_request(surface, str(error))
        with evaluation:
            seconds = self.running_time.seconds(
                evaluation.rows, evaluation.hours_scanned, evaluation.rows_sorted
            )
            overlong = seconds > self.limits.request_seconds
            seconds = min(seconds, self.limits.request_seconds)
            self._spend(seconds)
            if overlong:
                return self._overlong(surface, seconds)
            body = evaluation.body("odata" if surface == "graph" else "plain", seconds)
        if self.limits.response_bytes is not None and len(body) > self.limits.response_bytes:
            return _bad_request(surface, TOO_LARGE, seconds)
        return _Outcome(Reply(HTTPStatus.OK, body), evaluation.rows, seconds)

    def _overlong(self, surface: SurfaceName, seconds: float) -> _Outcome:
        if self.limits.overlong == "preempted":
            return _bad_request(surface, TOO_HEAVY, seconds)
        reply = error_reply(surface, HTTPStatus.GATEWAY_TIMEOUT, "UnknownError", "")
        return _Outcome(reply, seconds=seconds)

    def _refused(self, surface: SurfaceName, authorization: str) -> Reply | None:
        """What is looked at before the query: token, permission, quota."""
        scheme, _, word = authorization.partition(" ")
        token = self.sign_in.find(word) if scheme.lower() == "bearer" else None
        if token is None:
            return unauthorized(surface, "The token is missing, unknown or has expired")
        if not self.sign_in.opens(token, surface):
            return unauthorized(surface, f"The token's audience is {token.resource}")
        if not self.permitted:
            return forbidden(surface)
        with self._lock:
            now_ns = self.clock.now_ns()
            refusal = self._quota.refusal(now_ns)
            if refusal is None:
                self._quota.take(now_ns)
        return quota_reply(surface, refusal) if refusal else None

    def _held(self) -> Window:
        """The events that the service still has."""
        now = now_ticks(self.clock)
        return Window(now - self.limits.data_age_days * _DAY_TICKS, now)

    def _spend(self, seconds: float) -> None:
        if self.running_time.passes:
            self.clock.sleep(seconds)
        with self._lock:
            self._quota.spend(self.clock.now_ns(), seconds)

    def _record(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            if self.call_log is not None:
                with self.call_log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(call)) + "\n")


def _request(content: bytes) -> tuple[str, str | None]:
    """The query and the time span of a body; an empty query for a body that has none."""
    try:
        value = json.loads(content)
    except ValueError:
        return "", None
    query = value.get("Query") if isinstance(value, dict) else None
    if not isinstance(query, str) or not query.strip():
        return "", None
    timespan = value.get("Timespan")
    return query, None if timespan is None else str(timespan)


def _bad_request(surface: SurfaceName, message: str, seconds: float = 0.0) -> _Outcome:
    reply = error_reply(surface, HTTPStatus.BAD_REQUEST, "BadRequest", message)
    return _Outcome(reply, seconds=seconds)

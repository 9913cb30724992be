"""What a whole export does about calls that fail: each told once, and what was staged stays."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine import Engine
from pipelines.errors import Forbidden, SliceFailed, Unauthorized
from pipelines.hunts import Hunt, SurfaceName
from pipelines.kql.rewrite import ROWS
from pipelines.progress import CallFailed, Event, SliceStaged
from pipelines.recovery import Remedy
from pipelines.slicing import partition
from pipelines.standin import Fault, Standin, StandinLimits, inprocess
from pipelines.windows import TICKS_PER_SECOND, parse_instant
from tests.conftest import NETWORK
from tests.days import BUSIEST, QUIET, landed, truth
from tests.slicing.simulation import Simulation

Serve = Callable[..., Standin]
EngineFor = Callable[..., Engine]

HUNT = Hunt("alerts", "AlertInfo | project Timestamp, AlertId, Severity")
DAY = partition("daily", "2026-11-19")
START = parse_instant("2026-11-19")
OPEN = {"calls": (), "running": ()}


def alerts(count: int) -> dict[str, dict[str, list[Any]]]:
    times = [START + number * 60 * TICKS_PER_SECOND for number in range(count)]
    secrets = [f"secret {number}" for number in range(count)]
    return {"AlertInfo": {"Timestamp": times, "AlertId": secrets, "Severity": ["Low"] * count}}


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Callable[..., Simulation]]:
    opened: list[Simulation] = []

    def simulate(count: int = 50, cap: int = 20, surface: SurfaceName = "graph") -> Simulation:
        limits = StandinLimits(rows=cap, **OPEN)
        opened.append(Simulation(tmp_path, alerts(count), limits=limits, surface=surface))
        return opened[-1]

    yield simulate
    for each in opened:
        each.__exit__(None, None, None)


def failures_of(simulation: Simulation, hunt: Hunt = HUNT) -> list[CallFailed]:
    told: list[Event] = []
    list(simulation.exporter(hunt, told.append).export([DAY]))
    return [each for each in told if isinstance(each, CallFailed)]


@pytest.mark.parametrize(
    ("fault", "remedy", "follows"),
    [
        (Fault.RETRY_AFTER, Remedy.WAIT, "the same is asked again when the quota allows"),
        (Fault.UNAVAILABLE, Remedy.RETRY, "the same is asked again in "),
        (Fault.RESET_MID_BODY, Remedy.RETRY, "the same is asked again in "),
        (Fault.INVALID_JSON, Remedy.RETRY, "the same is asked again in "),
        (Fault.NO_SCHEMA, Remedy.RETRY, "the same is asked again in "),
        (Fault.EXPIRED_TOKEN, Remedy.FRESH_TOKEN, "asked again with a fresh token"),
        (Fault.TOO_HEAVY, Remedy.CUT, "less is asked for at once"),
    ],
)
def test_each_failure_is_told_once(
    fault: Fault, remedy: Remedy, follows: str, simulated: Callable[..., Simulation]
) -> None:
    """With hunt, partition, slice, attempt, what follows, and the request's id; without a row."""
    simulation = simulated()
    simulation.faults.next(None, None, fault)
    [told] = failures_of(simulation)
    assert (told.hunt, told.partition, told.attempt) == ("alerts", DAY.key, 1)
    assert told.span.start.instant in DAY.window
    assert told.remedy is remedy
    assert told.request_id
    line = str(told)
    assert follows in line
    assert told.request_id in line
    assert str(told.span) in line
    assert "secret" not in line
    assert "Bearer" not in line


def test_a_failure_for_good_is_told_and_named(simulated: Callable[..., Simulation]) -> None:
    """The error too has the id by which Microsoft's support finds the request."""
    simulation = simulated()
    simulation.faults.next(None, Fault.FORBIDDEN_HTML)
    told: list[Event] = []
    with pytest.raises(SliceFailed) as caught:
        list(simulation.exporter(HUNT, told.append).export([DAY]))
    [failed] = [each for each in told if isinstance(each, CallFailed)]
    assert failed.remedy is Remedy.FAIL
    assert "it is not asked again" in str(failed)
    assert f"(request id {failed.request_id})" in str(caught.value)


def test_a_count_that_is_too_heavy_is_given_up(simulated: Callable[..., Simulation]) -> None:
    """It was to save calls; the export goes on without it."""
    simulation = simulated(200)
    simulation.faults.when(ROWS, Fault.TOO_HEAVY)
    [told] = failures_of(simulation, Hunt("alerts", "AlertInfo"))
    assert told.remedy is Remedy.CUT
    assert "the count is given up" in str(told)


def test_an_answer_with_fewer_rows_than_it_says_is_asked_for_again(
    simulated: Callable[..., Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was lost on the way is a well-formed answer all the same."""
    simulation = simulated(surface="xdr")
    packed, times = inprocess.packed, iter(range(100))

    def losing(body: bytes, fault: Fault | None, accepted: str) -> tuple[bytes, str | None]:
        answer = json.loads(body)
        if next(times) == 2:
            answer["Results"].pop()
        return packed(json.dumps(answer).encode(), fault, accepted)

    monkeypatch.setattr(inprocess, "packed", losing)
    [told] = failures_of(simulation)
    assert told.remedy is Remedy.RETRY
    assert "says that it has 20 rows, and has 19" in str(told)


def test_an_answer_that_was_cut_may_say_how_many_rows_there_are(
    simulated: Callable[..., Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the cap that is no loss, but the reason to ask for less."""
    simulation = simulated(surface="xdr")
    packed = inprocess.packed

    def stating(body: bytes, fault: Fault | None, accepted: str) -> tuple[bytes, str | None]:
        answer = json.loads(body)
        if len(answer["Results"]) == 20:
            answer["Stats"]["dataset_statistics"][0]["table_row_count"] = 50
        return packed(json.dumps(answer).encode(), fault, accepted)

    monkeypatch.setattr(inprocess, "packed", stating)
    assert failures_of(simulation) == []


def test_a_service_that_is_down_ends_an_export(simulated: Callable[..., Simulation]) -> None:
    """In some minutes and a few calls, however far the day could be cut."""
    simulation = simulated()
    simulation.faults.sometimes(Fault.UNAVAILABLE, 1.0, seed=0)
    began = simulation.clock.now_ns()
    with pytest.raises(SliceFailed, match="the service failed with 503"):
        failures_of(simulation)
    assert len(simulation.calls) == 4 + 12 + 1
    assert 300 < (simulation.clock.now_ns() - began) / 1e9 < 1_000


# Tokens and permissions, over HTTPS and with msal


def check_goes_on(
    standin: Standin, engine: Engine, staged: list[SliceStaged], calls_before: int
) -> None:
    """The next run completes the day with what was staged, and asks for nothing of it again."""
    assert staged
    assert not engine.layout.lake.exists()
    again: list[Event] = []
    [exported] = engine.export(NETWORK, [BUSIEST], observer=again.append)
    assert landed(exported.path) == truth(standin, BUSIEST)
    spans = {each.span for each in again if isinstance(each, SliceStaged)}
    records = {record.span for record in exported.receipt.slices}
    assert records == spans | {each.span for each in staged}
    assert spans.isdisjoint(each.span for each in staged)
    assert len(standin.calls) > calls_before


def test_a_token_that_expires_midway_costs_one_call(serve: Serve, engine_for: EngineFor) -> None:
    """The refused call is in the receipt and the ledger as any other; no token is shown."""
    standin = serve(rows=2_500, **OPEN)
    engine = engine_for(standin, limits="seed,rows=2500")
    told: list[Event] = []

    def expire_once(event: Event) -> None:
        told.append(event)
        if isinstance(event, SliceStaged) and len(told) < 4:
            standin.expire_tokens()

    [exported] = engine.export(NETWORK, [BUSIEST], observer=expire_once)
    assert landed(exported.path) == truth(standin, BUSIEST)
    assert [call.status for call in standin.calls].count(401) == 1
    assert exported.receipt.calls == len(standin.calls)
    [failed] = [each for each in told if isinstance(each, CallFailed)]
    assert (failed.remedy, failed.attempt) == (Remedy.FRESH_TOKEN, 1)


def test_a_tenant_that_refuses_fresh_tokens_refuses_all(
    serve: Serve, engine_for: EngineFor
) -> None:
    """One fresh token, then permanent; what is staged stays, and the next run goes on."""
    standin = serve(rows=2_500, **OPEN)
    engine = engine_for(standin, limits="seed,rows=2500")
    staged: list[SliceStaged] = []

    def refuse_all(event: Event) -> None:
        if isinstance(event, SliceStaged):
            staged.append(event)
            standin.faults.sometimes(Fault.EXPIRED_TOKEN, 1.0, seed=0)

    with pytest.raises(SliceFailed, match="the token was refused") as caught:
        list(engine.export(NETWORK, [BUSIEST], observer=refuse_all))
    assert isinstance(caught.value.__cause__, Unauthorized)
    assert [call.status for call in standin.calls[-2:]] == [401, 401]
    assert [call.status for call in standin.calls].count(401) == 2
    standin.faults.clear()
    check_goes_on(standin, engine, staged, len(standin.calls))


def test_a_permission_that_is_taken_away_midway_is_named(
    serve: Serve, engine_for: EngineFor
) -> None:
    """It is not asked twice; once it is granted again, the next run goes on."""
    standin = serve(rows=2_500, **OPEN)
    engine = engine_for(standin, surface="xdr", limits="seed,rows=2500")
    staged: list[SliceStaged] = []

    def revoke(event: Event) -> None:
        if isinstance(event, SliceStaged):
            staged.append(event)
            standin.revoke_permission()

    grant = r"Grant the application permission AdvancedHunting\.Read\.All"
    with pytest.raises(SliceFailed, match=grant) as caught:
        list(engine.export(NETWORK, [BUSIEST], observer=revoke))
    assert isinstance(caught.value.__cause__, Forbidden)
    assert [call.status for call in standin.calls].count(403) == 1
    standin._service.permitted = True
    check_goes_on(standin, engine, staged, len(standin.calls))


def test_a_partition_before_a_403_stays_committed(serve: Serve, engine_for: EngineFor) -> None:
    """Byte for byte, also where it was to be refreshed."""
    standin = serve()
    engine = engine_for(standin)
    [before] = engine.export(NETWORK, [QUIET])
    content = before.path.read_bytes()
    standin.revoke_permission()
    with pytest.raises(SliceFailed):
        list(engine.export(NETWORK, [QUIET], refresh=True))
    assert before.path.read_bytes() == content

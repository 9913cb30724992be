"""The stand-in without a socket: the engine's real client can't tell the difference."""

import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from pipelines.api import SURFACES, HuntingClient
from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock
from pipelines.errors import (
    CallTimedOut,
    ConnectionFailed,
    ServiceUnavailable,
    Throttled,
    Unauthorized,
)
from pipelines.hunts import SurfaceName
from pipelines.landing import decode
from pipelines.standin import (
    Fault,
    InProcessTokens,
    InProcessTransport,
    RunningTimeModel,
    StandinLimits,
)
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.standin.service import Service
from pipelines.standin.signin import SignIn
from pipelines.windows import parse_instant

NOON = parse_instant("2026-11-19T12:00:00")
QUERY = "DeviceEvents | project Timestamp, ReportId"


@dataclass(frozen=True, slots=True)
class Local:
    service: Service
    client: HuntingClient
    tokens: InProcessTokens
    clock: SimulatedClock


@pytest.fixture(scope="module")
def events() -> Iterator[SyntheticTenant]:
    with closing(SyntheticTenant()) as events:
        events.insert("DeviceEvents", {"Timestamp": [NOON, NOON + 1], "ReportId": [1, 2**60]})
        yield events


@pytest.fixture
def local(events: SyntheticTenant, clock: SimulatedClock) -> Local:
    return make(events, clock, "graph")


def make(events: SyntheticTenant, clock: SimulatedClock, surface: SurfaceName) -> Local:
    sign_in = SignIn("demo", "app", 3_600.0, clock)
    service = Service(
        tenant=events,
        sign_in=sign_in,
        limits=StandinLimits(calls=((3, 60.0),)),
        running_time=RunningTimeModel(passes=True),
        clock=clock,
    )
    tokens = InProcessTokens(sign_in, surface)
    client = HuntingClient(
        SURFACES[surface],
        api_url="https://localhost",
        tokens=tokens,
        tls=ssl.create_default_context(),
        clock=clock,
        request_seconds=600,
        transport=InProcessTransport(service),
    )
    return Local(service, client, tokens, clock)


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_the_real_client_gets_real_answers(
    surface: SurfaceName, events: SyntheticTenant, clock: SimulatedClock
) -> None:
    """On every surface, from its own sign-in, with the time that the call took on the clock."""
    local = make(events, clock, surface)
    raw = local.client.run(QUERY)
    assert decode(raw.body, SURFACES[surface].dialect).rows == 2
    assert raw.wire_seconds == pytest.approx(local.service.calls[0].modelled_seconds)
    assert raw.request_id


def test_answers_come_as_gzip_where_they_may(local: Local) -> None:
    """As the server sends them, so that the client's own inflating is what runs."""
    transport = InProcessTransport(local.service)
    url = "https://localhost/v1.0/security/runHuntingQuery"
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        headers = {
            "Authorization": f"Bearer {local.tokens.token()}",
            "Accept-Encoding": accepted,
            "client-request-id": "mine",
        }
        with httpx.Client(transport=transport) as http:
            response = http.post(url, json={"Query": QUERY}, headers=headers)
        assert response.headers.get("Content-Encoding") == encoding
        assert response.headers["client-request-id"] == "mine"
        # By the tenant's clock, from which a client may measure a wait.
        assert response.headers["Date"].startswith("Fri, 20 Nov 2026 06:00:0")
        assert len(response.json()["results"]) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET, ConnectionFailed),
        (Fault.RESET_MID_BODY, ConnectionFailed),
        (Fault.TRUNCATED_GZIP, ConnectionFailed),
        (Fault.SERVER_ERROR, ServiceUnavailable),
        (Fault.GATEWAY_TIMEOUT, CallTimedOut),
        (Fault.TIMED_OUT, CallTimedOut),
        (Fault.RETRY_AFTER_DATE, Throttled),
        (Fault.CPU, Throttled),
    ],
)
def test_faults_reach_the_client(local: Local, fault: Fault, error: type[Exception]) -> None:
    """Refusals and what breaks on the way alike; the call after it is answered."""
    local.service.faults.next(fault)
    with pytest.raises(error):
        local.client.run(QUERY)
    assert local.client.run(QUERY).body


def test_a_body_can_be_spoiled(local: Local) -> None:
    """Whole on the wire, and no answer."""
    local.service.faults.next(Fault.TRUNCATED_JSON)
    with pytest.raises(ValueError, match=r"."):
        json.loads(local.client.run(QUERY).body)


def test_a_slow_body_takes_its_time_on_the_clock(local: Local) -> None:
    """And comes whole."""
    local.service.faults.next(Fault.SLOW_BODY)
    before = local.clock.now_ns()
    assert len(json.loads(local.client.run(QUERY).body)["results"]) == 2
    assert local.clock.now_ns() - before >= 60 * NANOSECONDS_PER_SECOND


def test_a_token_that_expires_is_renewed(local: Local) -> None:
    """Before a call where the clock says so; after a 401 where the service does."""
    local.client.run(QUERY)
    local.clock.sleep(3_600)
    local.client.run(QUERY)
    assert [call.status for call in local.service.calls] == [200, 200]
    local.service.faults.next(Fault.EXPIRED_TOKEN)
    with pytest.raises(Unauthorized):
        local.client.run(QUERY)
    local.tokens.discard()
    local.client.run(QUERY)
    assert [call.status for call in local.service.calls[2:]] == [401, 200]


def test_a_wrong_token_is_refused(local: Local) -> None:
    """In process, too, the service asks who calls."""
    local.service.faults.next(Fault.EXPIRED_TOKEN, Fault.EXPIRED_TOKEN)
    with pytest.raises(Unauthorized):
        local.client.run(QUERY)


def test_quotas_are_enforced(local: Local) -> None:
    """The fourth call in a minute is one too many."""
    for _ in range(3):
        local.client.run(QUERY)
    with pytest.raises(Throttled):
        local.client.run(QUERY)


def test_other_paths_are_not_there(local: Local) -> None:
    """A client that asks for something else is wrong about the service."""
    with httpx.Client(transport=InProcessTransport(local.service)) as http:
        assert http.post("https://localhost/v1.0/other").status_code == 404
        assert http.get("https://localhost/v1.0/security/runHuntingQuery").status_code == 404


def test_events_may_arrive_between_two_calls(local: Local) -> None:
    """A test hears of each query before it is answered, and may add to what it will find."""
    seen: list[str] = []
    local.service.before_call = seen.append
    local.client.run(QUERY)
    assert seen == [QUERY]

"""Faults on demand, beyond those that ``test_server`` orders over HTTPS one by one."""

import email.utils
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock
from pipelines.hunts import SurfaceName
from pipelines.standin import Fault, Faults, Standin
from pipelines.standin.faults import REFUSALS
from pipelines.standin.refusals import refuse
from pipelines.standin.replies import TOO_HEAVY, TOO_LARGE, Reply, error_reply, forbidden
from pipelines.standin.spoiling import spoiled
from tests.standin.test_server import ask

Serve = Callable[..., Standin]

RECORDED = Path(__file__).parents[3] / "shared" / "responses" / "errors"
ANSWER = (
    b'{"Schema":[{"Name":"N","Type":"Int64"},{"Name":"A","Type":"String"}],"Results":[{"N":1}]}'
)


def error(reply: Reply) -> Mapping[str, Any]:
    said: Mapping[str, Any] = json.loads(reply.body)["error"]
    return said


def test_faults_meet_the_calls_in_their_order() -> None:
    """``None`` lets one pass; afterwards all is well."""
    faults = Faults()
    faults.next(Fault.RESET, None)
    faults.next(Fault.CPU)
    assert [faults.take() for _ in range(4)] == [Fault.RESET, None, Fault.CPU, None]


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
@pytest.mark.parametrize("fault", sorted(REFUSALS - {Fault.FORBIDDEN_HTML}))
def test_each_refusal_is_in_the_envelope_of_its_surface(
    fault: Fault, surface: SurfaceName, clock: SimulatedClock
) -> None:
    """``target`` on the older surfaces, ``innerError`` with the request's id on Graph."""
    said = error(refuse(fault, surface, clock))
    own = {"innerError"} if surface == "graph" else {"target"}
    assert set(said) == {"code", "message"} | own
    assert said["code"]


def test_the_gateway_tells_its_wait_in_the_header(clock: SimulatedClock) -> None:
    """In seconds, or as a date by the stand-in's own clock."""
    in_seconds = refuse(Fault.RETRY_AFTER, "graph", clock).headers["Retry-After"]
    at = refuse(Fault.RETRY_AFTER_DATE, "graph", clock).headers["Retry-After"]
    now = clock.now_ns() // NANOSECONDS_PER_SECOND
    assert email.utils.parsedate_to_datetime(at).timestamp() == now + int(in_seconds)


@pytest.mark.parametrize(
    ("file", "surface", "said"),
    [
        ("legacy_429_calls_45_per_minute.json", "xdr", Fault.CALLS_A_MINUTE),
        ("legacy_429_calls_1500_per_hour.json", "xdr", Fault.CALLS_AN_HOUR),
        ("mde_429_per_key_send_again_in_8_seconds.json", "mde", Fault.SEND_AGAIN),
        ("graph_429_cpu_quota.json", "graph", Fault.CPU),
        ("graph_429_generic_docs.json", "graph", Fault.RETRY_AFTER),
        ("graph_500_unknown.json", "graph", Fault.SERVER_ERROR),
        ("graph_504_unknown.json", "graph", Fault.GATEWAY_TIMEOUT),
        ("graph_400_limits_preempted.json", "graph", TOO_HEAVY),
        ("400_result_size.json", "xdr", TOO_LARGE),
        ("mde_403_missing_roles.json", "mde", forbidden("mde")),
    ],
)
def test_it_says_what_was_recorded_of_the_service(
    file: str, surface: SurfaceName, said: Fault | str | Reply, clock: SimulatedClock
) -> None:
    """Status, code and message to the letter: it is from the message that a client learns."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded responses are not beside the project")
    recorded = json.loads((RECORDED / file).read_text())
    if isinstance(said, Fault):
        reply = refuse(said, surface, clock)
    else:
        reply = said if isinstance(said, Reply) else error_reply(surface, 400, "BadRequest", said)
    assert reply.status == recorded["_status"]
    for key in ("code", "message"):
        assert error(reply)[key] == recorded["body"]["error"][key]


def test_a_changed_type_touches_the_schema_alone() -> None:
    """The first text column; an answer without one is left as it is."""
    changed = json.loads(spoiled(ANSWER, Fault.CHANGED_TYPE))
    assert [column["Type"] for column in changed["Schema"]] == ["Int64", "Int64"]
    assert changed["Results"] == [{"N": 1}]
    assert json.loads(spoiled(json.dumps(changed).encode(), Fault.CHANGED_TYPE)) == changed


@pytest.mark.parametrize("fault", [None, Fault.SLOW_BODY, Fault.RESET_MID_BODY])
def test_faults_of_the_connection_leave_the_body_alone(fault: Fault | None) -> None:
    """They are the server's to carry out."""
    assert spoiled(ANSWER, fault) == ANSWER


def test_a_slow_body_comes_whole(serve: Serve, clock: SimulatedClock) -> None:
    """A minute passes on the clock, and the answer is the same."""
    standin = serve(passes=False)
    before = clock.now_ns()
    usual = ask(standin)
    standin.faults.next(Fault.SLOW_BODY)
    slow = ask(standin)
    assert slow.json()["results"] == usual.json()["results"]
    assert clock.now_ns() - before == 60 * NANOSECONDS_PER_SECOND


def test_a_token_can_expire_on_the_way(serve: Serve) -> None:
    """The call that meets it is answered 401 although its token was new."""
    standin = serve()
    standin.faults.next(Fault.EXPIRED_TOKEN)
    refused = ask(standin)
    assert refused.status_code == 401
    assert "reason of failure" in refused.json()["error"]["message"]
    assert ask(standin).status_code == 200


def test_a_403_can_be_a_page(serve: Serve) -> None:
    """As some of the service's gateways answer."""
    standin = serve()
    standin.faults.next(Fault.FORBIDDEN_HTML)
    page = ask(standin)
    assert page.status_code == 403
    assert page.headers["Content-Type"] == "text/html"

"""The stand-in's protocol, over real HTTPS with real httpx."""

import json
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from pipelines.clock import SimulatedClock
from pipelines.standin import Fault, RunningTimeModel, Standin, StandinLimits, SyntheticSettings

Serve = Callable[..., Standin]

QUERY = "AlertInfo | project Timestamp, AlertId"
PATHS = {
    "graph": ("/v1.0/security/runHuntingQuery", "https://graph.microsoft.com"),
    "xdr": ("/api/advancedhunting/run", "https://api.security.microsoft.com"),
    "mde": ("/api/advancedqueries/run", "https://api.securitycenter.microsoft.com"),
}


def token(standin: Standin, resource: str, **form: str) -> httpx.Response:
    body = {
        "client_id": standin.sign_in.client_id,
        "client_secret": standin.sign_in.client_secret,
        "scope": f"{resource}/.default",
        "grant_type": "client_credentials",
        **form,
    }
    with client(standin) as http:
        return http.post("/demo/oauth2/v2.0/token", data=body)


def client(standin: Standin) -> httpx.Client:
    context = ssl.create_default_context(cafile=standin.ca_bundle)
    return httpx.Client(base_url=standin.url, verify=context, timeout=30)


def ask(
    standin: Standin, surface: str = "graph", query: str = QUERY, **body: str
) -> httpx.Response:
    path, resource = PATHS[surface]
    word = token(standin, resource).json()["access_token"]
    with client(standin) as http:
        return http.post(
            path, json={"Query": query, **body}, headers={"Authorization": f"Bearer {word}"}
        )


def message(response: httpx.Response) -> str:
    said: str = response.json()["error"]["message"]
    return said


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_each_surface_answers_in_its_own_dialect(surface: str, serve: Serve) -> None:
    """Keys, statistics and context as the service writes them."""
    answer = ask(serve(), surface).json()
    if surface == "graph":
        assert set(answer) == {"@odata.context", "schema", "results"}
        assert answer["schema"][0] == {"name": "Timestamp", "type": "DateTime"}
    else:
        assert set(answer) == {"Stats", "Schema", "Results"}
        assert answer["Schema"][0] == {"Name": "Timestamp", "Type": "DateTime"}
        assert answer["Stats"]["ExecutionTime"] > 0
    rows = answer.get("results") or answer.get("Results")
    assert rows
    assert set(rows[0]) == {"Timestamp", "AlertId"}


def test_answers_come_as_gzip_over_a_kept_connection(serve: Serve) -> None:
    """As the service does."""
    response = ask(serve())
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.http_version == "HTTP/1.1"


def test_a_token_of_another_audience_is_refused(serve: Serve) -> None:
    """A token for xdr does not open Graph."""
    standin = serve()
    word = token(standin, PATHS["xdr"][1]).json()["access_token"]
    with client(standin) as http:
        response = http.post(
            PATHS["graph"][0], json={"Query": QUERY}, headers={"Authorization": f"Bearer {word}"}
        )
    assert response.status_code == 401
    assert "Unauthorized request" in message(response)


def test_a_token_ends(serve: Serve, clock: SimulatedClock) -> None:
    """By the clock that the test moves."""
    standin = serve()
    word = token(standin, PATHS["graph"][1]).json()["access_token"]
    clock.sleep(3_601)
    with client(standin) as http:
        response = http.post(
            PATHS["graph"][0], json={"Query": QUERY}, headers={"Authorization": f"Bearer {word}"}
        )
    assert response.status_code == 401


def test_sign_in_is_refused_as_microsoft_does(serve: Serve) -> None:
    """With its codes, and a correlation id."""
    standin = serve()
    refused = token(standin, PATHS["graph"][1], client_secret="wrong")
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert "AADSTS7000215" in refused.json()["error_description"]
    assert refused.json()["correlation_id"]
    unknown = token(standin, PATHS["graph"][1], client_id="nobody")
    assert unknown.status_code == 400
    assert "AADSTS700016" in unknown.json()["error_description"]
    nowhere = token(standin, "https://nowhere.example")
    assert "AADSTS500011" in nowhere.json()["error_description"]
    assert token(standin, standin.url).status_code == 200


def test_calls_a_minute_are_enforced_to_the_second(serve: Serve, clock: SimulatedClock) -> None:
    """The sliding window says exactly when a call is taken again."""
    standin = serve(calls=((2, 60.0),), passes=False)
    ask(standin)
    clock.sleep(10)
    ask(standin)
    refused = ask(standin)
    assert refused.status_code == 429
    assert "Maximum allowed 2 per 00:01:00" in message(refused)
    assert "again in 50 seconds" in message(refused)
    clock.sleep(50)
    assert ask(standin).status_code == 200


@pytest.mark.parametrize("surface", ["xdr", "mde"])
def test_the_older_surfaces_tell_no_wait(surface: str, serve: Serve) -> None:
    """Only the window, in the older words."""
    standin = serve(calls=((1, 60.0),))
    ask(standin, surface)
    refused = ask(standin, surface)
    assert refused.status_code == 429
    assert message(refused) == "API calls quota exceeded! maximum allowed 1 per 00:01:00."


def test_running_time_is_enforced_and_a_refusal_spends_none(
    serve: Serve, clock: SimulatedClock
) -> None:
    """Modelled seconds use the hour up without anybody waiting for them."""
    standin = serve(calls=(), running=((0.5, 3_600.0),), passes=False)
    statuses = [ask(standin).status_code for _ in range(6)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert message(ask(standin)).endswith("again in 3600 seconds")
    assert sum(call.modelled_seconds for call in standin.calls if call.status == 429) == 0
    clock.sleep(3_600)
    assert ask(standin).status_code == 200


def test_caps_are_enforced(serve: Serve) -> None:
    """Rows in silence, bytes with an error."""
    assert len(ask(serve(rows=3)).json()["results"]) == 3
    refused = ask(serve(response_bytes=500))
    assert refused.status_code == 400
    assert "exceeded the allowed result size" in message(refused)


def test_a_query_too_long_is_preempted(serve: Serve) -> None:
    """What would run longer than a request may is stopped there."""
    refused = ask(serve(request_seconds=0.01))
    assert refused.status_code == 400
    assert "exceeded the allowed limits" in message(refused)


def test_a_query_too_long_can_time_out_instead(serve: Serve) -> None:
    """The gateway's 504; what it ran is spent all the same."""
    standin = serve(request_seconds=0.01, overlong="timed_out")
    assert ask(standin).status_code == 504
    assert standin.calls[-1].modelled_seconds == 0.01


@pytest.mark.parametrize(
    ("timespan", "rows"),
    [("P1D", 15), ("2026-11-19T00:00:00Z/2026-11-20T00:00:00Z", 15), ("PT1S", 0)],
)
def test_a_timespan_limits_what_is_seen(timespan: str, rows: int, serve: Serve) -> None:
    """The shorter of it and the query's own filter wins."""
    found = ask(serve(), "graph", Timespan=timespan).json()["results"]
    if timespan == "P1D":
        assert 0 < len(found) <= rows
    else:
        assert len(found) == rows


def test_a_request_without_a_query_is_a_bad_one(serve: Serve) -> None:
    """In the envelope of the surface."""
    response = ask(serve(), "xdr", query=" ")
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"code", "message", "target"}


def test_the_key_is_spelt_as_in_the_contract(serve: Serve) -> None:
    """A client that spells it otherwise is told here, not by the real service."""
    standin = serve()
    word = token(standin, PATHS["graph"][1]).json()["access_token"]
    with client(standin) as http:
        headers = {"Authorization": f"Bearer {word}"}
        response = http.post(PATHS["graph"][0], json={"query": QUERY}, headers=headers)
    assert response.status_code == 400


def test_a_bug_of_its_own_is_not_blamed_on_the_query(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A ``ValueError`` from within is no bad request: the connection breaks, and it is shown."""
    standin = serve()

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(standin.tenant.__class__, "evaluate", fail)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(standin)
    assert "ValueError: a bug" in capfd.readouterr().err


def test_an_error_s_id_is_the_header_s(serve: Serve) -> None:
    """Support is given one id, wherever the client reads it."""
    refused = ask(serve(), query="AlertInfo | nonsense")
    assert refused.json()["error"]["innerError"]["request-id"] == refused.headers["request-id"]


def test_dates_are_by_its_own_clock(serve: Serve) -> None:
    """A client may measure a date in Retry-After from the Date beside it."""
    assert ask(serve(passes=False)).headers["Date"] == "Fri, 20 Nov 2026 06:00:00 GMT"


def test_a_body_can_be_slow(serve: Serve, clock: SimulatedClock) -> None:
    """Time passes within it, and it arrives whole."""
    standin = serve(passes=False)
    standin.faults.slow_seconds = 90.0
    standin.faults.next(Fault.SLOW_BODY)
    before = clock.now_ns()
    assert ask(standin).json()["results"]
    assert clock.now_ns() - before == 90 * 10**9


def test_when_it_stops_its_connections_end(tmp_path: Any, clock: SimulatedClock) -> None:
    """A connection that a client keeps open does not answer for a tenant that is gone."""
    data = SyntheticSettings(
        end=clock.ns // 100 // (864 * 10**9) * (864 * 10**9),
        days=1,
        rows_per_day=10,
        busiest_day_rows=None,
    )
    with ExitStack() as stack:
        with Standin(tmp_path, data=data, clock=clock) as standin:
            http = stack.enter_context(client(standin))
            assert http.get("/").status_code == 200
        with pytest.raises(httpx.TransportError):
            http.get("/")


@pytest.mark.parametrize(
    ("fault", "status"),
    [(fault, int(fault.value[:3])) for fault in Fault if fault.value[:3].isdigit()],
)
def test_each_refusal_can_be_ordered(fault: Fault, status: int, serve: Serve) -> None:
    """For the next call alone."""
    standin = serve()
    standin.faults.next(fault)
    assert ask(standin).status_code == status
    assert ask(standin).status_code == 200


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.RESET_MID_BODY])
def test_a_connection_can_break(fault: Fault, serve: Serve) -> None:
    """Before the answer, or within it."""
    standin = serve()
    standin.faults.next(fault)
    with pytest.raises(httpx.TransportError):
        ask(standin)
    assert ask(standin).status_code == 200


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_JSON, Fault.INVALID_JSON, Fault.TRUNCATED_GZIP])
def test_a_body_can_be_spoilt(fault: Fault, serve: Serve) -> None:
    """With the right length, so that only who reads it can tell."""
    standin = serve()
    standin.faults.next(fault)
    response = ask(standin)
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_schema_can_change(serve: Serve) -> None:
    """A column more, a type changed, or none at all."""
    standin = serve()
    standin.faults.next(Fault.ADDED_COLUMN, Fault.CHANGED_TYPE, Fault.NO_SCHEMA)
    added, changed, none = (ask(standin).json()["schema"] for _ in range(3))
    assert added[-1]["name"] == "AddedLately"
    assert changed[1] == {"name": "AlertId", "type": "Int64"}
    assert none == []


def test_each_call_is_logged_as_a_line(
    standin_folder: Any, clock: SimulatedClock, tmp_path: Any
) -> None:
    """When, what, how it ended, and how many were in flight."""
    log = tmp_path / "calls.jsonl"
    settings = SyntheticSettings(
        end=clock.ns // 100 // (864 * 10**9) * (864 * 10**9),
        days=1,
        rows_per_day=100,
        busiest_day_rows=None,
    )
    with Standin(tmp_path / "own", data=settings, clock=clock, call_log=log) as standin:
        ask(standin)
        standin.revoke_permission()
        ask(standin)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["status"] for line in lines] == [200, 403]
    assert lines[0]["query"] == QUERY
    assert lines[0]["in_flight"] == 1
    assert lines[0]["fault"] is None
    assert lines[0]["when_ns"] == clock.ns


def test_keys_are_its_owner_s_alone(serve: Serve) -> None:
    """A private key that others may read is none."""
    standin = serve()
    for path in (standin.client_certificate(), standin.ca_bundle.with_name("server.pem")):
        assert path.stat().st_mode & 0o077 == 0


def test_the_model_of_running_time_adds_up() -> None:
    """Seconds per call, per row and per hour scanned."""
    model = RunningTimeModel(seconds_per_call=1, seconds_per_row=0.1, seconds_per_hour_scanned=0.01)
    assert model.seconds(rows=20, hours_scanned=300) == pytest.approx(6)
    assert StandinLimits().calls == ((15, 60.0),)

"""One call over real HTTPS: the client, msal and the stand-in, with every fault that it knows."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.api import SURFACES, HuntingClient, tls_context, token_source
from pipelines.clock import SimulatedClock
from pipelines.errors import (
    ApiError,
    CallTimedOut,
    ConnectionFailed,
    Forbidden,
    MalformedResponse,
    QueryRejected,
    QueryTooHeavy,
    ServiceUnavailable,
    SignInError,
    Throttled,
    Unauthorized,
)
from pipelines.hunts import SurfaceName
from pipelines.identity import ClientSecret
from pipelines.landing import decode
from pipelines.settings import load_settings
from pipelines.standin import Fault, Standin

Serve = Callable[..., Standin]
QUERY = "HuntlakeTypes | project Timestamp, Text | take 3"


@contextmanager
def client_of(
    standin: Standin,
    clock: SimulatedClock,
    root: Path,
    surface: SurfaceName = "graph",
    **changes: object,
) -> Iterator[HuntingClient]:
    settings = replace(load_settings(standin.environment(surface), root=root), **changes)
    tokens = token_source(settings, SURFACES[surface])
    try:
        with HuntingClient(
            SURFACES[surface],
            api_url=settings.api_url,
            tokens=tokens,
            tls=tls_context(settings),
            clock=clock,
            request_seconds=600,
        ) as client:
            yield client
    finally:
        tokens.close()


@pytest.fixture
def standin(serve: Serve) -> Standin:
    return serve()


@pytest.mark.parametrize("surface", ["graph", "xdr", "mde"])
def test_each_surface_answers(
    standin: Standin, clock: SimulatedClock, tmp_path: Path, surface: SurfaceName
) -> None:
    """A token for its audience, its own path and its own dialect."""
    with client_of(standin, clock, tmp_path, surface) as client:
        raw = client.run(QUERY)
    assert decode(raw.body, SURFACES[surface].dialect).rows == 3
    assert raw.request_id
    assert [call.status for call in standin.calls] == [200]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.CALLS_A_MINUTE, Throttled),
        (Fault.CALLS_AN_HOUR, Throttled),
        (Fault.SEND_AGAIN, Throttled),
        (Fault.CPU, Throttled),
        (Fault.RETRY_AFTER, Throttled),
        (Fault.RETRY_AFTER_DATE, Throttled),
        (Fault.TIMED_OUT, CallTimedOut),
        (Fault.SERVER_ERROR, ServiceUnavailable),
        (Fault.BAD_GATEWAY, ServiceUnavailable),
        (Fault.UNAVAILABLE, ServiceUnavailable),
        (Fault.GATEWAY_TIMEOUT, CallTimedOut),
        (Fault.TOO_HEAVY, QueryTooHeavy),
        (Fault.FORBIDDEN_HTML, Forbidden),
        (Fault.RESET, ConnectionFailed),
        (Fault.RESET_MID_BODY, ConnectionFailed),
        (Fault.TRUNCATED_GZIP, ConnectionFailed),
    ],
)
def test_each_fault_is_an_error_and_the_next_call_works(
    standin: Standin, clock: SimulatedClock, tmp_path: Path, fault: Fault, kind: type[ApiError]
) -> None:
    """No connection is left in a state that spoils the next answer."""
    with client_of(standin, clock, tmp_path) as client:
        standin.faults.next(fault)
        with pytest.raises(ApiError) as caught:
            client.run(QUERY)
        assert type(caught.value) is kind
        assert caught.value.request_id
        assert decode(client.run(QUERY).body, "odata").rows == 3


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_JSON, Fault.INVALID_JSON])
def test_a_body_that_is_whole_on_the_wire_and_no_answer_is_refused(
    standin: Standin, clock: SimulatedClock, tmp_path: Path, fault: Fault
) -> None:
    """The client can't know; the decoder does."""
    with client_of(standin, clock, tmp_path) as client:
        standin.faults.next(fault)
        raw = client.run(QUERY)
    with pytest.raises(MalformedResponse):
        decode(raw.body, "odata")


def test_no_log_at_any_level_holds_a_secret_or_an_answer(
    standin: Standin, clock: SimulatedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Over a real connection, where httpx, httpcore and msal write all that they ever write."""
    caplog.set_level(logging.DEBUG)
    settings = load_settings(standin.environment(), root=tmp_path)
    tokens = token_source(settings, SURFACES["graph"])
    try:
        with HuntingClient(
            SURFACES["graph"],
            api_url=settings.api_url,
            tokens=tokens,
            tls=tls_context(settings),
            clock=clock,
            request_seconds=600,
        ) as client:
            raw = client.run(QUERY)
            token = tokens.token()
    finally:
        tokens.close()
    texts = [row["Text"] for row in json.loads(raw.body)["results"] if len(row["Text"]) > 3]
    assert texts
    assert isinstance(settings.identity, ClientSecret)
    assert "httpcore" in caplog.text
    for hidden in (settings.identity.secret, token, "Text", *texts):
        assert hidden not in caplog.text


def test_a_token_for_another_audience_is_refused(
    standin: Standin, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Each surface has its own."""
    settings = load_settings(standin.environment("xdr"), root=tmp_path)
    tokens = token_source(settings, SURFACES["mde"])
    try:
        with (
            HuntingClient(
                SURFACES["xdr"],
                api_url=settings.api_url,
                tokens=tokens,
                tls=tls_context(settings),
                clock=clock,
                request_seconds=600,
            ) as client,
            pytest.raises(Unauthorized),
        ):
            client.run(QUERY)
    finally:
        tokens.close()
    assert [call.status for call in standin.calls] == [401]


def test_a_missing_permission_is_named(
    standin: Standin, clock: SimulatedClock, tmp_path: Path
) -> None:
    """One call, and what to grant."""
    standin.revoke_permission()
    with (
        client_of(standin, clock, tmp_path) as client,
        pytest.raises(Forbidden, match=r"ThreatHunting\.Read\.All"),
    ):
        client.run(QUERY)
    assert [call.status for call in standin.calls] == [403]


def test_a_wrong_secret_makes_no_call(
    standin: Standin, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Sign-in fails before anything is asked of the service."""
    with (
        client_of(standin, clock, tmp_path, identity=ClientSecret("wrong")) as client,
        pytest.raises(SignInError, match="AZURE_CLIENT_SECRET"),
    ):
        client.run(QUERY)
    assert standin.calls == []


def test_a_table_that_is_not_there_is_the_query_s_fault(
    standin: Standin, clock: SimulatedClock, tmp_path: Path
) -> None:
    """The message says what else it may be: a licence, a permission."""
    with (
        client_of(standin, clock, tmp_path) as client,
        pytest.raises(QueryRejected, match="no such table"),
    ):
        client.run("NoSuchTable | take 1")


def test_a_host_that_no_trusted_authority_vouches_for_gets_nothing(
    standin: Standin, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Neither query nor token is sent; the remedy is named."""
    settings = load_settings(standin.environment(), root=tmp_path)
    tokens = token_source(settings, SURFACES["graph"])
    try:
        with (
            HuntingClient(
                SURFACES["graph"],
                api_url=settings.api_url,
                tokens=tokens,
                tls=tls_context(replace(settings, ca_bundle=None)),
                clock=clock,
                request_seconds=600,
            ) as client,
            pytest.raises(ConnectionFailed, match="HUNTLAKE_CA_BUNDLE"),
        ):
            client.run(QUERY)
    finally:
        tokens.close()
    assert standin.calls == []

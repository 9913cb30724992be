"""The stand-in's sign-in: who gets a token, and for how long. Real msal uses it in tests/api."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipelines.clock import NANOSECONDS_PER_SECOND, SimulatedClock, SystemClock
from pipelines.standin import _today
from pipelines.standin.authority import make_client_certificate
from pipelines.standin.refused import SignInRefused
from pipelines.standin.signin import SignIn

ENDPOINT = "https://localhost:1/demo/oauth2/v2.0/token"
APP = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_763_640_000 * NANOSECONDS_PER_SECOND)


@pytest.fixture
def sign_in(clock: SimulatedClock) -> SignIn:
    return SignIn("demo", APP, 3_600.0, clock)


def form(sign_in: SignIn, **fields: str) -> dict[str, str]:
    return {
        "client_id": APP,
        "client_secret": sign_in.client_secret,
        "scope": "https://graph.microsoft.com/.default",
        **fields,
    }


def issue(sign_in: SignIn, tenant: str = "demo", **fields: str) -> str:
    word: str = sign_in.issue(form(sign_in, **fields), tenant, ENDPOINT)["access_token"]
    return word


def assertion(key: Path, **claims: Any) -> dict[str, str]:
    now = SystemClock().now_ns() // NANOSECONDS_PER_SECOND
    said = {"aud": ENDPOINT, "iss": APP, "sub": APP, "exp": now + 600, "jti": "1", **claims}
    signed = jwt.encode(said, load_pem_private_key(key.read_bytes(), None), "RS256")
    return {
        "client_secret": "",
        "client_assertion": signed,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


def test_a_token_lives_as_long_as_it_says(sign_in: SignIn, clock: SimulatedClock) -> None:
    """And is good for the resource of its scope alone."""
    word = issue(sign_in)
    clock.sleep(3_599.9)
    token = sign_in.find(word)
    assert token is not None
    assert token.resource == "https://graph.microsoft.com"
    clock.sleep(0.1)
    assert sign_in.find(word) is None


def test_tokens_can_all_be_made_worthless(sign_in: SignIn) -> None:
    """At once; the next one is good again."""
    old = issue(sign_in)
    sign_in.expire_all()
    assert sign_in.find(old) is None
    assert sign_in.find(issue(sign_in)) is not None


@pytest.mark.parametrize(
    ("fields", "code", "error"),
    [
        ({"client_secret": "wrong"}, 7000215, "invalid_client"),
        ({"client_secret": "é"}, 7000215, "invalid_client"),
        ({"client_secret": ""}, 7000215, "invalid_client"),
        ({"client_id": "nobody"}, 700016, "unauthorized_client"),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 70011, "invalid_scope"),
        ({"scope": ""}, 70011, "invalid_scope"),
        ({"tenant": "other"}, 90002, "invalid_tenant"),
    ],
)
def test_each_refusal_has_its_code(
    sign_in: SignIn, fields: dict[str, str], code: int, error: str
) -> None:
    """The number that people search for, and an id for those whom they ask."""
    with pytest.raises(SignInRefused) as refused:
        issue(sign_in, **fields)
    body = refused.value.body()
    assert body["error"] == error
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["error_codes"] == [code]
    assert body["correlation_id"]
    assert sign_in.client_secret not in str(body)


def test_an_unknown_tenant_has_no_endpoints(sign_in: SignIn) -> None:
    """Discovery says so before any secret is sent."""
    assert "/demo/" in sign_in.discovery("https://localhost:1", "demo")["token_endpoint"]
    with pytest.raises(SignInRefused, match="'other' not found"):
        sign_in.discovery("https://localhost:1", "other")


def test_a_registered_certificate_signs_in(sign_in: SignIn, tmp_path: Path) -> None:
    """One that is not registered does not, nor one's assertion for another place or app.

    Who speaks for itself is taken for another issuer.
    """
    known, unknown = tmp_path / "known.pem", tmp_path / "unknown.pem"
    sign_in.certificates.append(make_client_certificate(known, _today()))
    make_client_certificate(unknown, _today())
    assert sign_in.find(issue(sign_in, **assertion(known))) is not None
    wrong = [
        (assertion(unknown), 700027),
        (assertion(known, aud="https://login.example/token"), 700027),
        (assertion(known, iss="someone else"), 700211),
        ({**assertion(known), "client_assertion": "no JWT"}, 700027),
    ]
    for fields, code in wrong:
        with pytest.raises(SignInRefused) as refused:
            issue(sign_in, **fields)
        assert refused.value.code == code


def federated(assertion: str) -> dict[str, str]:
    return {
        "client_secret": "",
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


def test_another_issuer_s_token_must_fit_the_credential(
    sign_in: SignIn, clock: SimulatedClock
) -> None:
    """Issuer, subject, audience, time and signature; each refusal has its own code."""
    federation = sign_in.federation
    assert sign_in.find(issue(sign_in, **federated(federation.token()))) is not None
    old = federation.token()
    clock.sleep(3_600)
    claims = jwt.decode(federation.token(), options={"verify_signature": False})
    for token, code in (
        (federation.token(iss="https://else.example"), 700211),
        (federation.token(aud="else"), 700212),
        (federation.token(sub="else"), 700213),
        (jwt.encode(claims, "k" * 32, "HS256"), 700027),
        (old, 700024),
    ):
        with pytest.raises(SignInRefused) as refused:
            issue(sign_in, **federated(token))
        assert refused.value.code == code


PERMISSION = "https://graph.microsoft.com/ThreatHunting.Read.All openid profile offline_access"


def asked(device_code: str) -> dict[str, str]:
    return {
        "client_id": APP,
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device_code,
    }


def test_a_code_is_good_once_and_for_a_while(sign_in: SignIn, clock: SimulatedClock) -> None:
    """Pending until somebody enters it; their token can be renewed, once."""
    wanted = {"client_id": APP, "scope": PERMISSION}
    code = sign_in.invite(wanted, "demo", "https://localhost:1/devicelogin")
    again = asked(code["device_code"])

    def refusal(form: dict[str, str]) -> int:
        with pytest.raises(SignInRefused) as refused:
            sign_in.issue(form, "demo", ENDPOINT)
        return refused.value.code

    assert refusal(again) == 70016
    assert not sign_in.people.approve("another")
    assert sign_in.people.approve(code["user_code"], "me@contoso.example")
    answer = sign_in.issue(again, "demo", ENDPOINT)
    assert sign_in.find(answer["access_token"]) is not None
    assert refusal(again) == 70018
    renewal = {
        "client_id": APP,
        "grant_type": "refresh_token",
        "refresh_token": answer["refresh_token"],
        "scope": PERMISSION,
    }
    assert sign_in.issue(renewal, "demo", ENDPOINT)["refresh_token"] != answer["refresh_token"]
    assert refusal(renewal) == 50173
    late = sign_in.invite(wanted, "demo", "https://localhost:1/devicelogin")
    clock.sleep(900)
    assert refusal(asked(late["device_code"])) == 70020


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("", 70011),
        ("https://graph.microsoft.com/.default", 70011),
        ("https://graph.microsoft.com/User.Read", 70011),
        ("https://nowhere.example/ThreatHunting.Read.All", 500011),
    ],
)
def test_a_person_is_asked_for_one_permission(sign_in: SignIn, scope: str, code: int) -> None:
    """The delegated one of a surface, by its name."""
    with pytest.raises(SignInRefused) as refused:
        sign_in.invite({"client_id": APP, "scope": scope}, "demo", "https://localhost:1/")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/msi/token", {"X-Identity-Header": "{}"}),
        ("/metadata/identity/oauth2/token", {"Metadata": "true"}),
    ],
)
def test_a_resource_shows_that_it_is_the_one(
    sign_in: SignIn, path: str, headers: dict[str, str]
) -> None:
    """By a header; without it, or for another identity or resource, there is no token."""
    managed = sign_in.managed
    shown = {name: value.format(managed.header) for name, value in headers.items()}
    wanted = {"resource": "https://graph.microsoft.com"}
    status, answer = managed.answer(path, wanted, shown)
    assert status == HTTPStatus.OK
    assert sign_in.find(answer["access_token"]) is not None
    for given, by in (
        (wanted, {}),
        ({**wanted, "client_id": "none"}, shown),
        ({"resource": "https://nowhere.example"}, shown),
    ):
        status, answer = managed.answer(path, given, by)
        assert status >= HTTPStatus.BAD_REQUEST
        assert "access_token" not in answer

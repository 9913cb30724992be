"""The stand-in's sign-in: who gets a token, and for how long. Real msal uses it in tests/api."""

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

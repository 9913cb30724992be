"""Which kind of sign-in the settings mean, and what each kind lacks."""

from pathlib import Path

import pytest

from pipelines.identity import (
    ENVIRONMENT,
    Certificate,
    ClientSecret,
    DeviceCode,
    Identity,
    ManagedIdentity,
    Part,
    SignInParts,
    WorkloadIdentity,
    kind_of,
)

LOGINS = Path("/home/me/logins")
A_FILE = Path(__file__)
APP: dict[Part, str] = {"client_id": "an-application"}


def existing(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def chosen(texts: dict[Part, str]) -> tuple[Identity | None, list[str]]:
    problems: list[str] = []
    parts = SignInParts(texts, problems.append, existing, Path, LOGINS)
    return parts.identity(), problems


@pytest.mark.parametrize(
    ("texts", "identity"),
    [
        ({"client_secret": "s"}, ClientSecret("s")),
        ({"certificate_path": str(A_FILE)}, Certificate(A_FILE)),
        (
            {"certificate_path": str(A_FILE), "certificate_password": "p"},
            Certificate(A_FILE, "p"),
        ),
        ({"federated_token_file": str(A_FILE)}, WorkloadIdentity(A_FILE)),
        ({"sign_in": "device-code"}, DeviceCode(LOGINS)),
        ({"sign_in": "device-code", "logins": "/srv/logins"}, DeviceCode(Path("/srv/logins"))),
        ({"sign_in": "managed-identity"}, ManagedIdentity("an-application")),
        ({"sign_in": "secret", "client_secret": "s"}, ClientSecret("s")),
        # AKS sets the file for every pod whose service account is labelled.
        (
            {"sign_in": "secret", "client_secret": "s", "federated_token_file": "/gone"},
            ClientSecret("s"),
        ),
    ],
)
def test_a_kind_is_said_or_plain_from_what_is_set(
    texts: dict[Part, str], identity: Identity
) -> None:
    """Said, it wins over what else is set; unsaid, the one kind that is set signs in."""
    assert chosen({**APP, **texts}) == (identity, [])
    assert "sign_in" not in texts or texts["sign_in"] == kind_of(identity)


def test_a_resource_signs_in_as_itself_without_a_client_id() -> None:
    """Only a user-assigned identity has one to name."""
    assert chosen({"sign_in": "managed-identity"}) == (ManagedIdentity(), [])


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        ({}, ["client_id", "client_secret", "certificate_path", "sign_in"]),
        ({"sign_in": "secret"}, ["client_id", "client_secret"]),
        ({"sign_in": "certificate"}, ["client_id", "certificate_path"]),
        ({"sign_in": "certificate", "certificate_path": "/gone"}, ["client_id", "/gone"]),
        ({"certificate_password": "hidden"}, ["client_id", "certificate_path"]),
        ({"sign_in": "workload-identity"}, ["client_id", "federated_token_file"]),
        ({"federated_token_file": "/gone"}, ["client_id", "/gone"]),
        ({"sign_in": "device-code"}, ["client_id"]),
        ({"sign_in": "password"}, ["client_id", "'password' is no kind", "managed-identity"]),
        (
            {"client_secret": "hidden", "federated_token_file": str(A_FILE)},
            ["client_id", "client_secret", "federated_token_file", "sign_in"],
        ),
        (
            {"client_secret": "hidden", "certificate_password": "hidden"},
            ["client_id", "client_secret", "certificate_password", "sign_in"],
        ),
    ],
)
def test_all_that_is_missing_is_named_at_once(texts: dict[Part, str], named: list[str]) -> None:
    """By the names that were set, whatever the place; no secret is shown."""
    identity, problems = chosen(texts)
    assert identity is None
    text = "\n".join(problems)
    for name in named:
        assert ENVIRONMENT[name] in text if name in ENVIRONMENT else name in text
    assert "hidden" not in text


def test_no_repr_shows_what_was_set() -> None:
    """Neither the values nor the texts that they are made of."""
    texts: dict[Part, str] = {
        **APP,
        "certificate_path": str(A_FILE),
        "certificate_password": "hidden",
    }
    parts = SignInParts(texts, print, existing, Path, LOGINS)
    shown = repr(parts) + repr(parts.identity()) + repr(ClientSecret("hidden"))
    assert "hidden" not in shown


def test_a_person_without_a_home_says_where_tokens_are_kept() -> None:
    """As in some containers, which sign in as an application all the same."""
    problems: list[str] = []
    nowhere = Path("~/.local/state")
    for texts, identity in (
        ({**APP, "sign_in": "device-code"}, None),
        ({**APP, "sign_in": "device-code", "logins": "/srv/x"}, DeviceCode(Path("/srv/x"))),
        ({**APP, "client_secret": "s"}, ClientSecret("s")),
    ):
        assert SignInParts(texts, problems.append, existing, Path, nowhere).identity() == identity
    [problem] = problems
    assert "HUNTLAKE_LOGINS" in problem

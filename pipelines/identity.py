"""What huntlake signs in with: one value for each kind of sign-in, and the rules to choose one.

What belongs here: the values, whose ``repr`` shows no secret, and what the settings of each kind
are. What does not: where settings are read from (``settings``, ``tenants``), or signing in
(``api.signin``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from pipelines.setting_names import ENVIRONMENT_NAMES


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret of the app registration."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key with its certificate, in PEM or PKCS 12, and the password that opens it, if any."""

    path: Path
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity of the Azure resource that huntlake runs on.

    Its own (system-assigned), or the user-assigned one that has the client id.
    """

    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class WorkloadIdentity:
    """A token of another issuer (Kubernetes, GitHub, ...), which keeps it fresh in a file."""

    token_file: Path


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A person, whose tokens ``huntlake login`` keeps in a folder of theirs."""

    logins: Path


Identity = ClientSecret | Certificate | ManagedIdentity | WorkloadIdentity | DeviceCode

Kind = Literal["secret", "certificate", "managed-identity", "workload-identity", "device-code"]
KINDS: Final[Sequence[Kind]] = get_args(Kind)

# What may be set, whatever it is called where it is set.
Part = Literal[
    "sign_in",
    "client_id",
    "client_secret",
    "certificate_path",
    "certificate_password",
    "federated_token_file",
    "logins",
]

PARTS: Final[Sequence[Part]] = get_args(Part)
ENVIRONMENT: Final[Mapping[Part, str]] = MappingProxyType(
    {part: getattr(ENVIRONMENT_NAMES, part) for part in PARTS}
)

# The parts by which a kind shows that it is meant. The other two kinds have none: they are said.
_OWN_PARTS: Final[Mapping[Kind, Sequence[Part]]] = MappingProxyType(
    {
        "secret": ("client_secret",),
        "certificate": ("certificate_path", "certificate_password"),
        "workload-identity": ("federated_token_file",),
    }
)


def kind_of(identity: Identity) -> Kind:
    """The kind's name, as it is set."""
    match identity:
        case ClientSecret():
            return "secret"
        case Certificate():
            return "certificate"
        case ManagedIdentity():
            return "managed-identity"
        case WorkloadIdentity():
            return "workload-identity"
        case DeviceCode():
            return "device-code"


@dataclass(frozen=True, slots=True)
class SignInParts:
    """What is set for signing in: texts as they were set, without those that are empty.

    ``problem`` is told what is missing or contradictory. ``file`` and ``folder`` make paths of
    texts, and raise ``ValueError`` where there is no such file. ``names`` are what the parts are
    called where they were set, for messages.
    """

    texts: Mapping[Part, str] = field(repr=False)
    problem: Callable[[str], None]
    file: Callable[[str], Path]
    folder: Callable[[str], Path]
    default_logins: Path
    names: Mapping[Part, str] = field(default_factory=lambda: ENVIRONMENT)

    def identity(self) -> Identity | None:
        """The identity that is set; None where ``problem`` was told why there is none."""
        kind = self._kind()
        if kind == "managed-identity":
            return ManagedIdentity(self.texts.get("client_id"))
        client_id = self._text("client_id", "the application id of your app registration")
        identity = None if kind is None else self._of_application(kind)
        return identity if client_id else None

    def _kind(self) -> Kind | None:
        said = self.texts.get("sign_in")
        if said is not None:
            # Said, it wins: a platform may set another kind's variables unasked, as AKS does.
            return self._said(said)
        set_parts = {
            kind: given
            for kind, own in _OWN_PARTS.items()
            if (given := [part for part in own if part in self.texts])
        }
        if len(set_parts) == 1:
            return next(iter(set_parts))
        if set_parts:
            given_names = [self.names[part] for parts in set_parts.values() for part in parts]
            self.problem(
                f"{' and '.join(given_names)} are set together: unset all but one kind's, or "
                f"say which signs in with {self.names['sign_in']} ({', '.join(set_parts)})"
            )
        else:
            self.problem(
                f"{self.names['client_secret']} is not set: a client secret of your app "
                f"registration, or one of {self.names['certificate_path']} (a PEM or PFX file with "
                f"key and certificate), {self.names['federated_token_file']}, or "
                f"{self.names['sign_in']}=managed-identity or device-code"
            )
        return None

    def _said(self, said: str) -> Kind | None:
        kind = next((kind for kind in KINDS if kind == said), None)
        if kind is None:
            self.problem(
                f"{self.names['sign_in']}: {said!r} is no kind of sign-in; there are "
                f"{', '.join(KINDS)}"
            )
        return kind

    def _of_application(self, kind: Kind) -> Identity | None:
        if kind == "secret":
            secret = self._text("client_secret", "a client secret of your app registration")
            return ClientSecret(secret) if secret else None
        if kind == "certificate":
            path = self._file("certificate_path", "a PEM or PFX file with key and certificate")
            return Certificate(path, self.texts.get("certificate_password")) if path else None
        if kind == "workload-identity":
            path = self._file("federated_token_file", "the file in which your platform keeps it")
            return WorkloadIdentity(path) if path else None
        return self._of_person()

    def _of_person(self) -> DeviceCode | None:
        logins = self.texts.get("logins")
        if logins is not None:
            return DeviceCode(self.folder(logins))
        if not self.default_logins.is_absolute():
            self.problem(f"{self.names['logins']} is not set, and this user has no home folder")
            return None
        return DeviceCode(self.default_logins)

    def _text(self, part: Part, what: str) -> str | None:
        if part not in self.texts:
            self.problem(f"{self.names[part]} is not set: {what}")
        return self.texts.get(part)

    def _file(self, part: Part, what: str) -> Path | None:
        text = self._text(part, what)
        try:
            return None if text is None else self.file(text)
        except ValueError as error:
            self.problem(f"{self.names[part]}: {error}")
            return None

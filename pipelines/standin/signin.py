"""The stand-in's sign-in service: as much of Microsoft's as msal needs.

What belongs here: tokens and who gets one. What does not: HTTP (``server``). A token is a random
word that this process remembers; its life is counted by the injected clock.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.hunts import SurfaceName

RESOURCES: Final[Mapping[SurfaceName, str]] = MappingProxyType(
    {
        "xdr": "https://api.security.microsoft.com",
        "graph": "https://graph.microsoft.com",
        "mde": "https://api.securitycenter.microsoft.com",
    }
)

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEFAULT_SCOPE: Final = "/.default"


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is good for, and until when."""

    resource: str
    until_ns: int


class SignInRefused(Exception):
    """A request for a token that is turned down: OAuth's error code and Microsoft's own."""

    def __init__(self, error: str, code: int, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.code = code

    @property
    def status(self) -> HTTPStatus:
        """401 where the application could not prove who it is, as OAuth has it; else 400."""
        unproved = self.error == "invalid_client"
        return HTTPStatus.UNAUTHORIZED if unproved else HTTPStatus.BAD_REQUEST

    def body(self) -> Mapping[str, Any]:
        """The answer's body."""
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self}",
            "error_codes": [self.code],
            "correlation_id": str(uuid.uuid4()),
        }


@dataclass(slots=True)
class SignIn:
    """One tenant with one application, which has a secret and may have certificates."""

    tenant_id: str
    client_id: str
    token_seconds: float
    clock: Clock
    # A resource besides the service's own: where the stand-in itself is reached.
    own_url: str = ""
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    certificates: list[x509.Certificate] = field(default_factory=list)
    _tokens: dict[str, Token] = field(default_factory=dict)

    def discovery(self, base: str, tenant_id: str) -> Mapping[str, Any]:
        """What msal reads first: where tokens are to be had."""
        self._require(tenant_id)
        return {
            "issuer": f"{base}/{tenant_id}/v2.0",
            "authorization_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/{tenant_id}/oauth2/v2.0/devicecode",
        }

    def issue(
        self, form: Mapping[str, str], tenant_id: str, token_endpoint: str
    ) -> Mapping[str, Any]:
        """A token for a form as msal posts it. Raises ``SignInRefused``."""
        self._require(tenant_id)
        if form.get("client_id") != self.client_id:
            raise SignInRefused(
                "unauthorized_client",
                700016,
                f"Application with identifier '{form.get('client_id')}' was not found in the "
                f"directory '{self.tenant_id}'.",
            )
        self._authenticate(form, token_endpoint)
        resource = self._resource(form.get("scope", ""))
        word = secrets.token_urlsafe(32)
        until_ns = self.clock.now_ns() + round(self.token_seconds * NANOSECONDS_PER_SECOND)
        self._tokens[word] = Token(resource, until_ns)
        return {
            "token_type": "Bearer",
            "expires_in": int(self.token_seconds),
            "ext_expires_in": int(self.token_seconds),
            "access_token": word,
        }

    def find(self, word: str) -> Token | None:
        """What a token is good for, while it is."""
        token = self._tokens.get(word)
        return token if token and token.until_ns > self.clock.now_ns() else None

    def opens(self, token: Token, surface: SurfaceName) -> bool:
        """Whether the token was issued for the surface: for its resource, or for this host's."""
        return token.resource in (RESOURCES[surface], self.own_url)

    def expire_all(self) -> None:
        """Make every token that was issued worthless."""
        self._tokens.clear()

    def _require(self, tenant_id: str) -> None:
        if tenant_id != self.tenant_id:
            raise SignInRefused("invalid_tenant", 90002, f"Tenant '{tenant_id}' not found.")

    def _resource(self, scopes: str) -> str:
        scope = scopes.split(" ", maxsplit=1)[0]
        if not scope.endswith(_DEFAULT_SCOPE):
            raise SignInRefused("invalid_scope", 70011, f"The scope '{scope}' is not valid.")
        resource = scope.removesuffix(_DEFAULT_SCOPE)
        if resource not in (*RESOURCES.values(), self.own_url):
            raise SignInRefused(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant.",
            )
        return resource

    def _authenticate(self, form: Mapping[str, str], token_endpoint: str) -> None:
        if form.get("client_assertion_type") == _ASSERTION_TYPE:
            if not self._is_signed(form.get("client_assertion", ""), token_endpoint):
                raise SignInRefused(
                    "invalid_client",
                    700027,
                    "The certificate is not registered with the application.",
                )
        elif not secrets.compare_digest(
            # As bytes: compare_digest takes no text beyond ASCII.
            form.get("client_secret", "").encode(),
            self.client_secret.encode(),
        ):
            raise SignInRefused("invalid_client", 7000215, "Invalid client secret provided.")

    def _is_signed(self, assertion: str, token_endpoint: str) -> bool:
        """Whether one of the registered certificates signed the assertion for this endpoint."""
        for key in (certificate.public_key() for certificate in self.certificates):
            if not isinstance(key, rsa.RSAPublicKey):
                continue
            try:
                jwt.decode(
                    assertion,
                    key,
                    algorithms=["RS256", "PS256"],
                    audience=token_endpoint,
                    issuer=self.client_id,
                    subject=self.client_id,
                    options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
                )
            except jwt.InvalidTokenError:
                continue
            return True
        return False

"""The stand-in's sign-in service: as much of Microsoft's as msal needs.

What belongs here: tokens and which application gets one. What does not: people (``people``), other
issuers (``federation``), managed identities (``managed``), or HTTP (``server``). A token is a
random word that this process remembers; its life is counted by the injected clock.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.hunts import SurfaceName
from pipelines.standin.federation import Federation
from pipelines.standin.managed import ManagedIdentities
from pipelines.standin.people import People
from pipelines.standin.refused import SignInRefused

RESOURCES: Final[Mapping[SurfaceName, str]] = MappingProxyType(
    {
        "xdr": "https://api.security.microsoft.com",
        "graph": "https://graph.microsoft.com",
        "mde": "https://api.securitycenter.microsoft.com",
    }
)

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEFAULT_SCOPE: Final = "/.default"
_DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_BY_PERSON: Final = (_DEVICE_CODE, "refresh_token")
# What OpenID Connect asks for beside a resource's permission.
_OF_OPENID: Final = frozenset({"openid", "profile", "offline_access"})
DELEGATED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "https://api.security.microsoft.com": "AdvancedHunting.Read",
        "https://graph.microsoft.com": "ThreatHunting.Read.All",
        "https://api.securitycenter.microsoft.com": "AdvancedQuery.Read",
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is good for, and until when."""

    resource: str
    until_ns: int


@dataclass(slots=True)
class SignIn:
    """One tenant with one application, which has a secret and may have certificates.

    Another issuer's tokens stand for it, and people may sign in with it.
    """

    tenant_id: str
    client_id: str
    token_seconds: float
    clock: Clock
    # A resource besides the service's own: where the stand-in itself is reached.
    own_url: str = ""
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    certificates: list[x509.Certificate] = field(default_factory=list)
    federation: Federation = field(init=False)
    people: People = field(init=False)
    managed: ManagedIdentities = field(init=False)
    _tokens: dict[str, Token] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.federation = Federation(self.clock)
        self.people = People(self.clock)
        self.managed = ManagedIdentities(self._managed)

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
        self._require_application(form, tenant_id)
        if form.get("grant_type") in _BY_PERSON:
            username, scope = self.people.behind(form)
            resource, permission = self._permission(scope)
            person = self.people.identity(username, self.client_id, self.tenant_id)
            return {
                **self._answer(self._word(resource)),
                "scope": f"{resource}/{permission}",
                **person,
            }
        self._authenticate(form, token_endpoint)
        return self._answer(self._word(self._resource(form.get("scope", ""))))

    def invite(self, form: Mapping[str, str], tenant_id: str, page: str) -> Mapping[str, Any]:
        """A code for a person to enter on the page. Raises ``SignInRefused``."""
        self._require_application(form, tenant_id)
        scope = form.get("scope", "")
        self._permission(scope)
        return self.people.invite(page, scope)

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

    def _word(self, resource: str) -> str:
        word = secrets.token_urlsafe(32)
        until_ns = self.clock.now_ns() + round(self.token_seconds * NANOSECONDS_PER_SECOND)
        self._tokens[word] = Token(resource, until_ns)
        return word

    def _answer(self, word: str) -> Mapping[str, Any]:
        return {
            "token_type": "Bearer",
            "expires_in": int(self.token_seconds),
            "ext_expires_in": int(self.token_seconds),
            "access_token": word,
        }

    def _managed(self, resource: str) -> tuple[str, int]:
        return self._word(self._known(resource)), int(self.token_seconds)

    def _require_application(self, form: Mapping[str, str], tenant_id: str) -> None:
        self._require(tenant_id)
        if form.get("client_id") != self.client_id:
            raise SignInRefused(
                "unauthorized_client",
                700016,
                f"Application with identifier '{form.get('client_id')}' was not found in the "
                f"directory '{self.tenant_id}'.",
            )

    def _require(self, tenant_id: str) -> None:
        if tenant_id != self.tenant_id:
            raise SignInRefused("invalid_tenant", 90002, f"Tenant '{tenant_id}' not found.")

    def _resource(self, scopes: str) -> str:
        scope = scopes.split(" ", maxsplit=1)[0]
        if not scope.endswith(_DEFAULT_SCOPE):
            raise SignInRefused("invalid_scope", 70011, f"The scope '{scope}' is not valid.")
        return self._known(scope.removesuffix(_DEFAULT_SCOPE))

    def _permission(self, scopes: str) -> tuple[str, str]:
        """The resource and its permission that a person is asked for."""
        [scope, *_] = [*sorted(set(scopes.split()) - _OF_OPENID), ""]
        resource, _, permission = scope.rpartition("/")
        self._known(resource)
        if permission != DELEGATED.get(resource):
            raise SignInRefused("invalid_scope", 70011, f"The scope '{scope}' is not valid.")
        return resource, permission

    def _known(self, resource: str) -> str:
        if resource not in (*RESOURCES.values(), self.own_url):
            raise SignInRefused(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant.",
            )
        return resource

    def _authenticate(self, form: Mapping[str, str], token_endpoint: str) -> None:
        if form.get("client_assertion_type") == _ASSERTION_TYPE:
            assertion = form.get("client_assertion", "")
            by_other = self.federation.accepts(assertion)
            if not by_other and not self._is_signed(assertion, token_endpoint):
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

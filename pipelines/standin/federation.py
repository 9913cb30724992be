"""The stand-in's trust in another issuer: a federated credential, and the tokens that fit it.

What belongs here: whose tokens stand for the application. What does not: what they are given for
it (``signin``). The issuer is made up, with a key of its own, and writes tokens on demand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelines.clock import NANOSECONDS_PER_SECOND, Clock
from pipelines.standin.refused import SignInRefused

_RSA_BITS: Final = 2048
_LIFE_SECONDS: Final = 3_600


@dataclass
class Federation:
    """One federated credential of the application, as it stands in the tenant."""

    clock: Clock
    issuer: str = "https://issuer.example/cluster"
    subject: str = "system:serviceaccount:hunting:huntlake"
    audience: str = "api://AzureADTokenExchange"

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)

    def token(self, **claims: Any) -> str:
        """A token of the issuer for the subject, or with other claims."""
        now = self.clock.now_ns() // NANOSECONDS_PER_SECOND
        said = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": [self.audience],
            "iat": now,
            "nbf": now,
            "exp": now + _LIFE_SECONDS,
            **claims,
        }
        return jwt.encode(said, self._key, "RS256")

    def accepts(self, assertion: str) -> bool:
        """Whether the assertion is a token of another issuer that stands for the application.

        False where it is something else, such as what a certificate signed. Raises
        ``SignInRefused`` for a token that doesn't fit the credential.
        """
        claims = _claims(assertion)
        if "iss" not in claims or claims.get("iss") == claims.get("sub"):
            return False
        self._require_fit(claims)
        try:
            jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=self.audience,
                # Time is the tenant's, which may be simulated.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError:
            raise SignInRefused(
                "invalid_client", 700027, "The assertion's signature does not fit its issuer."
            ) from None
        return True

    def _require_fit(self, claims: Mapping[str, Any]) -> None:
        for name, claim, code, wanted in (
            ("issuer", "iss", 700211, self.issuer),
            ("subject", "sub", 700213, self.subject),
            ("audience", "aud", 700212, self.audience),
        ):
            found = claims.get(claim)
            if found not in (wanted, [wanted]):
                raise SignInRefused(
                    "invalid_client",
                    code,
                    f"No matching federated identity record found for presented assertion {name} "
                    f"'{found}'.",
                )
        now = self.clock.now_ns() / NANOSECONDS_PER_SECOND
        if not claims.get("nbf", 0) <= now < claims.get("exp", 0):
            raise SignInRefused(
                "invalid_client", 700024, "Client assertion is not within its valid time range."
            )


def _claims(assertion: str) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims

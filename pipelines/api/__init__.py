"""The three surfaces of the advanced hunting API, signing in to them, and one call."""

from pipelines.api.client import HuntingClient, RawAnswer, Received
from pipelines.api.credential import certificate, federated_claims
from pipelines.api.failures import failure
from pipelines.api.managed import endpoint as managed_endpoint
from pipelines.api.person import forget_login, kept_login, log_in
from pipelines.api.signin import TokenSource, token_source
from pipelines.api.signin_failures import caller
from pipelines.api.surfaces import SURFACES, Dialect, Surface
from pipelines.api.tls import tls_context

__all__ = [
    "SURFACES",
    "Dialect",
    "HuntingClient",
    "RawAnswer",
    "Received",
    "Surface",
    "TokenSource",
    "caller",
    "certificate",
    "failure",
    "federated_claims",
    "forget_login",
    "kept_login",
    "log_in",
    "managed_endpoint",
    "tls_context",
    "token_source",
]

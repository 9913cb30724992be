"""The three surfaces of the advanced hunting API, signing in to them, and one call."""

from pipelines.api.client import HuntingClient, RawAnswer, Received
from pipelines.api.failures import failure
from pipelines.api.signin import TokenSource, token_source
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
    "failure",
    "tls_context",
    "token_source",
]

"""How sign-in and queries reach a host: the environment's proxies, our trust, no redirects.

What belongs here: what both have in common. What does not: whom to trust (``tls``), what is sent.
"""

import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import httpx

from pipelines.errors import SettingsError

# This machine is never behind a proxy. Browsers know that by themselves, httpx does not, and the
# demo must work where HTTPS_PROXY is set and NO_PROXY isn't.
_UNPROXIED: Final[Mapping[str, None]] = MappingProxyType(
    {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
)


def open_connection(
    tls: ssl.SSLContext,
    timeout: httpx.Timeout,
    *,
    headers: Mapping[str, str] | None = None,
    transport: httpx.BaseTransport | None = None,
    proxied: bool = True,
) -> httpx.Client:
    """A client that sends what it is given to that host alone; ``transport`` is for tests.

    Not ``proxied`` is for what is on this machine or a hop away.

    Raises ``SettingsError`` for a proxy that can't be used.
    """
    try:
        return httpx.Client(
            verify=tls,
            timeout=timeout,
            headers=headers,
            transport=transport,
            mounts=_UNPROXIED,
            trust_env=proxied,
            # A redirect could carry a token or a secret to a host that nobody configured.
            follow_redirects=False,
            # A connection serves one request. Whatever a broken server or proxy sends after the
            # announced end of an answer would be read as the answer to the next query; and between
            # two calls of a quota's pace most hosts would have closed it anyway.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
    # ImportError: a SOCKS proxy, which would need one more library.
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        # Without its cause: that may quote a part of the proxy's password.
        raise SettingsError(
            f"HTTPS_PROXY or ALL_PROXY names no proxy that can be used ({type(error).__name__}): "
            f"give it as http://host:port, with any special character of a password %-encoded"
        ) from None

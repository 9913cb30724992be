"""What the text of one setting may be.

What belongs here: a function for each kind of value, from its text; ``ValueError`` says what is
wrong with it. What does not: what settings are called and where they are set (``settings``,
``tenants``).
"""

import re
from collections.abc import Mapping
from typing import Final, get_args

from pipelines.hunts import SurfaceName

_SURFACES: Final[Mapping[str, SurfaceName]] = {name: name for name in get_args(SurfaceName)}
_SLUG: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
# Under these the sign-in service takes whoever comes, from any tenant.
_NO_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
# A host and perhaps a port: no user or password, which would end in messages.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def tenant_id(text: str) -> str:
    """An id or a domain: it becomes a part of paths and of the sign-in's URL."""
    if _SLUG.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is neither a tenant id (a GUID) nor a domain such as contoso.com"
        )
    if text.lower() in _NO_TENANTS:
        raise ValueError(f"{text!r} names no tenant, and rows of different ones must not mix")
    return text


def surface(text: str) -> SurfaceName:
    """One of the three."""
    if text not in _SURFACES:
        raise ValueError(f"{text!r} is no surface; there are {', '.join(_SURFACES)}")
    return _SURFACES[text]


def host(text: str) -> str:
    """A host and perhaps a port, with or without ``https://`` before it."""
    found = text.removeprefix("https://").rstrip("/").lower()
    if _HOST.fullmatch(found) is None:
        raise ValueError(f"{text!r} is no host such as login.microsoftonline.com, over https")
    return found


def https_url(text: str) -> str:
    """Where a token may be sent to, without a slash at its end."""
    if not text.startswith("https://"):
        raise ValueError("it must begin with https://, since a token is sent there")
    url = text.rstrip("/")
    name, slash, path = url.removeprefix("https://").partition("/")
    if _HOST.fullmatch(name) is None or _PATH.fullmatch(slash + path) is None:
        raise ValueError("it must be https:// and a host, and perhaps a port and a path")
    return url

"""What msal needs of an HTTP client, over httpx and our own TLS context.

What belongs here: sending what msal asks for, to where it may go, and refusing what it would log
or trip over. What does not: what it is asked for (``signin``, ``person``, ``managed``).

msal's default is requests, for which REQUESTS_CA_BUNDLE in the environment silently wins over the
authorities that it was told to trust.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from pipelines.errors import HuntlakeError

Permit = Callable[[httpx.URL], HuntlakeError | None]


class HttpForMsal:
    """Sends what ``permit`` has no error for, and hands msal answers that it can read."""

    def __init__(self, client: httpx.Client, permit: Permit) -> None:
        self._client = client
        self._permit = permit
        # Of the last answer: msal keeps it to itself.
        self.status = HTTPStatus.OK.value

    def get(self, url: str, **arguments: Any) -> httpx.Response:
        """As requests has it."""
        return self._send(self._client.get, url, arguments)

    def post(self, url: str, **arguments: Any) -> httpx.Response:
        """As requests has it."""
        return self._send(self._client.post, url, arguments)

    def close(self) -> None:
        """Close what is open."""
        self._client.close()

    def _send(
        self, send: Callable[..., httpx.Response], url: str, arguments: Mapping[str, Any]
    ) -> httpx.Response:
        if error := self._permit(httpx.URL(url)):
            raise error
        wanted = ("params", "data", "headers")
        given = {key: value for key, value in arguments.items() if key in wanted and value}
        if isinstance(given.get("data"), Mapping):
            # msal signs its assertions as bytes, whose repr httpx would send.
            form = given["data"].items()
            given["data"] = {k: v.decode() if isinstance(v, bytes) else v for k, v in form}
        response = send(url, **given)
        self.status = response.status_code
        # msal takes any answer for a JSON object, and writes one that is none to its log, whole.
        # A challenge (Azure Arc's) is read by its headers, and holds no token.
        challenged = response.status_code == HTTPStatus.UNAUTHORIZED and (
            "www-authenticate" in response.headers
        )
        if not challenged and not isinstance(_parsed(response), dict):
            raise httpx.DecodingError(
                f"HTTP {response.status_code} from {response.url.host} without a JSON object"
            )
        return response


def _parsed(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None

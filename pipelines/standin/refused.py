"""What the stand-in's sign-in service says where it turns a request down.

What belongs here: the refusal's form. What does not: reasons (``signin`` and its neighbours).
"""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


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

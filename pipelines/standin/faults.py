"""Faults on demand: what can go wrong between the service and a client.

What belongs here: the list of faults and their queue. What does not: carrying them out
(``refusals``, ``spoiling``, ``server``).
"""

import threading
from collections import deque
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """One way for a call to fail. Each takes the place of the answer, or spoils it."""

    CALLS_A_MINUTE = "429_calls_a_minute"
    """429 in the older words, which name a window and no wait."""
    CALLS_AN_HOUR = "429_calls_an_hour"
    """The same for an hour."""
    SEND_AGAIN = "429_send_again"
    """429 that says in how many seconds to send again."""
    CPU = "429_cpu"
    """429 for running time."""
    RETRY_AFTER = "429_retry_after"
    """429 of the gateway, with seconds in the header."""
    RETRY_AFTER_DATE = "429_retry_after_date"
    """The same with a date."""
    TIMED_OUT = "408"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    TOO_HEAVY = "400_too_heavy"
    """The query was preempted."""
    FORBIDDEN_HTML = "403_html"
    """A 403 whose body is a page."""
    RESET = "reset"
    """The connection is reset before a byte of the answer."""
    RESET_MID_BODY = "reset_mid_body"
    """The connection ends in the middle of the body."""
    TRUNCATED_GZIP = "truncated_gzip"
    """A gzip that stops too early, in a body of the length that is announced."""
    TRUNCATED_JSON = "truncated_json"
    """Half of the JSON, in a body of the length that is announced."""
    INVALID_JSON = "invalid_json"
    """A body with a comma too many."""
    SLOW_BODY = "slow_body"
    """A minute passes on the clock in the middle of the body."""
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    """Every token is worthless from now on."""
    ADDED_COLUMN = "added_column"
    """The table has gained a column."""
    CHANGED_TYPE = "changed_type"
    """The first text column has become a number."""
    NO_SCHEMA = "no_schema"
    """An answer without rows comes without a schema."""


REFUSALS: Final = frozenset(fault for fault in Fault if fault.value[:3].isdigit())


class Faults:
    """Faults waiting for the calls to come, the first for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Fault | None] = deque()

    def next(self, *faults: Fault | None) -> None:
        """Let the next calls meet these faults, one each; ``None`` lets a call pass."""
        with self._lock:
            self._waiting.extend(faults)

    def take(self) -> Fault | None:
        """The fault of the call that arrives now."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

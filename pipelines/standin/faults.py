"""Faults on demand: what can go wrong between the service and a client.

What belongs here: the list of faults and their queue. What does not: carrying them out
(``refusals``, ``spoiling``, ``server``).
"""

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
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
    """Time passes on the clock in the middle of the body (``Faults.slow_seconds``)."""
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    """Every token is worthless from now on."""
    ADDED_COLUMN = "added_column"
    """The table has gained a column."""
    CHANGED_TYPE = "changed_type"
    """The first text column says that it is a number; its values stay what they were."""
    NO_SCHEMA = "no_schema"
    """The schema is empty, as that of an answer without rows may be."""


REFUSALS: Final = frozenset(fault for fault in Fault if fault.value[:3].isdigit())


@dataclass(slots=True)
class _Order:
    """A fault for the calls that it is meant for, while any are left."""

    fault: Fault
    meant_for: Callable[[str], bool]
    left: int | None

    def meets(self, query: str) -> bool:
        """Whether this call meets it; counted down if so."""
        if self.left == 0 or not self.meant_for(query):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """Faults waiting for the calls to come.

    Every call takes the first of the queue, also one that is refused before its fault could show;
    with an empty queue it meets the first standing order that is meant for it.
    """

    def __init__(self) -> None:
        self.slow_seconds = 60.0
        self._lock = threading.Lock()
        self._waiting: deque[Fault | None] = deque()
        self._orders: list[_Order] = []

    def next(self, *faults: Fault | None) -> None:
        """Let the next calls meet these faults, one each; ``None`` lets a call pass."""
        with self._lock:
            self._waiting.extend(faults)

    def when(self, text: str, fault: Fault, *, count: int | None = None) -> None:
        """Let calls whose query holds ``text`` meet the fault: the first ``count``, or all."""
        self._order(_Order(fault, lambda query: text in query, count))

    def sometimes(self, fault: Fault, probability: float, *, seed: int) -> None:
        """Let each call meet the fault with this probability; the same calls for a seed."""
        chance = random.Random(seed)  # noqa: S311 - faults that can be repeated, not secrets
        self._order(_Order(fault, lambda _: chance.random() < probability, None))

    def clear(self) -> None:
        """Let all calls pass from now on."""
        with self._lock:
            self._waiting.clear()
            self._orders.clear()

    def take(self, query: str = "") -> Fault | None:
        """The fault of the call that arrives now."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            return next((each.fault for each in self._orders if each.meets(query)), None)

    def _order(self, order: _Order) -> None:
        with self._lock:
            self._orders.append(order)

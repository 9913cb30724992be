"""Limits, the ledger of what was spent, who goes first, and when the next call may start."""

from pipelines.quota.gate import Call, Gate, Wait
from pipelines.quota.ledger import Ledger
from pipelines.quota.limits import PROFILES, CallQuota, Limits, RunningQuota, parse_limits
from pipelines.quota.order import Turn, Urgency, Waiter, urgency_of
from pipelines.quota.starts import Start, Used
from pipelines.quota.store import LedgerCall, LedgerStore, SqliteStore

__all__ = [
    "PROFILES",
    "Call",
    "CallQuota",
    "Gate",
    "Ledger",
    "LedgerCall",
    "LedgerStore",
    "Limits",
    "RunningQuota",
    "SqliteStore",
    "Start",
    "Turn",
    "Urgency",
    "Used",
    "Wait",
    "Waiter",
    "parse_limits",
    "urgency_of",
]

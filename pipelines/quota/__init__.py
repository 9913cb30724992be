"""Limits, the ledger of what was spent, who goes first, and when the next call may start."""

from pipelines.quota.curve import Step, used_over
from pipelines.quota.forecast import Forecast, Queued
from pipelines.quota.gate import Call, Gate, Wait, is_calling
from pipelines.quota.ledger import Ledger
from pipelines.quota.limits import PROFILES, CallQuota, Limits, Quota, RunningQuota, parse_limits
from pipelines.quota.order import Turn, Urgency, Waiter, urgency_of
from pipelines.quota.sqlite_store import SqliteStore
from pipelines.quota.starts import Account, Spent, Start, Used
from pipelines.quota.store import LedgerCall, LedgerStore

__all__ = [
    "PROFILES",
    "Account",
    "Call",
    "CallQuota",
    "Forecast",
    "Gate",
    "Ledger",
    "LedgerCall",
    "LedgerStore",
    "Limits",
    "Queued",
    "Quota",
    "RunningQuota",
    "Spent",
    "SqliteStore",
    "Start",
    "Step",
    "Turn",
    "Urgency",
    "Used",
    "Wait",
    "Waiter",
    "is_calling",
    "parse_limits",
    "urgency_of",
    "used_over",
]

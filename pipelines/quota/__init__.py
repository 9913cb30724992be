"""Limits, the ledger of what was spent, and when the next call may start."""

from pipelines.quota.gate import Call, Gate, Wait
from pipelines.quota.ledger import Ledger, Start
from pipelines.quota.limits import PROFILES, CallQuota, Limits, RunningQuota, parse_limits

__all__ = [
    "PROFILES",
    "Call",
    "CallQuota",
    "Gate",
    "Ledger",
    "Limits",
    "RunningQuota",
    "Start",
    "Wait",
    "parse_limits",
]

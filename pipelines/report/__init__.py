"""The report: one page that shows whether the lake is whole, and what it took.

What belongs here: what the page says, its pictures, and its HTML. What does not: any figure that
is not in the lake's own tables, its ledger or the hunts' files; it calls no service.
"""

from pipelines.report.expected import Expected, expected_of
from pipelines.report.facts import Facts
from pipelines.report.gathering import gather
from pipelines.report.page import render

__all__ = ["Expected", "Facts", "expected_of", "gather", "render"]

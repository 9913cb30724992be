"""The code location that Dagster loads: one asset for each hunt, and what runs them.

What belongs here: Dagster's own concepts, one module each. What does not: anything that would be
useful without Dagster; that is in ``pipelines``.
"""

from assets.definitions import build_defs

__all__ = ["build_defs", "defs"]

defs = build_defs()

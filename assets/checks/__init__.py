"""Asset checks: what each hunt's lake says of itself, whether or not a run has just added to it.

What belongs here: the checks, one module each, and running them. What does not: finding what they
tell of (``pipelines.soundness``). ``docs/checks.md`` is the table of them.
"""

from assets.checks.run import HuntChecks, all_checks, check_specs

__all__ = ["HuntChecks", "all_checks", "check_specs"]

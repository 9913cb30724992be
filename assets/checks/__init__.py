"""Asset checks: what each hunt's lake says of itself, whether or not a run has just added to it.

What belongs here: the checks, one module each, and running them. What does not: finding what they
tell of (``pipelines.soundness``). ``docs/checks.md`` is the table of them.
"""

from assets.checks.run import HuntChecks, check_specs, checks_job, checks_schedule

__all__ = ["HuntChecks", "check_specs", "checks_job", "checks_schedule"]

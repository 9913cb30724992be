"""What a check found: one line of a report.

What belongs here: the value. What does not: looking (``check``), printing (``commands.check``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it passed, and what was found.

    ``warns`` is of what passed, and needs somebody's attention all the same.
    """

    subject: str
    passed: bool
    text: str
    warns: bool = False

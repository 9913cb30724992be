"""How figures read.

What belongs here: from a number to words. What does not: which numbers are shown.
"""

from typing import Final

_UNITS: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def in_digits(number: int) -> str:
    """``1,234,567``."""
    return f"{number:,}"


def in_days(number: int) -> str:
    """``1 day``, ``1,234 days``."""
    return f"{number:,} day{'s' * (number != 1)}"


def in_bytes(number: float) -> str:
    """In three digits, such as ``1.23 GB``."""
    for size, unit in _UNITS:
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f} B"


def in_time(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 100:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 120 else f"{hours:.1f} h"  # noqa: PLR2004

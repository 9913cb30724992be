"""Lengths of time as settings say them: ``90m``, ``2h``, ``3d``.

What belongs here: reading and writing them. What does not: what any setting means by one
(``hunts``), or the service's own time spans (``landing``).
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_PERIOD: Final = re.compile(r"(\d{1,4})\s?([mhd])")
_UNITS: Final[Mapping[str, timedelta]] = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def parse_period(value: object) -> timedelta:
    """The length that a text such as ``2h`` says. Raises ``ValueError`` for any other value.

    A bare number is refused: whether it means minutes or hours would be a guess.
    """
    if isinstance(value, timedelta):
        return value
    match = _PERIOD.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no length of time such as 90m, 2h or 3d")
    return int(match[1]) * _UNITS[match[2]]


def format_period(period: timedelta) -> str:
    """In the largest unit that it is a whole number of."""
    unit = next(name for name in ("d", "h", "m") if period % _UNITS[name] == timedelta())
    return f"{period // _UNITS[unit]}{unit}"


Period = Annotated[timedelta, BeforeValidator(parse_period)]

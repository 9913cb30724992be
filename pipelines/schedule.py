"""When a hunt is loaded by itself, as its file says it: a word, or a cron schedule.

What belongs here: refusing what is neither, with the file still at hand. What does not: computing
when a schedule comes round, which is Dagster's (``assets.schedules``).
"""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator

NIGHTLY: Final = "nightly"
HOURLY: Final = "hourly"

_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)
_ITEM: Final = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def parse_schedule(value: object) -> str | None:
    """``nightly``, ``hourly``, the fields of a cron schedule, or ``None`` for never.

    YAML's ``true`` is nightly and its ``false`` never. Raises ``ValueError`` for anything else.
    """
    if value is None or isinstance(value, bool):
        return NIGHTLY if value else None
    text = value.strip() if isinstance(value, str) else ""
    if text in {NIGHTLY, HOURLY}:
        return text
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{value!r} is no schedule; write nightly, hourly, false, or the five fields of a cron "
            f"schedule in UTC, such as '15 4 * * *'"
        )
    for field, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for item in field.split(","):
            _check_item(item, name, least, most)
    return " ".join(fields)


def _check_item(item: str, name: str, least: int, most: int) -> None:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{item!r} is no {name} of a cron schedule; write it in numbers")
    first, last, step = (None if group is None else int(group) for group in match.groups())
    low = least if first is None else first
    high = most if first is None else low if last is None else last
    if not least <= low <= high <= most or step == 0:
        raise ValueError(f"{item!r} is no {name} of a cron schedule: {least} to {most}")
    if step is not None and first is not None and last is None:
        raise ValueError(f"{item!r} has a step and no range; write {first}-{most}/{step}")


Schedule = Annotated[str | None, BeforeValidator(parse_schedule)]

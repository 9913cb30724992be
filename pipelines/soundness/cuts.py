"""Answers that look as if the service had cut them at a cap that nobody told huntlake of.

What belongs here: the suspicion, and the caps that are known. What does not: what a receipt proves
(``proof``): an answer below the cap that huntlake goes by counts as whole there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.soundness.landed import Landed

# Rows of one answer: of the older API and portal, of today's portal, and of today's API. Should the
# service have a lower cap for a tenant than its limits say, it is most likely one of these.
KNOWN_CAPS: Final = (10_000, 30_000, 100_000)


@dataclass(frozen=True, slots=True)
class SuspiciousAnswer:
    """An answer with exactly as many rows as a cap allows, and the partitions that it is in."""

    rows: int
    partitions: tuple[str, ...]


def suspicious_answers(landed: Iterable[Landed], query: str) -> Iterator[SuspiciousAnswer]:
    """Whole answers with exactly as many rows as a known cap, oldest first.

    Not where the number stands in the query, which then asks for no more.
    """
    caps = {cap for cap in KNOWN_CAPS if not re.search(rf"\b{cap}\b", query)}
    rows: dict[tuple[str | None, str, int], int] = {}
    names: dict[tuple[str | None, str, int], list[str]] = {}
    for each in landed:
        for part in each.whole_answers:
            rows[part.answer] = rows.get(part.answer, 0) + part.rows
            names.setdefault(part.answer, []).append(each.name)
    for answer, total in rows.items():
        if total in caps:
            yield SuspiciousAnswer(total, tuple(dict.fromkeys(names[answer])))

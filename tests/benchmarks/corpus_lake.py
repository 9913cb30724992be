"""Published hunts over a lake, as hunters would run them: how many answer, and what stops others.

What belongs here: a lake of every documented table, and what becomes of each query over it. What
does not: reading the file of hunts (``corpus``), or whether answers are right
(``tests/lake/pairs``).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from pipelines.errors import KqlError, KqlUnresolved, KqlUnsupported
from pipelines.kql import known_tables
from pipelines.lake import LakeLayout
from pipelines.lake.kql import KqlLake, open_kql, service_functions
from tests.lake.hunters import WHOLE, land_tables

_ROWS = 40


class Became(StrEnum):
    """What became of a query."""

    RAN = "ran"
    NEEDS_SERVICE = "needs the service"
    UNSUPPORTED = "unsupported"
    UNRESOLVED = "reads what no documentation has"
    NO_KQL = "is no KQL"


@dataclass(frozen=True, slots=True)
class Run:
    """A query over the lake; ``construct`` is what stopped it, and ``said`` what it was told."""

    became: Became
    construct: str = ""
    said: str = ""


def run(lake: KqlLake, kql: str) -> Run:
    """Run one query to its last row."""
    try:
        for _ in lake.query(kql).to_arrow_reader(10_000):
            pass
    except KqlError as error:
        return _stopped(kql, error)
    except duckdb.Error as error:
        # What DuckDB finds out only while it answers.
        return Run(Became.UNSUPPORTED, type(error).__name__, str(error).splitlines()[0])
    return Run(Became.RAN)


def _stopped(kql: str, error: KqlError) -> Run:
    # Of a query that needs the service anyway it doesn't matter what is met first.
    if service := min(service_functions(kql), default=None):
        return Run(Became.NEEDS_SERVICE, service, str(error))
    match error:
        case KqlUnsupported():
            return Run(Became.UNSUPPORTED, error.construct, str(error))
        case KqlUnresolved():
            return Run(Became.UNRESOLVED, "", str(error))
        case _:
            return Run(Became.NO_KQL, "", str(error))


def runs(queries: Iterable[str], folder: Path) -> Iterator[Run]:
    """Run the queries over a lake that is made in the folder, one after another."""
    layout = LakeLayout(folder)
    land_tables(layout, dict.fromkeys(known_tables(), _ROWS))
    with open_kql(layout, as_of=WHOLE.end) as lake:
        for kql in queries:
            yield run(lake, kql)


def summary(found: Iterable[Run]) -> dict[str, object]:
    """What ``--json`` adds."""
    found = list(found)
    count = Counter(each.became for each in found)
    stopped = Counter(each.construct for each in found if each.became is Became.UNSUPPORTED)
    return {
        "ran": count[Became.RAN],
        "needs_service_function": count[Became.NEEDS_SERVICE],
        "unsupported": dict(stopped.most_common()),
        "unresolved": count[Became.UNRESOLVED],
        "no_kql": count[Became.NO_KQL],
    }


def share(found: Iterable[Run]) -> float:
    """Of the queries that need nothing of the service, the part that ran."""
    count = Counter(each.became for each in found)
    return count[Became.RAN] / max(1, count.total() - count[Became.NEEDS_SERVICE])

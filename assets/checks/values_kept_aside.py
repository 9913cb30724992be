"""The check ``values_kept_aside``: every value fits the type of its column.

What belongs here: what the check says. What does not: in which partitions and rows, which the
partitions' own metadata says (``findings``).
"""

from collections import Counter
from collections.abc import Mapping

from assets.checks.check import Check, Evidence, Outcome, counted
from assets.findings import UNLISTED
from assets.tables import table
from pipelines.landing import kept_aside_in_file
from pipelines.soundness import Landed


def _judge(evidence: Evidence) -> Outcome:
    recent = evidence.recent
    aside = [each for each in recent if each.values_kept_aside]
    looked_at = counted(len(recent), "partition")
    values = sum(each.values_kept_aside for each in aside)
    if not aside:
        return Outcome(
            passed=True,
            description=f"nothing is kept aside in {looked_at}",
            evidence={"values": 0},
        )
    found: dict[str, list[tuple[str, int]]] = {}
    for each in aside:
        for column, count in _by_column(each).items():
            found.setdefault(column, []).append((each.name, count))
    records = [
        {
            "column": column,
            "values": sum(count for _, count in places),
            "partitions": len(places),
            "last_in": places[-1][0],
        }
        for column, places in sorted(found.items())
    ]
    return Outcome(
        passed=False,
        partitions={each.name for each in aside},
        description=f"{counted(values, 'value')} kept aside, in {len(aside):,} of {looked_at}",
        evidence={
            "values": values,
            "kept_aside": table(
                records, column="string", values="int", partitions="int", last_in="string"
            ),
        },
        todo=(
            "Nothing is lost: read them as they came in the column `_kept_aside`, as in "
            f'`huntlake sql "SELECT _kept_aside FROM {evidence.hunt.name} WHERE _kept_aside IS NOT '
            'NULL LIMIT 10"`. Convert such a column to text in the hunt to have its values in it.'
        ),
    )


def _by_column(each: Landed) -> Mapping[str, int]:
    """By the columns' names; a key that the schema doesn't list may be a part of a record."""
    counts = kept_aside_in_file(each.path) if each.kept_aside is None else each.kept_aside
    listed = {column.wire_name for column in each.columns}
    named: Counter[str] = Counter()
    for name, count in counts.items():
        named[name if name in listed else UNLISTED] += count
    return named


VALUES_KEPT_ASIDE = Check(
    "values_kept_aside",
    "Warns of values that their column's type can't hold, in partitions that the service still "
    "has. They stand as they came in the row's `_kept_aside`, and the column is null there.",
    _judge,
)

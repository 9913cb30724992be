"""Asset checks: each hunt warns of values that its columns can't hold, and of columns that changed.

What belongs here: the checks, and when they speak. What does not: what they speak of
(``findings``). They block nothing: the values are in the lake, and a type that doesn't fit was
refused before.

An asset has one current result for each check, and of a run over many partitions the last one would
hide the others. So there are two kinds of results: one for each partition as it commits, which
stands in the history under the partition, and at the end of the run one for all of them, which is
the current one. A check of Dagster's own with partitions is a preview that its page shows as
skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from assets.findings import Findings, changes_table, kept_aside_table

_KEPT_ASIDE: Final = "values_kept_aside"
_SCHEMA_CHANGE: Final = "schema_change"
_WARN: Final = dg.AssetCheckSeverity.WARN


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a check says of some partitions."""

    check: str
    passed: bool
    description: str
    metadata: Mapping[str, Any]


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a hunt's asset."""
    return [
        dg.AssetCheckSpec(
            _KEPT_ASIDE,
            asset=key,
            description=(
                "Warns of values that their column's type can't hold. They stand as they came in "
                "the row's `_kept_aside`, and the column is null there."
            ),
        ),
        dg.AssetCheckSpec(
            _SCHEMA_CHANGE,
            asset=key,
            description=(
                "Warns of a partition with other columns or types than the one before it. What "
                "does not fit together fails the export instead."
            ),
        ),
    ]


class RunChecks:
    """The checks of one run, over all partitions that it commits."""

    def __init__(self, key: dg.AssetKey) -> None:
        self._key = key
        self._findings: list[Findings] = []

    def of_partition(self, findings: Findings) -> Iterator[dg.AssetCheckEvaluation]:
        """The results of one partition, to be logged once it is committed."""
        self._findings.append(findings)
        for each in _outcomes([findings]):
            yield dg.AssetCheckEvaluation(
                asset_key=self._key,
                check_name=each.check,
                passed=each.passed,
                severity=_WARN,
                description=each.description,
                metadata={"partition": findings.partition, **each.metadata},
                blocking=False,
                partition=findings.partition,
            )

    def of_run(self) -> Iterator[dg.AssetCheckResult]:
        """The results of all partitions that were committed; none where none was."""
        if not self._findings:
            return
        for each in _outcomes(self._findings):
            yield dg.AssetCheckResult(
                asset_key=self._key,
                check_name=each.check,
                passed=each.passed,
                severity=_WARN,
                description=each.description,
                metadata=each.metadata,
            )


def _outcomes(findings: Sequence[Findings]) -> Iterator[_Outcome]:
    looked_at = "one partition" if len(findings) == 1 else f"{len(findings)} partitions"
    aside = [each for each in findings if each.kept_aside]
    values = sum(each.values for each in aside)
    yield _Outcome(
        _KEPT_ASIDE,
        not aside,
        f"{values:,} kept aside, in {len(aside)} of {looked_at}"
        if aside
        else f"nothing is kept aside in {looked_at}",
        {"values": values, **({"kept_aside": kept_aside_table(aside)} if aside else {})},
    )
    changed = [each for each in findings if each.changes]
    yield _Outcome(
        _SCHEMA_CHANGE,
        not changed,
        f"the columns of {len(changed)} of {looked_at} changed"
        if changed
        else f"the columns of {looked_at} are what they were before",
        {
            "partitions_changed": len(changed),
            **({"changes": changes_table(changed)} if changed else {}),
        },
    )

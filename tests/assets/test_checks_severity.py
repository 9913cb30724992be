"""How bad what a check finds is, and what it says to do."""

from typing import Any

import dagster as dg
import pytest

from assets.checks.check import Evidence
from assets.checks.complete import COMPLETE
from assets.checks.gaps import GAPS
from assets.checks.truncation import TRUNCATION
from assets.checks.volume import VOLUME
from pipelines.hunts import ExportSettings, Hunt
from pipelines.soundness import Landed
from pipelines.windows import parse_instant
from tests.soundness.lakes import days, landed

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
MONTH = days("2026-11-01", 29)


def evidence(lake: list[Landed], now: str = "2026-11-30T12:00:00Z", **export: Any) -> Evidence:
    hunt = Hunt("logons", "DeviceLogonEvents", export=ExportSettings(**export))
    return Evidence(hunt, lake, parse_instant(now), 30)


def test_an_unsound_file_is_an_error_that_blocks() -> None:
    """What is made of it would mislead."""
    outcome = COMPLETE.judge(evidence([landed(MONTH[0], 5, problems=("cut", "moved"))]))
    assert (outcome.passed, outcome.severity, COMPLETE.blocking) == (False, ERROR, True)
    assert outcome.partitions == {"2026-11-01"}
    assert len(outcome.evidence["problems"].records) == 2


def test_a_suspicion_of_truncation_warns_and_a_cut_is_an_error() -> None:
    """An error blocks, and a warning never does."""
    suspicious = TRUNCATION.judge(evidence([landed(MONTH[0], 10_000)]))
    cut = landed(MONTH[0], 5, may_be_cut=("a slice",), problems=("a slice",))
    unproven = TRUNCATION.judge(evidence([cut]))
    assert (suspicious.passed, suspicious.severity) == (False, WARN)
    assert (unproven.passed, unproven.severity, TRUNCATION.blocking) == (False, ERROR, True)
    assert "HUNTLAKE_LIMITS" in suspicious.todo


@pytest.mark.parametrize(
    ("now", "severity", "words"),
    [
        ("2026-11-30T12:00:00Z", WARN, "1 day can still be loaded, the first until 2026-12-05"),
        ("2026-12-02T12:00:00Z", ERROR, "1 day can still be loaded"),
        ("2026-12-05T12:00:00Z", WARN, "1 day lost for good"),
    ],
)
def test_a_gap_is_an_error_while_somebody_has_to_hurry(
    now: str, severity: dg.AssetCheckSeverity, words: str
) -> None:
    """Nobody can do anything about what is lost, so it is no alarm."""
    lake = [landed(each, 5) for each in MONTH if each.key != "2026-11-05"]
    outcome = GAPS.judge(evidence(lake, now, schedule=False))
    assert (outcome.passed, outcome.severity) == (False, severity)
    assert words in outcome.description


def test_an_unusual_day_is_shown_beside_the_earlier_weeks() -> None:
    """With what would have been usual."""
    lake = [landed(each, 0 if each.key == "2026-11-29" else 900) for each in MONTH]
    outcome = VOLUME.judge(evidence(lake))
    assert (outcome.passed, outcome.severity, VOLUME.blocking) == (False, WARN, False)
    [record] = outcome.evidence["unusual"].records
    assert record.data == {
        "partition": "2026-11-29",
        "rows": 0,
        "usual": "300 to 2,700",
        "earlier_weeks": "900, 900, 900, 900",
    }


def test_a_lake_without_history_passes_and_says_so() -> None:
    """Silence would look like a judgement."""
    outcome = VOLUME.judge(evidence([landed(MONTH[-1], 900)]))
    assert outcome.passed
    assert "not enough history" in outcome.description

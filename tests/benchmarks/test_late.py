"""The benchmark of late data: what it claims of one workload, in seconds."""

import json
from dataclasses import asdict

import pytest
from click.testing import CliRunner

from tests.benchmarks import late


def test_late_events_cost_a_tenth_of_pulling_all_again() -> None:
    """And none is missed."""
    workload = next(each for each in late.workloads() if each.name == "near the end")
    outcome = late.measure(workload, rows=9_000, cap=250)
    assert outcome.late_rows > 0
    assert outcome.holds, outcome


def test_the_object_has_the_four_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all workloads together; what is missed fails the run."""
    outcome = late.Outcome(late_rows=3, missed_rows=0, calls=2, full_repull_calls=40)
    monkeypatch.setattr(late, "measure", lambda *_, **__: outcome)
    result = CliRunner().invoke(late.main, ["--json"])
    number = len(list(late.workloads()))
    assert result.exit_code == 0
    assert json.loads(result.output) == {key: number * n for key, n in asdict(outcome).items()}
    monkeypatch.setattr(late, "measure", lambda *_, **__: late.Outcome(3, 1, 2, 40))
    assert CliRunner().invoke(late.main, ["--json"]).exit_code == 1

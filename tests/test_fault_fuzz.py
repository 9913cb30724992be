"""A handful of what ``python -m tests.benchmarks.faults`` does by the hundred."""

import json

import pytest
from click.testing import CliRunner

from pipelines.errors import HuntlakeError
from pipelines.standin import Fault
from tests.benchmarks import faults
from tests.benchmarks.faults import (
    Order,
    Tally,
    Trial,
    alone,
    expected_of,
    main,
    plain_cases,
    run,
    together,
)

FATAL = [Fault.FORBIDDEN_HTML, Fault.CHANGED_TYPE]


def ending(trial: Trial) -> tuple[HuntlakeError | None, Tally]:
    tally = Tally()
    return run(trial, tally), tally


@pytest.mark.parametrize("seed", range(1, 6))
def test_faults_together_end_in_a_whole_export_or_a_named_error(seed: int) -> None:
    """What was committed is unharmed, and the next export completes without pulling twice."""
    error, tally = ending(together(seed))
    assert tally.complete + tally.failed.total() == 1
    assert (error is None) == (tally.complete == 1)


@pytest.mark.parametrize("fault", FATAL)
def test_a_fault_that_fails_leaves_what_was_staged(fault: Fault) -> None:
    """In the midst of an export, over several pages."""
    trial = alone(plain_cases()[0], fault)[1]
    error, tally = ending(trial)
    assert error is not None
    assert expected_of(trial, error)
    assert tally.met == {str(fault): 1}


def test_a_hunt_that_can_not_be_cut_survives_what_passes() -> None:
    """A query that was preempted once is asked again as it is; no smaller one may be asked for."""
    case = plain_cases()[1]
    preempted = [Order(Fault.TOO_HEAVY, call=0), Order(Fault.TOO_HEAVY, call=1)]
    error, tally = ending(Trial(case, (*preempted, Order(Fault.GATEWAY_TIMEOUT, call=2))))
    assert error is None
    assert tally.met.total() == 3


def test_the_judge_notices_a_lost_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its verdict would be worth nothing."""
    trial = Trial(plain_cases()[1], ())
    monkeypatch.setattr(faults, "truth", lambda *_: {("a row that was lost",): 1})
    with pytest.raises(AssertionError):
        ending(trial)


def test_it_prints_one_object_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how the runs ended, which faults they met, and what went wrong."""
    monkeypatch.setattr(faults, "each_alone", lambda: alone(plain_cases()[1], Fault.RESET)[:1])
    result = CliRunner().invoke(main, ["--json", "--runs", "1"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["runs"] == 2
    assert said["wrong"] == []
    assert said["complete"] + sum(said["failed"].values()) == 2
    assert said["met"]["reset"] >= 1

"""The report as Dagster writes it."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.report import report_asset
from pipelines.clock import SimulatedClock
from pipelines.lake import LakeLayout
from pipelines.standin import Standin
from tests.assets.test_exports import RANGE, hunts, materialize

__all__ = ["hunts", "materialize"]


def test_it_is_written_with_its_figures(
    serve: Callable[..., Standin],
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
) -> None:
    """Beside the lake, of what has landed."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(serve(), instance, tags=RANGE).success
        result = dg.materialize([report_asset(hunts.layout, clock)], instance=instance)
        [told] = result.asset_materializations_for_node("report")
    assert told.metadata["partitions"].value == 3
    assert told.metadata["days_gone"].value == 0
    page = (hunts.layout.root / "report.html").read_text(encoding="utf-8")
    assert "network" in page


def test_without_a_lake_it_fails_in_one_sentence(hunts: TenantHunts) -> None:
    """And leaves no page."""
    result = dg.materialize([report_asset(hunts.layout)], raise_on_error=False)
    [failure] = [each for each in result.all_events if each.is_step_failure]
    assert "there is no lake" in str(failure.step_failure_data.user_failure_data)
    assert not (hunts.layout.root / "report.html").exists()


def test_it_is_kept_fresh_by_a_schedule(hunts: TenantHunts) -> None:
    """Once for the whole deployment, and switched off at first."""
    found = {each.name: each for each in build_defs(hunts).get_repository_def().schedule_defs}
    schedule = found["report__hourly"]
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert isinstance(hunts.layout, LakeLayout)

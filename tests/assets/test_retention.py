"""The nightly retention as Dagster runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.catalogue import TenantHunts
from assets.definitions import build_defs
from assets.retention import retention_job
from pipelines.clock import SimulatedClock
from pipelines.hunt_files import load_hunts
from pipelines.standin import Standin
from tests.assets.test_exports import RANGE, hunts, materialize

__all__ = ["hunts", "materialize"]

Serve = Callable[..., Standin]


@pytest.mark.parametrize(("retention", "left"), [("40d", 1), ("60d", 3)])
def test_what_has_outlived_its_hunt_s_retention_is_removed(  # noqa: PLR0917 - fixtures
    retention: str,
    left: int,
    serve: Serve,
    materialize: Callable[..., Any],
    hunts: TenantHunts,
    clock: SimulatedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And told of, partition by partition; nothing else is."""
    monkeypatch.setenv("HUNTLAKE_LIMITS", "seed")
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(serve(), instance, tags=RANGE).success
        clock.sleep(39 * 86_400)
        file = tmp_path / "hunts" / "network.kql"
        text = file.read_text().replace(
            "// export:\n", f"// export:\n//   retention: {retention}\n"
        )
        file.write_text(text)
        kept = TenantHunts("demo", load_hunts(tmp_path / "hunts"), hunts.layout)
        job = retention_job(kept, clock)
        result = job.execute_in_process(instance=instance)
        told = instance.fetch_observations(hunts.key("network"), limit=10).records
    assert result.success
    assert len(hunts.layout.hunt_files("network")) == left
    removed = {each.partition_key for each in told}
    assert removed == ({"2026-11-17", "2026-11-18"} if left == 1 else set())


def test_it_has_a_schedule_of_its_own(hunts: TenantHunts) -> None:
    """Switched off, as all are."""
    found = {each.name: each for each in build_defs(hunts).get_repository_def().schedule_defs}
    schedule = found["demo__retention__nightly"]
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert str(schedule.cron_schedule).endswith(" 7 * * *")

"""The benchmark of many tenants, with few."""

import json

import pytest
from click.testing import CliRunner

from tests.benchmarks.tenants import main


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the benchmark sets is gone with the test."""
    for name in ("HUNTLAKE_TENANTS", "HUNTLAKE_HUNTS", "HUNTLAKE_DATA"):
        monkeypatch.setenv(name, "")


# Dagster's own, of a property that it reads itself.
@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`")
def test_it_prints_one_json_object() -> None:
    """With an asset and a schedule for each hunt of each tenant, its own, and what loading took."""
    done = CliRunner().invoke(main, ["--tenants", "3", "--hunts", "2", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["tenants"] == 3
    # A quota each, and one report; three things each night, and the report.
    assert (printed["assets"], printed["schedules"]) == (3 * (2 + 1) + 1, 3 * (2 + 3) + 1)
    assert {"load_seconds", "snapshot_seconds", "megabytes"} < printed.keys()

"""How long the definitions of many tenants take to load, in one process, and in how much memory.

    python -m tests.benchmarks.tenants [--json] [--tenants N] [--hunts N]

What belongs here: what Dagster's code server does when it starts: settings, hunts, definitions, and
the snapshot of them that the page and the daemon are sent. What does not: runs. Dagster itself is
imported before the clock starts, which takes as long with one tenant.
"""

import gc
import json
import os
import resource
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
import dagster as dg
from dagster._core.definitions.repository_definition import RepositoryDefinition
from dagster._core.remote_representation.external_data import RepositorySnap

from assets.catalogue import load_deployment
from assets.definitions import build_defs

# Hunts of every kind of partition, with as much to analyse as those that come along.
_HUNTS: Final = (
    "DeviceNetworkEvents | where RemoteIPType == 'Public' | project Timestamp, DeviceId, RemoteIP",
    "DeviceLogonEvents | where ActionType == 'LogonFailed' | project Timestamp, DeviceId",
    "DeviceProcessEvents | summarize n = count() by DeviceId, bin(Timestamp, 1h)",
    "DeviceTvmSoftwareVulnerabilities | project DeviceId, CveId",
    "AlertInfo | project Timestamp, AlertId, Title",
)
_MEGABYTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading took.

    ``cpu_seconds`` is what both took of a processor, whatever else the machine was doing;
    ``grown_megabytes`` what they added to the process.
    """

    tenants: int
    hunts_each: int
    assets: int
    schedules: int
    load_seconds: float
    snapshot_seconds: float
    cpu_seconds: float
    megabytes: float
    grown_megabytes: float


def measure(tenants: int, hunts: int) -> Loaded:
    """Load the definitions of so many tenants as a code server does."""
    with tempfile.TemporaryDirectory() as name:
        _write_project(Path(name), tenants, hunts)
        gc.collect()
        before = _megabytes()
        started, cpu = time.perf_counter(), time.process_time()
        repository = _load()
        loaded = time.perf_counter()
        RepositorySnap.from_def(repository, defer_snapshots=True)
        done = time.perf_counter()
        return Loaded(
            tenants=tenants,
            hunts_each=hunts,
            assets=len(repository.asset_graph.get_all_asset_keys()),
            schedules=len(repository.schedule_defs),
            load_seconds=round(loaded - started, 2),
            snapshot_seconds=round(done - loaded, 2),
            cpu_seconds=round(time.process_time() - cpu, 2),
            megabytes=round(_megabytes()),
            grown_megabytes=round(_megabytes() - before),
        )


def _load() -> RepositoryDefinition:
    definitions = build_defs(load_deployment())
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    repository.load_all_definitions()
    return repository


def _write_project(folder: Path, tenants: int, hunts: int) -> None:
    """A tenants file and a catalogue, and the environment that points to them."""
    catalogue = folder / "hunts"
    catalogue.mkdir()
    for number in range(hunts):
        query = _HUNTS[number % len(_HUNTS)]
        (catalogue / f"hunt_{number}.kql").write_text(f"// name: Hunt {number}\n{query}")
    entries = "".join(
        f"  - name: tenant-{number:03}\n    id: 00000000-0000-4000-8000-{number:012}\n"
        for number in range(tenants)
    )
    (folder / "tenants.yaml").write_text(
        "defaults:\n  sign_in:\n    kind: secret\n"
        "    client_id: 5f0c0de0-0000-4000-8000-000000000000\n"
        f"    client_secret_env: NO_SUCH_SECRET\ntenants:\n{entries}"
    )
    os.environ["HUNTLAKE_TENANTS"] = str(folder / "tenants.yaml")
    os.environ["HUNTLAKE_HUNTS"] = str(catalogue)
    os.environ["HUNTLAKE_DATA"] = str(folder / "data")


def _megabytes() -> float:
    """The most that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE


@click.command()
@click.option("--tenants", default=100, show_default=True, help="How many tenants there are.")
@click.option("--hunts", default=5, show_default=True, help="How many hunts each of them has.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(tenants: int, hunts: int, *, as_json: bool) -> None:
    """Load the definitions of many tenants, and say what that took."""
    loaded = measure(tenants, hunts)
    if as_json:
        click.echo(json.dumps(asdict(loaded)))
        return
    click.echo(
        f"{loaded.tenants} tenants with {loaded.hunts_each} hunts each: {loaded.assets} assets and "
        f"{loaded.schedules} schedules\n"
        f"loaded in {loaded.load_seconds:.1f} s, and described to Dagster in "
        f"{loaded.snapshot_seconds:.1f} s more ({loaded.cpu_seconds:.1f} s of CPU in all)\n"
        f"{loaded.megabytes:.0f} MB in the process, {loaded.grown_megabytes:.0f} MB of them by "
        f"loading"
    )


if __name__ == "__main__":
    main()

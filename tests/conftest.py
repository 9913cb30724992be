"""What tests of more than one part share: a stand-in tenant, and an engine that talks to it."""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.clock import SimulatedClock
from pipelines.engine import Engine
from pipelines.hunts import ExportSettings, Hunt, SurfaceName
from pipelines.settings import load_settings
from pipelines.standin import RunningTimeModel, Standin, StandinLimits, SyntheticSettings
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, parse_instant

# No test depends on how quick the machine is.
settings.register_profile("huntlake", deadline=None)
settings.load_profile("huntlake")

# All tests of the whole happen in this morning; the tenant's last whole day is the 19th.
TODAY = parse_instant("2026-11-20")
MORNING = TODAY + 6 * 3_600 * TICKS_PER_SECOND
EVENTS = SyntheticSettings(end=TODAY, days=8, rows_per_day=1_500, busiest_day_rows=6_000)

NETWORK = Hunt(
    name="network",
    query="DeviceNetworkEvents\n| project Timestamp, DeviceId, RemoteIP, RemotePort, ReportId",
)
TYPES = Hunt(name="types", query="HuntlakeTypes", export=ExportSettings(time_column="Timestamp"))


@atexit.register
def let_the_closing_line_be_the_last() -> None:
    """Close standard error once all tests are over.

    Hypothesis and pydantic keep classes to the very end of the process, and DuckDB's bindings then
    print a page of each module that is kept.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(MORNING * NANOSECONDS_PER_TICK)


@pytest.fixture(scope="session")
def standin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose events are made once for all tests, which don't change them."""
    return tmp_path_factory.mktemp("standin")


@pytest.fixture
def serve(standin_folder: Path, clock: SimulatedClock) -> Iterator[Callable[..., Standin]]:
    """Starts a stand-in with the limits asked for; it stops with the test."""
    with ExitStack() as stack:

        def start(*, passes: bool = True, **limits: object) -> Standin:
            return stack.enter_context(
                Standin(
                    standin_folder,
                    data=EVENTS,
                    limits=StandinLimits(**limits),
                    running_time=RunningTimeModel(passes=passes),
                    clock=clock,
                )
            )

        yield start


@pytest.fixture
def engine_for(tmp_path: Path, clock: SimulatedClock) -> Iterator[Callable[..., Engine]]:
    """Opens an engine on a stand-in, with the same limits as it enforces or others."""
    with ExitStack() as stack:

        def open_engine(
            standin: Standin, *, surface: SurfaceName = "graph", limits: str = "seed"
        ) -> Engine:
            environment = {
                **standin.environment(surface),
                "HUNTLAKE_DATA": str(tmp_path / "data"),
                "HUNTLAKE_LIMITS": limits,
            }
            settings = load_settings(environment, root=tmp_path)
            return stack.enter_context(Engine(settings, clock))

        yield open_engine

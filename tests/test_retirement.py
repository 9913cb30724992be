"""The guard of surfaces that Microsoft ends, on either side of the day."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.clock import SimulatedClock
from pipelines.engine import Engine
from pipelines.errors import SurfaceRetired
from pipelines.hunts import ExportSettings, SurfaceName
from pipelines.progress import Event, SurfaceRetires
from pipelines.retirement import retiring
from pipelines.settings import Settings, load_settings
from pipelines.slicing import partition
from pipelines.tenants import load_tenants
from pipelines.windows import NANOSECONDS_PER_TICK, parse_instant
from tests.conftest import NETWORK

DAY = partition("daily", "2027-01-31")
OWN = replace(NETWORK, export=ExportSettings(surface="mde"), path=Path("hunts/network.kql"))


def clock_at(text: str) -> SimulatedClock:
    return SimulatedClock(parse_instant(text) * NANOSECONDS_PER_TICK)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "5f0c0de0-0000-4000-8000-000000000000",
        "AZURE_CLIENT_SECRET": "secret",
        "HUNTLAKE_SURFACE": "xdr",
    }
    return load_settings(environment, root=tmp_path)


def test_until_its_last_day_is_over_a_surface_is_warned_of_once(settings: Settings) -> None:
    """However many hunts an engine exports, and how; with setting, permission and day."""
    told: list[Event] = []
    with Engine(settings, clock_at("2027-02-01T23:59:59")) as engine:
        for hunt in (NETWORK, replace(NETWORK, name="other")):
            engine.export(hunt, [DAY], observer=told.append)
            engine.export_in_spite(hunt, [DAY], observer=told.append)
    [warning] = told
    assert isinstance(warning, SurfaceRetires)
    assert "Microsoft ends the surface xdr on 1 February 2027" in str(warning)
    assert "set HUNTLAKE_SURFACE to graph" in str(warning)
    assert "ThreatHunting.Read.All" in str(warning)


@pytest.mark.parametrize("surface", ["xdr", "mde"])
def test_after_it_the_surface_is_refused(surface: SurfaceName, settings: Settings) -> None:
    """Before anything is sent, for exports, plans and counts alike."""
    with Engine(replace(settings, surface=surface), clock_at("2027-02-02")) as engine:
        for refused in (
            lambda: engine.export(NETWORK, [DAY]),
            lambda: engine.export_in_spite(NETWORK, [DAY]),
            lambda: engine.plan(NETWORK, [DAY], may_count=False),
            lambda: engine.verify(NETWORK, [DAY]),
        ):
            with pytest.raises(SurfaceRetired) as caught:
                refused()
            assert "network is not asked for in tenant contoso.com" in str(caught.value)
            assert f"ended the surface {surface}" in str(caught.value)
            assert "set HUNTLAKE_SURFACE to graph" in str(caught.value)


def test_graph_is_not_concerned(settings: Settings) -> None:
    """Nor is a hunt that has moved there by itself."""
    moved = replace(NETWORK, export=ExportSettings(surface="graph"))
    told: list[Event] = []
    with Engine(settings, clock_at("2027-02-02")) as engine:
        engine.export(moved, [DAY], observer=told.append)
    assert told == []


def test_the_setting_is_the_one_that_chose(tmp_path: Path) -> None:
    """A hunt's own, its tenant's, or that of all tenants, each with its place."""
    (tmp_path / "tenants.yaml").write_text(
        "defaults:\n  surface: xdr\n  sign_in: {kind: managed-identity}\ntenants:\n"
        "  - {name: a, id: a.com}\n  - name: b\n    id: b.com\n    surface: mde\n"
    )
    tenants = load_tenants({}, root=tmp_path)
    for name, setting in (("a", "tenants.yaml:2"), ("b", "tenants.yaml:8")):
        tenant = tenants.tenant(name)
        ends = retiring(NETWORK, tenant.surface, tenant.surface_setting)
        assert ends is not None
        assert f"set `surface:` ({tmp_path}/{setting}) to graph" in ends.warning
        own = retiring(OWN, tenant.surface, tenant.surface_setting)
        assert own is not None
        assert "set `surface:` of the hunt network (hunts/network.kql) to graph" in own.warning

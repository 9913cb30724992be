"""The engine, assembled: what a hunt's own settings change."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.clock import SimulatedClock
from pipelines.engine import Engine
from pipelines.errors import LakeUnwritable, SettingsError
from pipelines.hunts import ExportSettings
from pipelines.settings import Settings, load_settings
from tests.conftest import NETWORK


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environment = {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "5f0c0de0-0000-4000-8000-000000000000",
        "AZURE_CLIENT_SECRET": "secret",
    }
    return load_settings(environment, root=tmp_path)


def test_a_hunt_may_choose_its_surface_and_tenant(
    settings: Settings, clock: SimulatedClock
) -> None:
    """Its file wins over the environment, for this hunt alone."""
    own = replace(NETWORK, export=ExportSettings(surface="xdr", tenant="fabrikam.com"))
    with Engine(settings, clock) as engine:
        assert engine.tenant_for(NETWORK) is engine.tenant_for(NETWORK)
        assert engine.tenant_for(NETWORK).surface.name == "graph"
        chosen = engine.tenant_for(own)
    assert (chosen.surface.name, chosen.id) == ("xdr", "fabrikam.com")


def test_a_hunt_s_surface_must_be_served_by_the_host(
    settings: Settings, clock: SimulatedClock
) -> None:
    """Told before anything is sent, with the setting to change."""
    graph_only = replace(settings, api_url="https://graph.microsoft.com")
    own = replace(NETWORK, export=ExportSettings(surface="xdr"))
    with (
        Engine(graph_only, clock) as engine,
        pytest.raises(SettingsError, match="API_URL"),
    ):
        engine.tenant_for(own)


def test_a_data_folder_that_can_not_be_written_is_told_first(
    settings: Settings, tmp_path: Path
) -> None:
    """Before any quota is spent."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeUnwritable, match="Nothing is called"):
        Engine(replace(settings, data=tmp_path / "file"))

"""What Dagster is given: assets, partitions, pools and schedules."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from assets.catalogue import TenantHunts, dagster_name
from assets.definitions import build_defs
from assets.resources import EngineResource
from pipelines.errors import SettingsError
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout

KQL = "DeviceLogonEvents | project Timestamp, DeviceId"
NIGHT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "hunts"
    folder.mkdir()
    (folder / "logons.kql").write_text(
        "// name: Logons\n// description: Who signed in\n// tags: raw\n"
        "// export:\n//   owners: [team:hunters]\n//   start: 2026-11-01\n" + KQL
    )
    since = "//   start: 2026-11-01\n"
    (folder / "hours.kql").write_text(f"// export:\n//   partitions: hourly\n{since}{KQL}")
    (folder / "state.kql").write_text(
        f"// export:\n{since}DeviceTvmSoftwareInventory | project DeviceId"
    )
    (folder / "long_kept.kql").write_text("DeviceTvmSoftwareInventory | project SoftwareName")
    return folder


def definitions(folder: Path) -> dg.Definitions:
    layout = LakeLayout(folder.parent / "data")
    return build_defs(TenantHunts("contoso.com", load_hunts(folder), layout))


def spec_of(defs: dg.Definitions, name: str) -> dg.AssetSpec:
    [spec] = [each for each in defs.resolve_all_asset_specs() if each.key.path[-1] == name]
    return spec


def test_each_hunt_is_an_asset_of_its_tenant(folder: Path) -> None:
    """With its words, its KQL as code, owners, tags and kinds."""
    defs = definitions(folder)
    dg.Definitions.validate_loadable(defs)
    spec = spec_of(defs, "logons")
    assert spec.key.path == ["contoso_com", "logons"]
    assert "Who signed in" in (spec.description or "")
    assert f"```kql\n{KQL}\n```" in (spec.description or "")
    assert spec.owners == ["team:hunters"]
    assert "raw" in spec.tags
    assert {"kql", "parquet"} <= spec.kinds
    assert spec.code_version


def test_partitions_are_as_the_hunt_says(folder: Path) -> None:
    """Days, hours, or today's snapshot, all in UTC."""
    defs = definitions(folder)
    days = spec_of(defs, "logons").partitions_def
    hours = spec_of(defs, "hours").partitions_def
    state = spec_of(defs, "state").partitions_def
    assert days is not None
    assert hours is not None
    assert state is not None
    assert days.get_partition_keys(current_time=NIGHT)[0] == "2026-11-01"
    assert days.get_partition_keys(current_time=NIGHT)[-1] == "2026-11-19"
    assert hours.get_partition_keys(current_time=NIGHT)[-1] == "2026-11-20-01:00"
    assert state.get_partition_keys(current_time=NIGHT)[-1] == "2026-11-20"


def test_what_has_landed_stays_in_sight(folder: Path) -> None:
    """Days older than the service keeps remain partitions while the lake has them."""
    old = folder.parent / "data/lake/long_kept/tenant=contoso.com/date=2024-02-29"
    old.mkdir(parents=True)
    kept = spec_of(definitions(folder), "long_kept").partitions_def
    assert kept is not None
    assert kept.get_partition_keys(current_time=NIGHT)[0] == "2024-02-29"


def test_hunts_begin_on_one_day_so_that_they_can_be_backfilled_together(folder: Path) -> None:
    """All but those that say their own."""
    (folder / "new.kql").write_text(KQL)
    (folder / "landed.kql").write_text(KQL)
    (folder.parent / "data/lake/landed/tenant=contoso.com/date=2026-02-03").mkdir(parents=True)
    defs = definitions(folder)
    starts = {}
    for name in ("new", "landed", "logons"):
        days = spec_of(defs, name).partitions_def
        assert isinstance(days, dg.TimeWindowPartitionsDefinition)
        starts[name] = f"{days.start:%Y-%m-%d}"
    assert starts == {"new": "2026-02-03", "landed": "2026-02-03", "logons": "2026-11-01"}


def test_every_pull_of_a_tenant_shares_one_pool(folder: Path) -> None:
    """With a limit of one, Dagster itself keeps them one after another."""
    defs = definitions(folder)
    pools = {
        op.pool
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and not asset.keys & WITHOUT_CALLS
        for op in [asset.op]
    }
    assert pools == {"tenant_contoso_com"}


def deployment_of(folder: Path, tenants: str, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    file = folder.parent / "tenants.yaml"
    file.write_text(f"defaults:\n  sign_in: {{kind: managed-identity}}\ntenants:\n{tenants}")
    monkeypatch.setenv("HUNTLAKE_TENANTS", str(file))
    monkeypatch.setenv("HUNTLAKE_HUNTS", str(folder))
    monkeypatch.setenv("HUNTLAKE_DATA", str(folder.parent / "data"))
    return build_defs()


def test_each_of_many_tenants_has_its_own_assets_group_and_pool(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its name, with the hunts that it chooses, and nothing in common but the page."""
    tenants = "  - {name: Contoso.com, id: a}\n  - {name: fabrikam, id: b, hunts: [hours]}\n"
    defs = deployment_of(folder, tenants, monkeypatch)
    dg.Definitions.validate_loadable(defs)
    specs = {tuple(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}
    assert {key for key in specs if key[0] == "fabrikam"} == {
        ("fabrikam", "hours"),
        ("fabrikam", "quota"),
    }
    assert {("contoso_com", name) for name in ("logons", "hours", "state")} < specs.keys()
    assert {spec.group_name for key, spec in specs.items() if key[0] == "fabrikam"} == {"fabrikam"}
    pools = {
        asset.op.pool
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.key.path[-1] == "hours"
    }
    assert pools == {"tenant_contoso_com", "tenant_fabrikam"}


def test_what_is_wrong_with_a_tenant_is_seen_and_hides_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad entry, a hunt that is misspelt, and a hunt for a tenant that there is not."""
    (folder / "own.kql").write_text(f"// export:\n//   tenants: [contosso]\n{KQL}")
    tenants = "  - {name: contoso, id: a, hunts: [logon, state]}\n  - {name: bad, surface: soap}\n"
    defs = deployment_of(folder, tenants, monkeypatch)
    dg.Definitions.validate_loadable(defs)
    broken = {
        tuple(spec.key.path): spec.description or ""
        for spec in defs.resolve_all_asset_specs()
        if (spec.group_name or "").startswith("broken")
    }
    assert "a tenant needs `id:`" in broken["broken_tenants", "bad"]
    assert "did you mean logons?" in broken["contoso", "logon"]
    assert "names the tenant contosso" in broken["contosso", "own"]
    assert spec_of(defs, "state").key.path == ["contoso", "state"]


def test_a_tenant_s_secret_is_missed_by_its_own_runs_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Definitions need none; the run fails with the tenant's name and that of the variable."""
    sign_in = "{kind: secret, client_id: x, client_secret_env: NO_SUCH_SECRET}"
    tenants = f"  - {{name: a, id: a}}\n  - {{name: b, id: b, sign_in: {sign_in}}}\n"
    dg.Definitions.validate_loadable(deployment_of(folder, tenants, monkeypatch))
    with pytest.raises(SettingsError, match=r"tenant b .*\n.*NO_SUCH_SECRET is not set"):
        EngineResource().open("b")
    with EngineResource().open("a") as engine:
        assert engine.settings.tenant == "a"


def test_the_page_says_of_a_surface_that_it_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else of the hunt, with what to change."""
    tenants = "  - {name: a, id: a, surface: xdr, hunts: [logons]}\n"
    said = spec_of(deployment_of(folder, tenants, monkeypatch), "logons").description or ""
    assert said.startswith("**Microsoft ends the surface xdr on 1 February 2027: set `surface:`")


WITHOUT_CALLS = {
    *(dg.AssetKey(["contoso_com", each]) for each in ("remote_destinations", "quota")),
    dg.AssetKey(["report"]),
}


def test_a_backfill_is_one_run(folder: Path) -> None:
    """Thirty runs would each start Python and Dagster anew."""
    for asset in definitions(folder).assets or ():
        if isinstance(asset, dg.AssetsDefinition) and not asset.keys & WITHOUT_CALLS:
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_a_broken_hunt_is_seen_and_hides_no_other(folder: Path) -> None:
    """It stands among the assets with what is wrong, and fails with it."""
    (folder / "broken.kql").write_text('DeviceLogonEvents | where X == "unclosed')
    defs = definitions(folder)
    assert spec_of(defs, "logons")
    broken = spec_of(defs, "broken")
    assert "broken.kql" in (broken.description or "")
    result = dg.materialize(
        [asset for asset in defs.assets or () if broken.key in getattr(asset, "keys", ())],
        raise_on_error=False,
    )
    assert not result.success


def test_names_are_made_fit_for_dagster() -> None:
    """Which allows letters, digits and underscores."""
    assert dagster_name("72f988bf-86f1.Contoso") == "72f988bf_86f1_contoso"

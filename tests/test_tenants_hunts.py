"""Which hunts are a tenant's."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import HuntFileError, HuntNotFound
from pipelines.hunt_files import Catalogue, load_hunts
from pipelines.hunts import ExportSettings, Hunt
from pipelines.tenants import Tenants, load_tenants

QUERY = "AlertInfo | project Timestamp"


def hunt(name: str, *, tags: tuple[str, ...] = (), **export: object) -> Hunt:
    return Hunt(name, QUERY, tags=tags, export=ExportSettings(**export))


CATALOGUE = Catalogue(
    {
        each.name: each
        for each in (
            hunt("logons", group="identity"),
            hunt("alerts", tags=("raw",)),
            hunt("own", tenants=("contoso",)),
            hunt("older", tenant="fabrikam.com"),
        )
    },
    {"broken": HuntFileError("broken.kql:1: wrong")},
)


@pytest.fixture
def choosing(tmp_path: Path) -> Tenants:
    """Two tenants; the first chooses by group, tag and name, the second has all."""
    (tmp_path / "tenants.yaml").write_text(
        "defaults:\n  sign_in: {kind: managed-identity}\ntenants:\n"
        "  - name: contoso\n    id: contoso.com\n"
        '    hunts: ["group:identity", "tag:raw", own]\n'
        "  - {name: fabrikam, id: fabrikam.com}\n"
    )
    return load_tenants({}, root=tmp_path)


def test_a_tenant_has_the_hunts_that_it_chooses(choosing: Tenants) -> None:
    """By group, tag and name; by default all but those that are for others."""
    assert set(choosing.tenant("contoso").hunts(CATALOGUE).hunts) == {"logons", "alerts", "own"}
    assert set(choosing.tenant("fabrikam").hunts(CATALOGUE).hunts) == {"logons", "alerts", "older"}


def test_a_hunt_s_own_tenant_is_settled_once_it_is_chosen(choosing: Tenants) -> None:
    """The older key names a tenant by id as well, and asks no other than that one."""
    older = choosing.hunt(choosing.tenant("fabrikam"), "older", CATALOGUE)
    assert older.export.tenant is None
    assert older.fingerprint == CATALOGUE.hunts["older"].fingerprint


def test_a_hunt_of_another_tenant_is_refused(choosing: Tenants) -> None:
    """With what to change; one that there is not at all, as ever."""
    with pytest.raises(HuntNotFound, match="older is none of tenant contoso's"):
        choosing.hunt(choosing.tenant("contoso"), "older", CATALOGUE)
    with pytest.raises(HuntNotFound, match="did you mean logons"):
        choosing.hunt(choosing.tenant("contoso"), "logon", CATALOGUE)


def test_a_choice_of_nothing_is_seen(tmp_path: Path) -> None:
    """A name that is misspelt would else be a hunt that never runs; a broken file may be chosen."""
    (tmp_path / "tenants.yaml").write_text(
        "tenants:\n  - name: contoso\n    id: contoso.com\n    sign_in: {kind: managed-identity}\n"
        '    hunts: [logon, "group:none", broken]\n'
    )
    found = load_tenants({}, root=tmp_path).tenant("contoso").hunts(CATALOGUE)
    assert not found.hunts
    assert set(found.failed) == {"logon", "none", "broken"}
    assert "tenants.yaml:5: " in str(found.failed["logon"])
    assert "did you mean logons?" in str(found.failed["logon"])


def test_a_hunt_that_names_no_tenant_of_ours_is_told(choosing: Tenants) -> None:
    """By either key; without a file of tenants the older key still names one by its id."""
    strange = Catalogue({"a": hunt("a", tenants=("contosso",)), "b": hunt("b", tenant="b.com")})
    assert [(each.tenant, each.hunt) for each in choosing.misdirected(strange)] == [
        ("contosso", "a"),
        ("b.com", "b"),
    ]
    only = load_tenants({"AZURE_TENANT_ID": "contoso.com"}, root=Path("/nowhere"))
    assert [each.hunt for each in only.misdirected(strange)] == ["a"]
    assert set(only.tenant().hunts(strange).hunts) == {"b"}
    assert only.tenant().hunts(strange).hunts["b"].export.tenant == "b.com"


def test_one_key_says_whose_a_hunt_is(tmp_path: Path) -> None:
    """Two would have to agree."""
    (tmp_path / "a.kql").write_text(f"// export:\n//   tenant: a\n//   tenants: [b]\n{QUERY}")
    [error] = load_hunts(tmp_path).errors
    assert "a.kql:2: `tenant:` stands beside `tenants:`" in str(error)


def test_a_hunt_is_pulled_anew_for_no_change_of_tenants() -> None:
    """Whom it is for changes nothing of what it returns."""
    own = CATALOGUE.hunts["own"]
    elsewhere = replace(own, export=replace(own.export, tenants=("fabrikam",), surface="xdr"))
    assert elsewhere.fingerprint == own.fingerprint

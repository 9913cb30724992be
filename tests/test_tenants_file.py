"""The tenants file: what it may say, and what is refused with its line."""

from pathlib import Path

import pytest
from httpx import ConnectError

from pipelines.api.signin_failures import not_had, refused
from pipelines.errors import SettingsError, TenantNotFound, TenantsFileError
from pipelines.hunts import SurfaceName
from pipelines.identity import Certificate, ClientSecret
from pipelines.tenants import Tenants, load_tenants

SIGN_IN = """\
defaults:
  sign_in:
    kind: secret
    client_id: 5f0c0de0-0000-4000-8000-000000000000
    client_secret_env: SHARED_SECRET
"""


def tenants_of(root: Path, entries: str, *, defaults: str = SIGN_IN) -> Tenants:
    (root / "tenants.yaml").write_text(f"{defaults}tenants:\n{entries}")
    return load_tenants({"SHARED_SECRET": "the-secret"}, root=root)


def test_without_a_file_the_environment_says_who_the_only_tenant_is(tmp_path: Path) -> None:
    """Nothing changes for whoever has one tenant, called by its id."""
    tenants = load_tenants({"AZURE_TENANT_ID": "contoso.com"}, root=tmp_path)
    assert tenants.file is None
    only = tenants.tenant()
    assert (only.name, only.id, only.surface) == ("contoso.com", "contoso.com", "graph")
    assert tenants.tenant("contoso.com") is only


def test_a_file_that_is_not_meant_is_not_read(tmp_path: Path) -> None:
    """The stand-in's settings must never reach a tenant of the file."""
    (tmp_path / "tenants.yaml").write_text("tenants: [")
    environ = {"HUNTLAKE_TENANTS": "none", "AZURE_TENANT_ID": "demo"}
    assert load_tenants(environ, root=tmp_path).tenant().id == "demo"
    with pytest.raises(SettingsError, match="HUNTLAKE_TENANTS: there is no file"):
        load_tenants({"HUNTLAKE_TENANTS": "gone.yaml"}, root=tmp_path)


def test_a_tenant_has_what_the_defaults_say_and_it_says_no_other(tmp_path: Path) -> None:
    """Limits, surface and sign-in are each tenant's own; the lake is one."""
    tenants = tenants_of(
        tmp_path,
        "  - name: contoso\n    id: contoso.com\n"
        "  - name: fabrikam\n    id: fabrikam.com\n    limits: seed,rows=7\n    surface: xdr\n"
        "    sign_in:\n      client_id: another\n",
    )
    first, second = (tenants.tenant(name).settings() for name in ("contoso", "fabrikam"))
    assert (first.tenant, first.tenant_id, first.surface) == ("contoso", "contoso.com", "graph")
    assert (first.limits.rows, second.limits.rows) == (100_000, 7)
    assert first.client_id != second.client_id == "another"
    assert first.identity == second.identity == ClientSecret("the-secret")
    assert (second.surface, second.data) == ("xdr", first.data)


def test_a_sign_in_of_another_kind_has_nothing_of_the_defaults(tmp_path: Path) -> None:
    """A secret that is shared is not carried over to who signs in with a certificate."""
    (tmp_path / "app.pem").write_text("")
    (tmp_path / "password").write_text("opens-it\n")
    tenants = tenants_of(
        tmp_path,
        "  - name: contoso\n    id: contoso.com\n    sign_in:\n      kind: certificate\n"
        "      client_id: own\n      certificate_path: app.pem\n"
        "      certificate_password_file: password\n",
    )
    settings = tenants.tenant("contoso").settings()
    assert settings.identity == Certificate(tmp_path / "app.pem", "opens-it")


@pytest.mark.parametrize(
    ("cloud", "surface", "url", "authority"),
    [
        ("commercial", "graph", "https://graph.microsoft.com", "login.microsoftonline.com"),
        ("gcc", "xdr", "https://api-gcc.security.microsoft.us", "login.microsoftonline.com"),
        ("gcc-high", "graph", "https://graph.microsoft.us", "login.microsoftonline.us"),
        ("dod", "xdr", "https://api-gov.security.microsoft.us", "login.microsoftonline.us"),
    ],
)
def test_hosts_follow_the_cloud(
    cloud: str, surface: SurfaceName, url: str, authority: str, tmp_path: Path
) -> None:
    """Of whichever surface a hunt then chooses."""
    entry = f"  - name: contoso\n    id: contoso.com\n    cloud: {cloud}\n"
    settings = tenants_of(tmp_path, entry).tenant("contoso").settings()
    assert settings.at(surface).api_url == url
    assert settings.authority_host == authority


def test_a_region_is_of_the_commercial_xdr(tmp_path: Path) -> None:
    """Shared by the defaults, it is no concern of tenants in another cloud."""
    shared = f"{SIGN_IN}  region: eu\n"
    entries = "  - {name: a, id: a.com}\n  - {name: b, id: b.com, cloud: dod}\n"
    tenants = tenants_of(tmp_path, entries, defaults=shared)
    in_europe, elsewhere = (tenants.tenant(name).settings() for name in "ab")
    assert in_europe.at("xdr").api_url == "https://eu.api.security.microsoft.com"
    assert elsewhere.at("xdr").api_url == "https://api-gov.security.microsoft.us"


@pytest.mark.parametrize(
    ("entry", "line", "message"),
    [
        ("name: a", 7, "a tenant needs `id:`"),
        ("id: a.com", 7, "a tenant needs `name:`"),
        ("{name: a/b, id: a.com}", 7, "must be letters and digits"),
        ("{name: Main, id: a.com}", 7, "names a schema of the catalogue"),
        ("name: a\n    id: common", 8, "names no tenant"),
        ("name: a\n    id: 7", 8, "`id:` must be text"),
        ("name: a\n    id: a.com\n    surfaces: xdr", 9, "did you mean `surface:`"),
        ("name: a\n    id: a.com\n    surface: soap", 9, "'soap' is no surface"),
        ("name: a\n    id: a.com\n    cloud: gov", 9, "'gov' is no cloud"),
        ("name: a\n    id: a.com\n    region: mars", 9, "'mars' is no region"),
        ("name: a\n    id: a.com\n    cloud: gcc\n    region: eu", 10, "of the commercial cloud"),
        ("name: a\n    id: a.com\n    limits: seed,rows=0", 9, "rows must be"),
        ("name: a\n    id: a.com\n    hunts: logons", 9, "must be all, or a list"),
        ("name: a\n    id: a.com\n    api_url: http://x", 9, "must begin with https"),
        (
            "name: a\n    id: a.com\n    surface: xdr\n    api_url: https://graph.microsoft.com",
            10,
            "does not serve the surface xdr",
        ),
        ("name: a\n    id: a.com\n    sign_in: {kind: magic}", 9, "is no kind of sign-in"),
        ("name: a\n    id: a.com\n    sign_in: {certificate_path: x}", 9, "not of `kind: secret`"),
        ("name: a\n    id: a.com\n    sign_in:\n      kind: certificate", 9, "needs `client_id:`"),
        ("name: a\n    id: a.com\n    sign_in: {client_secret: hush}", 9, "would be a secret"),
        ("name: a\n    id: a.com\n    password: hush", 9, "would be a secret"),
        ("name: a\n    id: a.com\n    sign_in: {client_secret_env: hu~sh}", 9, "must be the name"),
        ("logons", 7, "a tenant must have keys"),
    ],
)
def test_a_bad_entry_is_named_with_its_line_and_hides_no_other(
    entry: str, line: int, message: str, tmp_path: Path
) -> None:
    """And no message repeats what may be a secret."""
    good = "  - name: good\n    id: good.com\n"
    tenants = tenants_of(tmp_path, f"  - {entry}\n{good}")
    assert list(tenants.tenants) == ["good"]
    [error] = tenants.failed.values()
    assert f"tenants.yaml:{line}: " in str(error)
    assert message in str(error)
    assert "hush" not in str(error)
    assert "hu~sh" not in str(error)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{name: Contoso, id: b.com}", "there is a tenant contoso already"),
        ("{name: b, id: CONTOSO.com}", "is the tenant contoso"),
    ],
)
def test_a_name_and_a_tenant_stand_once(second: str, message: str, tmp_path: Path) -> None:
    """Names that are one in Dagster; two names of a tenant, whose quota would be counted twice."""
    tenants = tenants_of(tmp_path, f"  - {{name: contoso, id: contoso.com}}\n  - {second}\n")
    assert list(tenants.tenants) == ["contoso"]
    [error] = tenants.failed.values()
    assert message in str(error)
    assert "tenants.yaml:8: " in str(error)
    assert "tenants.yaml:7)" in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("tenants: []\n", "tenants.yaml:1: `tenants:` must be a list"),
        ("tenants: [\n", "not valid YAML"),
        ("tenant:\n  - name: a\n", "did you mean `tenants:`"),
        ("defaults:\n  name: a\ntenants: [{name: a}]\n", "tenants.yaml:2: `name:` is no key"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    """There is no telling whom it was meant to name."""
    (tmp_path / "tenants.yaml").write_text(text)
    with pytest.raises(TenantsFileError) as caught:
        load_tenants({}, root=tmp_path)
    assert message in str(caught.value)


def test_a_missing_secret_is_its_tenant_s_own_trouble(tmp_path: Path) -> None:
    """It is looked up when the settings are asked for, and named with the tenant and its line."""
    (tmp_path / "empty").write_text("\n")
    sign_in = "sign_in: {kind: secret, client_id: x, client_secret"
    tenants = tenants_of(
        tmp_path,
        f"  - {{name: a, id: a.com, {sign_in}_env: NOT_SET}}}}\n"
        f"  - {{name: b, id: b.com, {sign_in}_file: empty}}}}\n"
        f"  - {{name: c, id: c.com}}\n",
    )
    assert not tenants.failed
    assert tenants.tenant("c").settings().identity == ClientSecret("the-secret")
    for name, line, missing in (("a", 7, "NOT_SET is not set"), ("b", 8, "is empty")):
        with pytest.raises(SettingsError, match=missing) as caught:
            tenants.tenant(name).settings()
        assert str(caught.value).startswith(f"tenant {name} ({tmp_path}/tenants.yaml:{line}): ")


def test_of_several_tenants_one_has_to_be_named(tmp_path: Path) -> None:
    """By name or id; an error lists the names, near ones first, and says why one didn't load."""
    tenants = tenants_of(
        tmp_path, "  - {name: contoso, id: 1-2}\n  - {name: fabrikam, id: f.com}\n  - {name: bad}\n"
    )
    assert tenants.tenant("1-2").name == "contoso"
    for name, message in (
        (None, "--tenant: bad, contoso, fabrikam"),
        ("contosso", "did you mean contoso?"),
        ("bad", "could not be loaded: .* needs `id:`"),
    ):
        with pytest.raises(TenantNotFound, match=message):
            tenants.tenant(name)


def test_the_example_is_a_good_file(tmp_path: Path) -> None:
    """Copied as it stands, only its secrets are missing."""
    example = Path(__file__).parent.parent / "tenants.example.yaml"
    (tmp_path / "tenants.yaml").write_text(example.read_text())
    tenants = load_tenants({}, root=tmp_path)
    assert list(tenants.tenants) == ["contoso", "fabrikam", "northwind"]
    assert not tenants.failed


@pytest.mark.parametrize("code", ["700016", "90002", "7000215", "7000222", "500011", "50034"])
def test_a_refused_sign_in_names_the_file_s_keys(code: str, tmp_path: Path) -> None:
    """And the tenant by its name, since variables of the environment say nothing of it."""
    tenants = tenants_of(tmp_path, "  - name: contoso\n    id: contoso.com\n")
    settings = tenants.tenant().settings()
    said = str(refused(settings, {"error_description": f"AADSTS{code}: no"}))
    unreached = str(not_had(settings, ConnectError("no route")))
    for text in (said, unreached):
        assert "tenant contoso (contoso.com)" in text
        assert f"{tmp_path / 'tenants.yaml'}:" in text
        assert "AZURE_" not in text
    assert "the-secret" not in said + unreached


def test_what_no_tenant_sets_keeps_its_name(tmp_path: Path) -> None:
    """A proxy and a private authority are the machine's, and stay in the environment."""
    settings = tenants_of(tmp_path, "  - name: contoso\n    id: contoso.com\n").tenant().settings()
    said = str(not_had(settings, ConnectError("no route")))
    assert "HTTPS_PROXY and HUNTLAKE_CA_BUNDLE" in said

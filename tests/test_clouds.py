"""Which of Microsoft's hosts go together."""

import pytest

from pipelines.api import SURFACES
from pipelines.clouds import CLOUDS, Cloud, Region, contradictions, own_resource, surface_url
from pipelines.hunts import SurfaceName

COMMERCIAL = "login.microsoftonline.com"
GOVERNMENT = "login.microsoftonline.us"


@pytest.mark.parametrize(
    ("surface", "api_url", "authority"),
    [
        ("graph", None, COMMERCIAL),
        ("graph", "https://graph.microsoft.us", GOVERNMENT),
        ("graph", "https://dod-graph.microsoft.us", GOVERNMENT),
        ("xdr", "https://eu.api.security.microsoft.com", COMMERCIAL),
        ("xdr", "https://api-gov.security.microsoft.us", GOVERNMENT),
        # GCC signs in with everybody else.
        ("xdr", "https://api-gcc.security.microsoft.us", COMMERCIAL),
        ("mde", "https://api.securitycenter.microsoft.com", COMMERCIAL),
        ("graph", "https://localhost:8443", "localhost:8443"),
        ("mde", "https://proxy.example", COMMERCIAL),
    ],
)
def test_what_the_clouds_document_is_accepted(
    surface: SurfaceName, api_url: str | None, authority: str
) -> None:
    """Each cloud's hosts together, and any host that isn't Microsoft's."""
    assert list(contradictions(surface, api_url, authority)) == []


@pytest.mark.parametrize(
    ("surface", "api_url", "authority", "remedy"),
    [
        ("graph", "https://api.security.microsoft.com", COMMERCIAL, "HUNTLAKE_SURFACE to xdr"),
        ("xdr", "https://graph.microsoft.com", COMMERCIAL, "HUNTLAKE_SURFACE to graph"),
        ("graph", "https://graph.microsoft.us", COMMERCIAL, f"set it to {GOVERNMENT}"),
        ("graph", None, GOVERNMENT, "HUNTLAKE_API_URL to your surface's host"),
    ],
)
def test_what_can_not_work_is_told_before_anything_is_sent(
    surface: SurfaceName, api_url: str | None, authority: str, remedy: str
) -> None:
    """One sentence, with the setting to change."""
    [problem] = contradictions(surface, api_url, authority)
    assert remedy in problem


def test_national_hosts_are_their_own_audience() -> None:
    """Regions and strangers take the commercial one."""
    assert own_resource("graph.microsoft.us") == "https://graph.microsoft.us"
    assert own_resource("eu.api.security.microsoft.com") is None
    assert own_resource("localhost") is None


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_cloud_s_hosts_go_together(cloud: Cloud, surface: SurfaceName) -> None:
    """Whatever a tenant's cloud and surface are, what follows from them contradicts nothing."""
    url = surface_url(surface, cloud, None)
    assert list(contradictions(surface, url, CLOUDS[cloud].authority)) == []


@pytest.mark.parametrize(
    ("surface", "cloud", "region", "scope"),
    [
        ("xdr", "commercial", None, "https://api.security.microsoft.com/.default"),
        ("xdr", "commercial", "eu", "https://api.security.microsoft.com/.default"),
        ("xdr", "gcc", None, "https://api-gcc.security.microsoft.us/.default"),
        ("xdr", "dod", None, "https://api-gov.security.microsoft.us/.default"),
        ("graph", "gcc", None, "https://graph.microsoft.com/.default"),
        ("graph", "gcc-high", None, "https://graph.microsoft.us/.default"),
        ("graph", "dod", None, "https://dod-graph.microsoft.us/.default"),
        ("mde", "commercial", None, "https://api.securitycenter.microsoft.com/.default"),
    ],
)
def test_the_scope_follows_the_cloud(
    surface: SurfaceName, cloud: Cloud, region: Region | None, scope: str
) -> None:
    """A region takes the commercial audience; a national cloud has its own."""
    assert SURFACES[surface].scope(surface_url(surface, cloud, region)) == scope


def test_a_region_is_a_host_of_the_commercial_xdr() -> None:
    """The other surfaces find a tenant's data by themselves, so that a hunt may change surface."""
    assert surface_url("xdr", "commercial", "swa") == "https://swa.api.security.microsoft.com"
    assert surface_url("graph", "commercial", "swa") == "https://graph.microsoft.com"

"""Which of Microsoft's hosts go together."""

import pytest

from pipelines.clouds import contradictions, own_resource
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

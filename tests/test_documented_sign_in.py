"""docs/sign-in.md against the code: kinds, variables, permissions, codes."""

import re

import pytest

from pipelines.api import SURFACES
from pipelines.api.signin_failures import refused
from pipelines.identity import ENVIRONMENT, KINDS
from pipelines.settings import PROJECT, load_settings

PAGE = (PROJECT / "docs" / "sign-in.md").read_text()
UNKNOWN = "look the code up"


def codes() -> list[str]:
    rows = re.findall(r"^\| AADSTS([0-9, ]+) \|", PAGE, re.MULTILINE)
    return [code for row in rows for code in row.split(", ")]


def test_every_kind_and_variable_is_there() -> None:
    """In the page; the variables in .env.example too."""
    example = (PROJECT / ".env.example").read_text()
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE
    for name in ENVIRONMENT.values():
        assert f"`{name}" in PAGE
        assert f"{name}=" in example


def test_every_surface_has_its_permissions() -> None:
    """An application's and a person's."""
    for surface in SURFACES.values():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{surface.name}` |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2:] == [
            f"`{surface.application_permission}`",
            f"`{surface.delegated_permission}`",
        ]


@pytest.mark.parametrize("code", codes())
def test_every_code_has_a_remedy(code: str) -> None:
    """The message says what to do; of a code that nobody knows, that it is to be looked up."""
    settings = load_settings(
        {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "a", "AZURE_CLIENT_SECRET": "s"}
    )
    assert UNKNOWN not in str(refused(settings, {"error_description": f"AADSTS{code}: no"}))
    assert UNKNOWN in str(refused(settings, {"error_description": "AADSTS1: no"}))

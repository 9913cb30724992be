"""The documentation as a whole: every page can be found, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

from pipelines.environment import PROJECT

DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def slugs(page: Path) -> set[str]:
    """What a page's headings are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for path, heading in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name} links to {path}"
        if heading:
            assert heading in slugs(target), f"{page.name} links to {path}#{heading}"


def test_the_index_has_every_page() -> None:
    """Each of them once."""
    index = DOCS / "README.md"
    listed = [path for path, _ in LINK.findall(index.read_text(encoding="utf-8"))]
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md") if path != index)

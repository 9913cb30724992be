"""The page as a file: all in it, nothing from elsewhere, and nothing that it was not given."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipelines.errors import HuntlakeError
from pipelines.hunts import ExportSettings, Hunt
from pipelines.lake import EXPORTS, Journal, LakeLayout, publish
from pipelines.report import Facts, expected_of, gather, render
from pipelines.report.facts import HuntCost
from pipelines.slicing import partition
from tests.lake.samples import land, receipt_of

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NASTY = "a<script>alert(1)</script>\"'&"


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    layout = LakeLayout(tmp_path / "data")
    for tenant in ("contoso", "fabrikam"):
        for key in ("2026-11-20", "2026-11-21", "2026-11-24"):
            day = partition("daily", key)
            land(layout, receipt_of("logons", tenant, day), day)
    publish(layout)
    return layout


def facts_of(layout: LakeLayout, **changed: object) -> Facts:
    hunts = [
        Hunt("logons", "DeviceLogonEvents", NASTY, export=ExportSettings(start=date(2026, 11, 20))),
        Hunt("alerts", "AlertInfo", export=ExportSettings(start=date(2026, 11, 23))),
    ]
    values = {
        "now": NOW,
        "days": 30,
        "expected": [*expected_of("contoso", hunts), *expected_of("fabrikam", hunts[:1])],
        "limits": {"contoso": 14_400.0},
        "notes": [NASTY],
        **changed,
    }
    return gather(layout, **values)  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Tags with their attributes, and the text of some."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_the_calendar_tells_what_is_missing(layout: LakeLayout) -> None:
    """Of each hunt and tenant; and what to do about it."""
    facts = facts_of(layout)
    by_hunt = {(each.tenant, each.hunt): each for each in facts.hunts}
    assert set(by_hunt) == {("contoso", "alerts"), ("contoso", "logons"), ("fabrikam", "logons")}
    logons = by_hunt["contoso", "logons"]
    assert [each.day for each in logons.days if each.state.lacks] == [
        date(2026, 11, 22),
        date(2026, 11, 23),
    ]
    assert len(by_hunt["contoso", "alerts"].can_be_had) == 2
    page = render(facts)
    assert "6 days of hunts can still be had" in " ".join(page.split())
    assert (
        "huntlake export --hunt logons --tenant fabrikam --from 2026-11-22 --to 2026-11-24" in page
    )
    assert "missing: 11-22 to 11-23" in page


def test_of_a_lake_without_hunt_files_what_landed_is_expected(layout: LakeLayout) -> None:
    """Gaps between are missing all the same."""
    facts = facts_of(layout, expected=None)
    assert {(each.tenant, each.hunt) for each in facts.hunts} == {
        ("contoso", "logons"),
        ("fabrikam", "logons"),
    }
    assert facts.missing_days == 4


def test_one_tenant_is_shown_alone(layout: LakeLayout) -> None:
    """Nothing of another is in the page."""
    page = render(facts_of(layout, tenant="fabrikam"))
    assert "contoso" not in page


def test_the_page_needs_nothing_and_runs_nothing(layout: LakeLayout) -> None:
    """No script, no address of anything, and a policy that forbids both."""
    page = render(facts_of(layout))
    reader = Reader(page)
    names = {name for name, _ in reader.tags}
    assert not names & {"script", "iframe", "object", "embed", "base", "form"}
    [policy] = [each["content"] for each in reader.of("meta") if each.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    for _, attributes in reader.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href"}:
                assert re.match(r"#|data:,", value or ""), value
    assert not re.search(r"url\((?!#)|@import", page)


def test_what_comes_from_files_is_text(layout: LakeLayout) -> None:
    """Titles, notes and errors can't become tags."""
    page = render(facts_of(layout))
    assert "alert(1)</script>" not in page
    assert "a&lt;script&gt;alert(1)" in page


def test_it_can_be_read_without_eyes(layout: LakeLayout) -> None:
    """Headings of two levels; what scrolls can be reached, and has a name."""
    reader = Reader(render(facts_of(layout)))
    assert [name for name, _ in reader.tags if re.fullmatch(r"h\d", name)].count("h1") == 1
    assert {name for name, _ in reader.tags if re.fullmatch(r"h\d", name)} == {"h1", "h2"}
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in reader.of("div"):
        if "scroll" in (attributes.get("class") or ""):
            assert attributes["tabindex"] == "0"
            assert attributes.get("aria-label") or attributes.get("aria-labelledby") in ids
    for attributes in reader.of("svg"):
        assert attributes["aria-hidden"] == "true"
    assert reader.of("html") == [{"lang": "en"}]


def test_the_same_lake_gives_the_same_page(layout: LakeLayout) -> None:
    """Byte by byte."""
    assert render(facts_of(layout)) == render(facts_of(layout))


def test_what_hunts_took_is_told_by_the_journal(layout: LakeLayout) -> None:
    """Failures too, as long as the partition has not landed since."""
    row = {
        "tenant": "contoso",
        "hunt": "alerts",
        "partition": "2026-11-23",
        "window_start": NOW - timedelta(days=2),
        "window_end": NOW - timedelta(days=1),
        "surface": "graph",
        "started_at": NOW - timedelta(hours=3),
        "ended_at": NOW - timedelta(hours=2),
        "outcome": "failed",
        "calls": 4,
        "counting_calls": 1,
        "wasted_calls": 2,
        "running_seconds": 90.0,
        "wait_seconds": 30.0,
        "retries": 1,
        "error": NASTY,
    }
    late = {**row, "hunt": "logons", "partition": "2026-11-24", "ended_at": NOW - timedelta(days=9)}
    journal = Journal(layout, EXPORTS.kind, EXPORTS.schema)
    journal.append("contoso", [row, late], at_ns=int(NOW.timestamp()) * 10**9)
    facts = facts_of(layout)
    assert [(each.hunt, each.partition) for each in facts.failures] == [("alerts", "2026-11-23")]
    assert facts.costs[0] == HuntCost("alerts", 4, 90.0, 30.0, 2, 0, 1)
    [spent] = facts.spent
    assert spent.limit_seconds == 14_400
    page = render(facts)
    assert "Running time by day" in page
    assert "alert(1)</script>" not in page


def test_without_a_lake_it_says_so(tmp_path: Path) -> None:
    """As every command does."""
    with pytest.raises(HuntlakeError, match="there is no lake"):
        facts_of(LakeLayout(tmp_path))

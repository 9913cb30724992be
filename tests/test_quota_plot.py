"""The picture of a day of quota."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pipelines.errors import LakeUnwritable
from pipelines.lake import LakeLayout
from pipelines.quota import Ledger, Turn, parse_limits
from pipelines.quota_day import QuotaDay, quota_day
from pipelines.quota_plot import draw, draw_to
from pipelines.quota_report import Period, last_day
from pipelines.windows import NANOSECONDS_PER_TICK, parse_instant

S = 1_000_000_000
NOW = parse_instant("2026-11-20T13:40") * NANOSECONDS_PER_TICK
SVG = "{http://www.w3.org/2000/svg}"
HUNTS = 8


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(LakeLayout(tmp_path).ledger)


def call(ledger: Ledger, hunt: str, ago: float, outcome: str = "answered") -> None:
    start = NOW - round(ago * S)
    number = ledger.store.reserve("demo", Turn(hunt), started_ns=start, worst_seconds=600)
    ledger.store.settle(number, ended_ns=start + 5 * S, running_seconds=5, outcome=outcome)


def day(tmp_path: Path, limits: str = "seed") -> QuotaDay:
    return quota_day(LakeLayout(tmp_path), "demo", parse_limits(limits), last_day(NOW), now_ns=NOW)


def groups(picture: bytes) -> dict[str, ET.Element]:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    return {each.get("id", ""): each for each in root.iter(f"{SVG}g")}


def marks(picture: bytes) -> dict[str, int]:
    """How many marks each group of calls has."""
    return {
        name: len(list(group.iter(f"{SVG}use")))
        for name, group in groups(picture).items()
        if name.startswith("calls-")
    }


def words(picture: bytes) -> str:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    return " ".join(each.text or "" for each in root.iter(f"{SVG}text"))


def test_one_mark_for_each_call_in_the_row_of_its_hunt(ledger: Ledger, tmp_path: Path) -> None:
    """By what became of it; hunts that have no row of their own share one."""
    for number in range(200):
        call(ledger, f"hunt_{number % HUNTS}", 300 * number)
    call(ledger, "hunt_0", 90, "failed")
    call(ledger, "hunt_0", 100_000)
    call(ledger, "hunt_0", 33, "throttled")
    picture = draw(day(tmp_path), "svg")
    found = marks(picture)
    assert sum(found.values()) == 202
    assert (found["calls-0-answered"], found["calls-0-failed"], found["calls-0-refused"]) == (
        25,
        1,
        1,
    )
    assert found["calls-6-answered"] == 50
    said = words(picture)
    assert "2 other hunts" in said
    assert "202 calls" in said


def test_the_limit_is_a_line_and_so_is_the_share(ledger: Ledger, tmp_path: Path) -> None:
    """For each quota of running time, with its number."""
    call(ledger, "a", 60)
    picture = draw(day(tmp_path, "seed,share=0.8"), "svg")
    assert {"limit-h", "limit-day", "share-h", "share-day", "used-h", "used-day"} <= set(
        groups(picture)
    )
    said = words(picture)
    assert "limit: 600 s" in said
    assert "limit: 14,400 s" in said
    assert "huntlake's share: 480 s" in said
    assert not {name for name in groups(draw(day(tmp_path), "svg")) if name.startswith("share")}


def test_without_a_limit_none_is_drawn(ledger: Ledger, tmp_path: Path) -> None:
    """And the picture says that none is stated."""
    call(ledger, "a", 60)
    picture = draw(day(tmp_path, "graph"), "svg")
    assert "used-h" in groups(picture)
    assert not {name for name in groups(picture) if name.startswith("limit")}
    assert "no limit of running time is stated" in words(picture)


def test_an_empty_day_is_drawn_too(tmp_path: Path) -> None:
    """With its limits, and the word that nothing was called."""
    picture = draw(day(tmp_path), "svg")
    assert "nothing was called" in words(picture)
    assert "limit-h" in groups(picture)
    assert not sum(marks(picture).values())


def test_a_refusal_is_shaded_until_the_next_call(ledger: Ledger, tmp_path: Path) -> None:
    """The last one until the instant that the service named; none for more than an hour."""
    call(ledger, "a", 20_000, "throttled")
    call(ledger, "a", 18_000)
    call(ledger, "a", 9_000, "throttled")
    call(ledger, "a", 1_000)
    call(ledger, "a", 60, "throttled")
    ledger.store.block("demo", until_ns=NOW + 900 * S, reason="429")
    found = day(tmp_path)
    assert found.refusals == (
        Period(NOW - 19_995 * S, NOW - 18_000 * S),
        Period(NOW - 8_995 * S, NOW - 5_395 * S),
        Period(NOW - 55 * S, NOW + 900 * S),
    )
    picture = draw(found, "svg")
    root = ET.fromstring(picture)  # noqa: S314 - our own
    shaded = {
        each.get("id") for each in root.iter() if (each.get("id") or "").startswith("refused")
    }
    assert {"refused-0", "refused-1", "refused-2"} <= shaded
    assert "shaded: the service refused calls" in words(picture)


def test_the_same_day_gives_the_same_picture(ledger: Ledger, tmp_path: Path) -> None:
    """To the byte: no date, no random names."""
    call(ledger, "a", 60)
    assert draw(day(tmp_path), "svg") == draw(day(tmp_path), "svg")


def test_a_png_stays_small_however_many_calls_there_were(ledger: Ledger, tmp_path: Path) -> None:
    """It goes into Dagster's history, which keeps it for ever."""
    for number in range(300):
        call(ledger, f"hunt_{number % HUNTS}", 280 * number)
    assert len(draw(day(tmp_path), "png")) < 28_000


def test_a_picture_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """With the file, and what to do."""
    with pytest.raises(LakeUnwritable, match=r"nowhere/quota\.png can't be written: No such file"):
        draw_to(tmp_path / "nowhere" / "quota.png", day(tmp_path))

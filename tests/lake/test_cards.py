"""The cards of hunts: kept beside their partitions, and never in anybody's way."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from pipelines.lake import HuntCard, LakeLayout, connect, publish, read_cards
from pipelines.slicing import partition
from tests.lake.samples import land, receipt_of

DAY = partition("daily", "2026-11-19")
CARD = HuntCard(
    hunt="logons",
    query="DeviceLogonEvents | project-away Ü // \ud800",
    title="Logons",
    table="DeviceLogonEvents",
    time_column="Timestamp",
    within_window=True,
    tags=("a", "b"),
)


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    layout = LakeLayout(tmp_path / "data")
    land(layout, receipt_of("logons", "contoso", DAY), DAY)
    return layout


def test_a_card_is_read_as_it_was_kept(layout: LakeLayout) -> None:
    """To the last character of the query; a hunt that has not landed has none."""
    publish(layout, cards=[CARD, replace(CARD, hunt="alerts")])
    assert read_cards(layout) == {"logons": CARD}
    assert not (layout.lake / "alerts").exists()


def test_a_card_is_written_only_when_it_changed(layout: LakeLayout) -> None:
    """Each commit brings it, and thousands of them write nothing."""
    publish(layout, cards=[CARD])
    before = layout.hunt_card("logons").stat()
    publish(layout, cards=[replace(CARD)])
    assert layout.hunt_card("logons").stat() == before
    publish(layout, cards=[replace(CARD, title="Other")])
    assert read_cards(layout)["logons"].title == "Other"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"no json",
        b"[]",
        b"null",
        b"{}",
        b'{"hunt": "logons", "query": 5}',
        b"[" * 9999,
    ],
)
def test_what_is_no_card_is_none(data: bytes, layout: LakeLayout) -> None:
    """A damaged one is written anew by whoever knows the hunt."""
    publish(layout, cards=[CARD])
    layout.hunt_card("logons").write_bytes(data)
    assert read_cards(layout) == {}
    publish(layout, cards=[CARD])
    assert read_cards(layout) == {"logons": CARD}


def test_a_lake_without_cards_is_a_lake(layout: LakeLayout) -> None:
    """An older huntlake wrote none, and there may be no lake at all."""
    publish(layout)
    assert read_cards(layout) == {}
    assert read_cards(LakeLayout(layout.root / "nowhere")) == {}


def test_a_card_may_say_less_or_more_than_ours(layout: LakeLayout) -> None:
    """It may have come from an older huntlake, or from a newer one."""
    card = {"hunt": "former", "query": "T", "verdict": "whole", "invented": [1]}
    layout.hunt_card("logons").write_text(json.dumps(card))
    # The folder says which hunt it is.
    assert read_cards(layout) == {"logons": HuntCard("logons", "T", verdict="whole")}


def test_readers_of_the_folder_do_not_see_the_card(layout: LakeLayout) -> None:
    """Neither the views nor those that read all that lies there."""
    publish(layout, cards=[CARD])
    with connect(layout) as lake:
        assert lake.sql("SELECT n FROM logons").fetchall() == [(0,), (1,)]
    assert ds.dataset(layout.lake / "logons", partitioning="hive").count_rows() == 2

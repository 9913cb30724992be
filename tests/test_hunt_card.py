"""What the lake is told of a hunt."""

from pathlib import Path

import pytest

from pipelines.hunt_analysis import analyse_hunt
from pipelines.hunt_card import cards_in_lake, hunt_card
from pipelines.hunts import ExportSettings, Hunt, Partitioning
from pipelines.lake import HuntCard, LakeLayout, read_cards
from pipelines.landing.evolution import columns_of
from pipelines.landing.schema import arrow_schema
from pipelines.slicing import partition
from tests.days import QUIET, EngineFor, Serve
from tests.lake.samples import land, receipt_of


def card(query: str, settings: ExportSettings | None = None, **columns: str) -> HuntCard:
    hunt = Hunt(name="h", query=query, export=settings or ExportSettings())
    shape = columns_of(arrow_schema(columns or {"Timestamp": "DateTime"}))
    return hunt_card(hunt, analyse_hunt(hunt), [(), shape])


def test_a_card_says_what_the_hunt_s_file_says() -> None:
    """And how it is cut, and which table it keeps."""
    hunt = Hunt(
        "h", "DeviceEvents", "T", "D", ("tag",), ("Execution",), ("T1059",),
        export=ExportSettings(partitions="hourly"),
    )  # fmt: skip
    shape = columns_of(arrow_schema({"Timestamp": "DateTime"}))
    assert hunt_card(hunt, analyse_hunt(hunt), [shape]) == HuntCard(
        hunt="h",
        query="DeviceEvents",
        title="T",
        description="D",
        table="DeviceEvents",
        time_column="Timestamp",
        within_window=True,
        verdict="row-wise",
        partitions="hourly",
        tags=("tag",),
        tactics=("Execution",),
        techniques=("T1059",),
    )


@pytest.mark.parametrize(
    ("query", "partitions", "expected"),
    [
        ("DeviceEvents | where a == 1", "daily", ("Timestamp", True)),
        ("DeviceEvents | summarize count() by bin(Timestamp, 1h)", "hourly", ("Timestamp", True)),
        ("DeviceEvents | summarize count() by bin(Timestamp, 1d)", "daily", ("Timestamp", True)),
        ("DeviceEvents | summarize count() by bin(Timestamp, 1d)", "hourly", ("Timestamp", False)),
        (
            "DeviceEvents | summarize count() by Timestamp = startofweek(Timestamp)",
            "daily",
            ("Timestamp", False),
        ),
        ("DeviceEvents | top 5 by Timestamp", "daily", ("Timestamp", False)),
        ("DeviceTvmSoftwareInventory", "snapshot", (None, False)),
    ],
)
def test_a_time_within_the_window_is_told_from_one_that_may_not_be(
    query: str, partitions: Partitioning, expected: tuple[str | None, bool]
) -> None:
    """A bin may begin before its partition, and what a whole hunt returns may be of any time."""
    found = card(query, ExportSettings(partitions=partitions))
    assert (found.time_column, found.within_window) == expected


def test_the_time_is_called_what_its_column_is_called_in_the_lake() -> None:
    """Where it landed at all, and as a time."""
    assert card("DeviceEvents", TIMESTAMP="String", Timestamp="DateTime").time_column == (
        "Timestamp_2"
    )
    assert card("DeviceEvents", Timestamp="String").time_column is None
    assert card("DeviceEvents | top 5 by a", a="String").time_column is None


def test_files_give_cards_to_what_has_landed(tmp_path: Path) -> None:
    """For a lake that an older huntlake made; a hunt that has not landed has no card."""
    layout = LakeLayout(tmp_path / "data")
    day = partition("daily", "2026-11-19")
    land(layout, receipt_of("logons", "contoso", day), day)
    hunts = [Hunt(name=name, query="DeviceLogonEvents") for name in ("logons", "alerts")]
    [found] = cards_in_lake(hunts, layout)
    assert (found.hunt, found.time_column) == ("logons", "Timestamp")


def test_a_commit_brings_the_card_and_the_next_one_what_changed(
    serve: Serve, engine_for: EngineFor
) -> None:
    """Of the hunt as it was exported, whether or not its query is another."""
    engine = engine_for(serve(rows=100))
    for title in ("Before", "After"):
        hunt = Hunt(name="alerts", query="DeviceEvents", title=title)
        list(engine.export(hunt, [QUIET]))
        [kept] = read_cards(engine.layout).values()
        assert (kept.title, kept.table, kept.within_window) == (title, "DeviceEvents", True)

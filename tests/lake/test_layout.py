"""Where things lie."""

from dataclasses import replace
from pathlib import Path

from pipelines.hunts import ExportSettings, Hunt
from pipelines.lake import LakeLayout
from pipelines.slicing import partition

LAYOUT = LakeLayout(Path("data"))
DAY = partition("daily", "2026-11-20")
HUNT = Hunt(name="logons", query="DeviceLogonEvents")


def test_a_partition_is_one_file_in_a_folder_that_names_it() -> None:
    """Hive's way of naming folders, which every reader of Parquet knows."""
    hour = partition("hourly", "2026-11-20-05:00")
    assert LAYOUT.partition_file("logons", "contoso.com", DAY) == Path(
        "data/lake/logons/tenant=contoso.com/date=2026-11-20/data.parquet"
    )
    assert LAYOUT.partition_file("logons", "contoso.com", hour) == Path(
        "data/lake/logons/tenant=contoso.com/date=2026-11-20/hour=05/data.parquet"
    )


def test_staged_slices_of_another_query_or_surface_are_not_found() -> None:
    """A changed hunt must not reuse what its former query returned."""
    folders = {
        LAYOUT.staging_folder(HUNT, "t", "graph", DAY),
        LAYOUT.staging_folder(HUNT, "t", "xdr", DAY),
        LAYOUT.staging_folder(replace(HUNT, query="DeviceLogonEvents | take 5"), "t", "graph", DAY),
        LAYOUT.staging_folder(
            replace(HUNT, export=ExportSettings(time_column="X")), "t", "graph", DAY
        ),
        LAYOUT.staging_folder(HUNT, "t", "graph", partition("daily", "2026-11-21")),
    }
    assert len(folders) == 5


def test_a_new_description_keeps_staged_slices() -> None:
    """Only what changes the answer costs a new pull."""
    described = replace(HUNT, title="Logons", description="All of them")
    assert LAYOUT.staging_folder(described, "t", "graph", DAY) == LAYOUT.staging_folder(
        HUNT, "t", "graph", DAY
    )

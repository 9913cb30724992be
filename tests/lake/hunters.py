"""A lake as hunters find it: some days of many tables, landed as the service answers them.

What belongs here: making it, from the stand-in's events, by way of answers as they come over the
wire. What does not: what is asked of it.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from pipelines.hunt_card import cards_in_lake
from pipelines.hunt_files import hunt_name
from pipelines.hunts import Hunt
from pipelines.kql import known_tables
from pipelines.lake import LakeLayout, publish
from pipelines.landing import Staging, commit, decode
from pipelines.slicing import Partition, partition
from pipelines.standin.evaluate import SyntheticTenant
from pipelines.windows import Window
from tests.landing.samples import a_receipt, a_record

TENANT: Final = "contoso.com"
DAYS: Final = tuple(partition("daily", f"2026-11-{day}") for day in (20, 21, 22))
WHOLE: Final = Window(DAYS[0].window.start, DAYS[-1].window.end)
# Rows of a day. The odd numbers leave some joins without a partner.
TABLES: Final[Mapping[str, int]] = {
    "AlertEvidence": 120,
    "AlertInfo": 90,
    "CloudAppEvents": 150,
    "DeviceEvents": 210,
    "DeviceFileEvents": 240,
    "DeviceInfo": 130,
    "DeviceLogonEvents": 330,
    "DeviceNetworkEvents": 450,
    "DeviceProcessEvents": 390,
    "EmailAttachmentInfo": 70,
    "EmailEvents": 170,
    "EmailUrlInfo": 110,
    "IdentityInfo": 60,
    "IdentityLogonEvents": 140,
}


def land_tables(layout: LakeLayout, tables: Mapping[str, int] = TABLES) -> None:
    """Land each table raw, as a hunt of its own, and publish."""
    with closing(SyntheticTenant()) as tenant:
        for table, rows in tables.items():
            for day in DAYS:
                _land(layout, tenant, table, rows, day)
    hunts = [Hunt(hunt_name(Path(table)), table) for table in tables]
    publish(layout, cards=cards_in_lake(hunts, layout))


def _land(
    layout: LakeLayout, tenant: SyntheticTenant, table: str, rows: int, day: Partition
) -> None:
    tenant.add_late(table, day.window, rows=rows, seed=7)
    with tenant.evaluate(table, visible=day.window, row_cap=100_000) as evaluation:
        answer = decode(evaluation.body("odata", 0.1), "odata")
    hunt = hunt_name(Path(table))
    record = a_record(day.window, answer.rows)
    held = Staging.hold(answer, record, time_column=known_tables()[table].time_column)
    receipt = a_receipt(
        [held], hunt=hunt, tenant=TENANT, partition=day.key, window=day.window, rows=answer.rows
    )
    commit(layout.partition_file(hunt, TENANT, day), [held], receipt=receipt)

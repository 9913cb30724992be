"""A hunt's card for the lake: what its file and the analysis of its query say of what landed.

What belongs here: from a hunt to its card. What does not: keeping cards (``lake``).
"""

from collections.abc import Iterable
from typing import Final

from pipelines.hunt_analysis import analyse_hunt
from pipelines.hunts import Hunt
from pipelines.kql import Analysis, whole_table
from pipelines.lake import HuntCard, LakeLayout, LandedColumns
from pipelines.landing import Columns
from pipelines.spans import Grid
from pipelines.windows import TICKS_PER_SECOND

_HOUR: Final = Grid(3_600 * TICKS_PER_SECOND)
_DAY: Final = Grid(24 * 3_600 * TICKS_PER_SECOND)
_TIME_TYPE: Final = "DateTime"


def hunt_card(hunt: Hunt, analysis: Analysis, shapes: Iterable[Columns]) -> HuntCard:
    """The card of a hunt of which these sets of columns landed.

    Where the answer has lost its events' time, a column of that name says when all the same, but
    not that it lies in the partition's window.
    """
    cell = _HOUR if hunt.export.partitions == "hourly" else _DAY
    of_table = next((table.time_column for table in analysis.event_tables), None)
    time_column = _landed(analysis.time_column or of_table, shapes)
    return HuntCard(
        hunt=hunt.name,
        query=hunt.query,
        title=hunt.title,
        description=hunt.description,
        table=whole_table(hunt.query),
        time_column=time_column,
        within_window=(
            time_column is not None
            and analysis.time_column is not None
            and analysis.grid is not None
            and analysis.grid.nests_in(cell)
        ),
        verdict=str(analysis.verdict),
        partitions=hunt.export.partitions,
        tags=hunt.tags,
        tactics=hunt.tactics,
        techniques=hunt.techniques,
    )


def cards_in_lake(hunts: Iterable[Hunt], layout: LakeLayout) -> list[HuntCard]:
    """The cards of those hunts that landed, by the columns of their newest partitions."""
    cards: list[HuntCard] = []
    for hunt in hunts:
        newest = layout.hunt_files(hunt.name)[-1:]
        if newest:
            shapes = LandedColumns(layout, hunt.name).shapes_of(newest)
            cards.append(hunt_card(hunt, analyse_hunt(hunt), shapes))
    return cards


def _landed(name: str | None, shapes: Iterable[Columns]) -> str | None:
    """What the service's column of times is called in the lake, if it landed there."""
    columns = (column for shape in shapes for column in shape)
    times = (each for each in columns if (each.wire_name, each.wire_type) == (name, _TIME_TYPE))
    return next((each.landed for each in times), None)

"""What each hunt of the lake is: a card in its folder, for readers that have no hunt files.

What belongs here: the cards, and keeping them as the hunts are. What does not: what a card says of
a hunt (``pipelines.hunt_card``, since the lake knows no hunt files and no analysis), or who shows
it.

A lake that is copied takes its cards along. One that an older huntlake wrote has none, until a
partition is committed or ``huntlake publish`` reads the hunt files: a hunt without a card is shown
with less beside it, and nothing fails.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter

from pipelines.lake.layout import LakeLayout
from pipelines.landing import write_atomically


@dataclass(frozen=True, slots=True)
class HuntCard:
    """What a hunt is, as of its last commit.

    ``table`` is the service's table whose every row the hunt keeps, if it does nothing but choose
    some of its columns. ``time_column`` is the landed name of the column that says when, where
    there is one; ``within_window`` says that this time lies in the window of the row's partition,
    so that a range of time is in the partitions of that range. ``partitions`` is ``hourly``,
    ``daily`` or ``snapshot``.
    """

    hunt: str
    query: str
    title: str = ""
    description: str = ""
    table: str | None = None
    time_column: str | None = None
    within_window: bool = False
    verdict: str = ""
    partitions: str = ""
    tags: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()


_CARD: Final = TypeAdapter(HuntCard)


def read_cards(layout: LakeLayout) -> Mapping[str, HuntCard]:
    """The cards of the hunts that have one, by the hunt's name.

    What can't be read as a card is none, and what a card says beyond ours is passed over.
    """
    return MappingProxyType(cards_of(layout, (hunt for hunt, _ in layout.landed())))


def cards_of(layout: LakeLayout, hunts: Iterable[str]) -> dict[str, HuntCard]:
    """The cards of these hunts, as far as they have one."""
    found = {hunt: _read(layout.hunt_card(hunt), hunt) for hunt in sorted({*hunts})}
    return {hunt: card for hunt, card in found.items() if card is not None}


def keep_cards(layout: LakeLayout, cards: Iterable[HuntCard]) -> None:
    """Write the cards of hunts that are in the lake, where they changed.

    Only one process at a time may. Raises ``LakeUnwritable``.
    """
    for card in cards:
        path = layout.hunt_card(card.hunt)
        if path.parent.is_dir() and _read(path, card.hunt) != card:
            write_atomically(path, partial(_write, card))


def read_card(values: object) -> HuntCard:
    """The card that these values, of JSON, are. Raises ``ValueError`` for others."""
    return _CARD.validate_python(values)


def _read(path: Path, hunt: str) -> HuntCard | None:
    with suppress(OSError, ValueError, RecursionError):
        card = read_card(json.loads(path.read_bytes()))
        # Of a folder that was renamed by hand, the place says which hunt it is.
        return replace(card, hunt=hunt)
    return None


def _write(card: HuntCard, path: Path) -> None:
    path.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="ascii")

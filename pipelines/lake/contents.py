"""What is in the lake, as far as the catalogue shows it: hunts, tenants, and their columns.

What belongs here: looking, and keeping what was seen, so that a commit needs to look at its own
hunt and tenant alone. What does not: the views (``views``), or the catalogue's own file
(``catalogue``).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from pipelines.lake.cards import HuntCard, read_card
from pipelines.lake.columns import LandedColumns
from pipelines.lake.layout import LakeLayout
from pipelines.landing import Column, Columns, write_atomically

# Another one has the catalogue made anew, as when the views of the same contents are others.
_FORM: Final = 3


@dataclass(frozen=True, slots=True)
class HuntInLake:
    """What one tenant has of a hunt: whether days or hours, and every set of columns."""

    hunt: str
    tenant: str
    days: bool
    hours: bool
    shapes: tuple[Columns, ...]

    @classmethod
    def seen(cls, layout: LakeLayout, tenant: str, landed: LandedColumns) -> Self | None:
        """What is there now; ``None`` where no partition is."""
        files = layout.hunt_files(landed.hunt, tenant)
        if not files:
            return None
        hours = sum(path.parent.name.startswith("hour=") for path in files)
        shapes = tuple(sorted(landed.shapes_of(files)))
        return cls(landed.hunt, tenant, hours < len(files), hours > 0, shapes)


# By hunt and tenant.
Contents = Mapping[tuple[str, str], HuntInLake]


def look(
    layout: LakeLayout, known: Contents, changed: LandedColumns | None, tenant: str | None
) -> Contents:
    """What is in the lake, by what is known of all but the changed hunt, of one tenant or all.

    Without ``changed`` nothing is taken to be known.
    """
    found: dict[tuple[str, str], HuntInLake] = {}
    for hunt, its_tenant in layout.landed():
        is_hunt = changed is not None and changed.hunt == hunt
        is_changed = changed is None or (is_hunt and tenant in (None, its_tenant))
        now = None if is_changed else known.get((hunt, its_tenant))
        if now is None:
            landed = changed if changed and is_hunt else LandedColumns(layout, hunt)
            now = HuntInLake.seen(layout, its_tenant, landed)
        if now is not None:
            found[hunt, its_tenant] = now
    return found


@dataclass(frozen=True, slots=True)
class Published:
    """What the catalogue was made of, and which file that is: ``catalogue`` changes with it."""

    contents: Contents
    cards: Mapping[str, HuntCard]
    root: str
    catalogue: tuple[int, ...]

    @classmethod
    def of(cls, layout: LakeLayout, contents: Contents, cards: Mapping[str, HuntCard]) -> Self:
        """Of the catalogue as it is."""
        return cls(contents, cards, str(layout.root.resolve()), _version(layout.catalogue))

    @classmethod
    def read(cls, layout: LakeLayout) -> Self | None:
        """What was kept of the catalogue as it is; ``None`` where that is of another one."""
        try:
            values = json.loads(layout.catalogue_contents.read_text(encoding="utf-8"))
            cards = {card.hunt: card for card in map(read_card, values["cards"])}
            found = cls(_contents(values), cards, values["root"], tuple(values["catalogue"]))
            if values["form"] != _FORM or found != cls.of(layout, found.contents, cards):
                return None
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None
        return found

    def keep(self, layout: LakeLayout) -> None:
        """Write it down. Raises ``LakeUnwritable``."""
        shapes = {shape for each in self.contents.values() for shape in each.shapes}
        numbers = {shape: number for number, shape in enumerate(sorted(shapes))}
        values = {
            "form": _FORM,
            "root": self.root,
            "catalogue": self.catalogue,
            "cards": [asdict(card) for card in self.cards.values()],
            "shapes": [
                [[each.landed, each.wire_name, each.wire_type] for each in shape]
                for shape in numbers
            ],
            "hunts": [
                [
                    each.hunt,
                    each.tenant,
                    each.days,
                    each.hours,
                    [numbers[shape] for shape in each.shapes],
                ]
                for each in self.contents.values()
            ],
        }
        lines = json.dumps(values)
        write_atomically(layout.catalogue_contents, lambda path: _write_text(path, lines))


def of_hunts(contents: Contents, hunts: Iterable[str]) -> list[HuntInLake]:
    """What all tenants have of these hunts."""
    wanted = set(hunts)
    return [each for each in contents.values() if each.hunt in wanted]


def _contents(values: Mapping[str, Any]) -> Contents:
    shapes = [tuple(Column(*each) for each in shape) for shape in values["shapes"]]
    return {
        (hunt, tenant): HuntInLake(
            hunt, tenant, days, hours, tuple(shapes[number] for number in numbers)
        )
        for hunt, tenant, days, hours, numbers in values["hunts"]
    }


def _version(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _write_text(path: Path, lines: str) -> None:
    path.write_text(lines, encoding="utf-8")

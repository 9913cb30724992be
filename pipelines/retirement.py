"""Surfaces that Microsoft ends: saying so while they work, and refusing them afterwards.

What belongs here: what is said, and from when on a surface is refused. What does not: the dates
(``api.surfaces``), or where warnings are shown.

A hunt that moves to `graph` goes on where it was: its partitions are of the same rows, columns and
types whatever surface brought them, so none is pulled again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipelines.api import SURFACES
from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import SurfaceRetired
from pipelines.hunts import Hunt, SurfaceName

_SUCCESSOR: Final = SURFACES["graph"]


@dataclass(frozen=True, slots=True)
class Retiring:
    """A surface that ends, and the setting that chose it."""

    surface: SurfaceName
    setting: str

    @property
    def warning(self) -> str:
        """What is to be done by when."""
        when = _words(self.surface)
        return f"Microsoft ends the surface {self.surface} on {when}: {self._remedy}"

    def refuse_if_over(self, hunt: str, tenant: str, now_ns: int) -> None:
        """Raise ``SurfaceRetired`` once the last day of the surface, in UTC, is over."""
        if self.is_over(now_ns):
            raise SurfaceRetired(
                f"{hunt} is not asked for in tenant {tenant}: Microsoft has ended the surface "
                f"{self.surface} on {_words(self.surface)}; {self._remedy}"
            )

    def is_over(self, now_ns: int) -> bool:
        """Whether the surface's last day is over."""
        today = datetime.fromtimestamp(now_ns // NANOSECONDS_PER_SECOND, UTC).date()
        retires = SURFACES[self.surface].retires
        return retires is not None and today > retires

    @property
    def _remedy(self) -> str:
        return (
            f"set {self.setting} to {_SUCCESSOR.name}, and grant the application the permission "
            f"{_SUCCESSOR.application_permission} of Microsoft Graph. What is in the lake stays, "
            f"and goes on with the same columns"
        )


def retiring(hunt: Hunt, surface: SurfaceName, setting: str) -> Retiring | None:
    """What there is to say of a hunt, whose tenant has chosen a surface by a setting."""
    chosen = hunt.export.surface or surface
    if SURFACES[chosen].retires is None:
        return None
    if hunt.export.surface is not None:
        setting = f"`surface:` of the hunt {hunt.name}" + (f" ({hunt.path})" if hunt.path else "")
    return Retiring(chosen, setting)


def _words(surface: SurfaceName) -> str:
    retires = SURFACES[surface].retires
    return f"{retires.day} {retires:%B %Y}" if retires else "no day"

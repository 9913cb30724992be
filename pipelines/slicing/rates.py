"""What a hunt's answers weigh: bytes and seconds a row, seconds an hour scanned, rows an hour.

What belongs here: learning these from answers, as values. What does not: keeping them between runs
(``history``), or planning with them (``planner``).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Self

# How much of what is known gives way to the newest answer.
_LEARNING: Final = 0.3
# An answer of fewer rows says more about its envelope than about its rows.
_TELLING_ROWS: Final = 50
# A call that reads less is mostly a call, whatever it reads.
_TELLING_HOURS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Running averages over a hunt's answers and partitions; ``None`` where none has told yet."""

    bytes_per_row: float | None = None
    seconds_per_row: float | None = None
    seconds_per_hour: float | None = None
    rows_per_hour: float | None = None
    rows_per_cell: float | None = None

    def after_pull(
        self,
        *,
        rows: int,
        body_bytes: int,
        seconds: float,
        hours: float,
        rows_per_cell: float | None = None,
    ) -> Self:
        """Once rows were pulled: what reading the hours is known to take isn't the rows' own.

        ``rows_per_cell`` are those of the cell that a row shares, on average over the rows.
        """
        if rows < _TELLING_ROWS:
            return self if rows else self.after_count(seconds=seconds, hours=hours)
        reading = min(seconds, (self.seconds_per_hour or 0.0) * hours)
        return replace(
            self,
            bytes_per_row=_averaged(self.bytes_per_row, body_bytes / rows),
            seconds_per_row=_averaged(self.seconds_per_row, (seconds - reading) / rows),
            rows_per_cell=(
                self.rows_per_cell
                if rows_per_cell is None
                else _averaged(self.rows_per_cell, rows_per_cell)
            ),
        )

    def after_count(self, *, seconds: float, hours: float) -> Self:
        """Once an answer came that has next to no rows: all it did was read."""
        if hours < _TELLING_HOURS:
            return self
        return replace(self, seconds_per_hour=_averaged(self.seconds_per_hour, seconds / hours))

    def after_partition(self, *, rows: int, hours: float) -> Self:
        """Once a partition is whole."""
        return replace(self, rows_per_hour=_averaged(self.rows_per_hour, rows / hours))

    def guessed_bytes_per_row(self, columns: int | None) -> Self:
        """Before the first answer: by how many columns a row has, where that is known."""
        if self.bytes_per_row is not None or columns is None:
            return self
        return replace(self, bytes_per_row=columns * _BYTES_PER_COLUMN)

    def at_least_bytes_per_row(self, found: float) -> Self:
        """Once the service has said that so many bytes a row are still too few."""
        return replace(self, bytes_per_row=max(self.bytes_per_row or 0.0, found))

    def seconds(self, *, rows: float, hours: float) -> float:
        """The running time to expect of a call that reads the hours and brings the rows."""
        return (
            _SECONDS_PER_CALL
            + rows * (self.seconds_per_row or _SECONDS_PER_ROW)
            + hours * (self.seconds_per_hour or _SECONDS_PER_HOUR)
        )

    def rows_in(self, seconds: float, *, hours: float) -> float:
        """The rows that a call which reads the hours should bring in a running time."""
        left = seconds - self.seconds(rows=0, hours=hours)
        return max(0.0, left / (self.seconds_per_row or _SECONDS_PER_ROW))

    def to_dict(self) -> dict[str, Any]:
        """As JSON's values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What ``to_dict`` gave; what isn't a positive number counts as unknown."""
        numbers = {
            each.name: float(values[each.name])
            for each in fields(cls)
            if _is_rate(values.get(each.name))
        }
        return cls(**numbers)


# A full row of DeviceProcessEvents, of some fifty columns, is about 2.6 KB of JSON.
_BYTES_PER_COLUMN: Final = 50.0
# Before a hunt's first answer: guesses that a plan may print, and nothing relies on.
_SECONDS_PER_CALL: Final = 0.5
_SECONDS_PER_ROW: Final = 5e-5
_SECONDS_PER_HOUR: Final = 0.01


def _is_rate(value: Any) -> bool:
    return type(value) in {int, float} and 0 <= value < math.inf


def _averaged(known: float | None, found: float) -> float:
    return found if known is None else known + _LEARNING * (found - known)

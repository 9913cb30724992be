"""What a hunt's earlier answers taught, kept between runs: a folder of small files.

What belongs here: the files. What does not: what is learned (``slicing.rates``), and where the
folder lies (``lake.layout``). Losing them costs a count, never a row.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.landing import SliceRecord, write_atomically, writing
from pipelines.slicing import Density, Rates
from pipelines.spans import Grid, Position
from pipelines.windows import Window

_RATES: Final = "rates.json"
# A count that is older says too little about what arrived since.
_KEPT_NS: Final = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Census:
    """A count of the rows in a window, and when it was made (Unix time, nanoseconds)."""

    density: Density
    counted_ns: int

    def rows_of(self, window: Window, slices: Sequence[SliceRecord]) -> int | None:
        """The rows of a partition by this count, and by the slices that were pulled before it.

        ``None`` where the count doesn't begin just where those end, or doesn't reach its end.
        """
        counted = self.density.window
        if not counted.start < window.end <= counted.end:
            return None
        start, end = Position(max(window.start, counted.start)), Position(window.end)
        if not self.density.is_exact_at(start) or not self.density.is_exact_at(end):
            return None
        before = [each for each in slices if each.span.end <= start]
        after = [each for each in slices if each.span.end > start]
        if any(each.span.start < start or each.pulled_ns < self.counted_ns for each in after):
            return None
        return sum(each.rows for each in before) + round(self.density.rows_between(start, end))


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one hunt as it is: ``key`` changes with what its answers hold.

    ``grid`` is where those may be cut in time, which is not kept. Raises ``LakeUnwritable`` where
    something can't be written; what can't be read is as if it weren't there.
    """

    folder: Path
    key: str
    grid: Grid | None

    def rates(self) -> Rates:
        """What the hunt's answers weigh."""
        values = self._read(self.folder / _RATES)
        return Rates() if values is None else Rates.from_dict(values)

    def keep_rates(self, rates: Rates) -> None:
        """Keep them for the next run."""
        self._write(self.folder / _RATES, rates.to_dict())

    def census(self, needed: Window, *, now_ns: int) -> Census | None:
        """A count that covers the window, made within a day by a run that was not finished."""
        for path, census in self._censuses():
            if now_ns - census.counted_ns > _KEPT_NS:
                _remove(path)
            elif census.density.window.covers(needed):
                return census
        return None

    def keep_census(self, census: Census) -> None:
        """Keep a count until the export that needs it is done."""
        values = {**census.density.to_dict(), "counted_ns": census.counted_ns}
        self._write(self._path_of(census), values)

    def drop_census(self, census: Census) -> None:
        """Forget a count that has served."""
        _remove(self._path_of(census))

    def _censuses(self) -> Iterator[tuple[Path, Census]]:
        for path in sorted(self.folder.glob("count-*.json")):
            values = self._read(path)
            try:
                if values is not None:
                    density = Density.from_dict(values, self.grid)
                    yield path, Census(density, int(values["counted_ns"]))
            except (ValueError, KeyError, TypeError):
                _remove(path)

    def _path_of(self, census: Census) -> Path:
        window = census.density.window
        return self.folder / f"count-{window.start:020d}-{window.end:020d}.json"

    def _read(self, path: Path) -> Mapping[str, Any] | None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        ours = isinstance(values, dict) and values.get("key") == self.key
        return values if ours else None

    def _write(self, path: Path, values: Mapping[str, Any]) -> None:
        text = json.dumps({"key": self.key, **values})
        write_atomically(path, lambda beside: _write_text(beside, text))


def _remove(path: Path) -> None:
    with writing(path):
        path.unlink(missing_ok=True)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")

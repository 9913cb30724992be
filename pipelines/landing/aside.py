"""What columns could not hold, as it stands in landed files: counts and places, never values.

What belongs here: reading ``KEPT_ASIDE`` of a file. What does not: what is kept there (``values``).
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.landing.schema import KEPT_ASIDE
from pipelines.landing.staging import LandedSlice

_BATCH_ROWS: Final = 122_880


def kept_aside_by_column(slices: Iterable[LandedSlice]) -> dict[str, int]:
    """How many values of each column, by the service's names, the rows of slices keep aside."""
    batches = (batch for each in slices for batch in each.batches(_BATCH_ROWS, [KEPT_ASIDE]))
    return _counted(batch.column(0) for batch in batches)


def kept_aside_in_file(path: Path) -> dict[str, int]:
    """The same of a committed partition."""
    return _counted(texts for _, texts in _texts(path))


def kept_aside_rows(path: Path, columns: Collection[str], most: int) -> Mapping[str, list[int]]:
    """The first rows, ``most`` at most, that keep aside a value of each of the columns.

    Rows are numbered from 0, as DuckDB's ``file_row_number`` does.
    """
    rows: dict[str, list[int]] = {name: [] for name in columns}
    wanted = set(columns)
    for start, texts in _texts(path):
        names: dict[str, set[str]] = {}
        for row in pc.indices_nonzero(texts.is_valid()).to_pylist():
            text = texts[row].as_py()
            if text not in names:
                names[text] = set(json.loads(text))
            for name in names[text] & wanted:
                rows[name].append(start + row)
                if len(rows[name]) == most:
                    wanted.discard(name)
            if not wanted:
                return rows
    return rows


def _counted(columns: Iterable[pa.Array]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for texts in columns:
        # A sentinel stands in many rows as the same text, which is parsed once.
        for each in pc.value_counts(texts.drop_null()).to_pylist():
            for name in json.loads(each["values"]):
                counts[name] += each["counts"]
    return dict(sorted(counts.items()))


def _texts(path: Path) -> Iterator[tuple[int, pa.Array]]:
    """The column, batch by batch, each with the number of its first row."""
    start = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=[KEPT_ASIDE]):
            yield start, batch.column(0)
            start += batch.num_rows

"""Files of rows that are written anew, again and again, while others read them.

What belongs here: a new file beside the older ones, and which of them counts. What does not: what
is in them (``index``, ``journal``).

DuckDB opens a file once for its footer and once more for its rows, and fails where it was replaced
in between. So nothing is replaced: each time the rows are written under a new name,
``tenant=contoso~00000012.parquet``, and of all that a reader finds the newest counts. It is there
whole, with what the older ones had. Those stay for a while: a reader may just be opening them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.lake.sql import quoted
from pipelines.landing import write_atomically, writing

_GENERATION: Final = re.compile(r"(?P<name>.*?)(?:~(?P<number>\d+))?\.parquet")
# The same for DuckDB, of whole paths.
_NAME, _NUMBER = r"^(.*?)(?:~\d+)?\.parquet$", r"~(\d+)\.parquet$"
# From listing a file to having opened it takes no query of such small ones so long.
_GRACE_NS: Final = 60 * 1_000_000_000


def newest(path: Path) -> Path | None:
    """The file that counts of what is called ``path``; ``None`` where there is none."""
    return max(_all(path), key=_number, default=None)


def names(folder: Path) -> list[Path]:
    """What there is in a folder, each by the path that it goes by, in order."""
    return sorted({each.with_name(f"{_name(each)}.parquet") for each in folder.glob("*.parquet")})


def write_next(path: Path, table: pa.Table) -> None:
    """Write the rows that count from now on. Raises ``LakeUnwritable``.

    Only one process at a time may write what goes by one path.
    """
    older = list(_all(path))
    number = max(map(_number, older), default=0) + 1
    new = path.with_name(f"{path.stem}~{number:08}.parquet")
    write_atomically(new, lambda beside: pq.write_table(table, beside, compression="zstd"))
    # By the clock of the disk, which stamped all of them.
    outlived = new.stat().st_mtime_ns - _GRACE_NS
    with writing(path):
        for each in older:
            if each.stat().st_mtime_ns < outlived:
                each.unlink()


def remove(path: Path) -> None:
    """Leave nothing that goes by the path. Raises ``LakeUnwritable``."""
    with writing(path):
        for each in sorted(_all(path), key=_number):
            each.unlink(missing_ok=True)


def newest_rows(source: str, path: str) -> str:
    """The rows that count of a query over such files, of which ``path`` is the column."""
    column = quoted(path)
    number = f"coalesce(TRY_CAST(regexp_extract({column}, '{_NUMBER}', 1) AS BIGINT), 0)"
    return (
        f"(SELECT * EXCLUDE ({column}) FROM {source} QUALIFY {number} = "
        f"max({number}) OVER (PARTITION BY regexp_extract({column}, '{_NAME}', 1)))"
    )


def _all(path: Path) -> Iterator[Path]:
    if path.exists():
        yield path
    # Not by a pattern of the name, which may hold signs of patterns.
    if path.parent.is_dir():
        for each in path.parent.iterdir():
            if each.name.startswith(f"{path.stem}~") and _name(each) == path.stem:
                yield each


def _name(path: Path) -> str:
    match = _GENERATION.fullmatch(path.name)
    return match["name"] if match else path.stem


def _number(path: Path) -> int:
    match = _GENERATION.fullmatch(path.name)
    return int(match["number"] or 0) if match else 0

"""A row as one value, in SQL that is a chain of steps.

What belongs here: marking it where a function wants it, and naming it once the step is known. What
does not: the functions.
"""

import re
from typing import Final

import duckdb_kql

from pipelines.translation.exactness import TranslationChanged

# Stands for the row until it is known from which step of the query it comes.
ROW: Final = "huntlake_row_of_this_step"
# A step of the SQL, a bracket, the mark; quoted text is stepped over.
_PIECE: Final = re.compile(
    rf"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b_s(?P<step>\d+)\ AS\ \(|[()]|\b{ROW}\b""", re.VERBOSE
)


def with_rows(sql: str) -> str:
    """The SQL with each mark for a row replaced by the step that the row comes from.

    Each step reads the one before it, and DuckDB takes a step's name for its whole row.
    """
    steps: list[int | None] = []
    pieces: list[str] = []
    end = 0
    for match in _PIECE.finditer(sql):
        if match["step"] is not None:
            steps.append(int(match["step"]))
        elif match[0] == "(":
            steps.append(None)
        elif match[0] == ")":
            steps.pop()
        elif match[0] == ROW:
            step = next((each for each in reversed(steps) if each is not None), 0)
            if step == 0:
                raise TranslationChanged(
                    f"duckdb-kql {duckdb_kql.__version__} puts a row outside of a step; "
                    f"teach pipelines/translation/rows.py where it comes from"
                )
            pieces += sql[end : match.start()], f"_s{step - 1}"
            end = match.end()
    return "".join((*pieces, sql[end:]))

"""What must change in the SQL that ``duckdb-kql`` emits for it to be exact to the tick.

What belongs here: each place where microseconds would do damage, and the macros that mend DuckDB's
own functions. What does not: the query's KQL (``translate``).

``duckdb-kql`` thinks in microseconds, and DuckDB *rounds* nanoseconds to them: an event on the last
tick of a day would be counted in the next day's bin. Should a release emit another form than those
known here, the translation fails instead of answering for the wrong window.

What stays inexact: a column plus or minus a timespan, and the difference of two, are rounded
to microseconds, since DuckDB has no interval that is finer.
"""

import re
from typing import Final

import duckdb_kql

from pipelines.translation.instants import held_instant, time_literal
from pipelines.windows import parse_instant


class TranslationChanged(Exception):
    """``duckdb-kql`` emits something about time in a form that is not known here."""


# A datetime literal, and the same form of what only DuckDB can read (another zone, 11/20/2026).
_LITERAL: Final = re.compile(
    r"COALESCE\(TRY_CAST\('(?P<text>[^']*)' AS TIMESTAMPTZ\) AT TIME ZONE 'UTC', "
    r"try_strptime\(CAST\('(?P=text)' AS VARCHAR\), \[[^\]]*\]\)\)"
)
_NOW: Final = "CAST($kqlnow AS TIMESTAMP)"
# A time that is known now, and a timespan: what ago() becomes. DuckDB's own sum is microseconds.
_SHIFTED: Final = re.compile(
    r"(?P<time>TIMESTAMP_NS '[^']*') (?P<sign>[+-]) "
    r"(?P<span>INTERVAL '[^']*'|to_[a-z]+\(CAST\(-?\d+ AS BIGINT\)\))"
)
# A time as text, and as a number of ticks: both would lose the seventh digit.
_REPLACED: Final = (
    (
        " AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f') || '0Z'",
        " AS TIMESTAMP_NS), '%Y-%m-%dT%H:%M:%S.%n')[:27] || 'Z'",
    ),
    ("epoch_us(CAST(_v AS TIMESTAMP)) * 10", "epoch_ns(CAST(_v AS TIMESTAMP_NS)) // 100"),
)
_UNKNOWN: Final = re.compile(
    r"TRY_CAST\('[^']*' AS TIMESTAMPTZ\)|TIMESTAMP(?:TZ)? '[^']*\.\d{7}|\$kqlnow"
)

# They shadow DuckDB's functions of the same names in the database. A tick is cut, not
# rounded, to the microseconds that DuckDB's function then sees.
MACROS: Final = (
    """whole_microsecond(x) AS CASE system.main.typeof(x) WHEN 'TIMESTAMP_NS'
       THEN make_timestamp((epoch_ns(x) - (epoch_ns(x) % 1000 + 1000) % 1000) // 1000)
       ELSE x::TIMESTAMP END""",
    """epoch(x) AS CASE system.main.typeof(x) WHEN 'TIMESTAMP_NS'
       THEN system.main.epoch(make_timestamp((epoch_ns(x) - (epoch_ns(x) % 1000 + 1000) % 1000)
       // 1000)) ELSE system.main.epoch(x) END""",
    "date_trunc(part, x) AS system.main.date_trunc(part, whole_microsecond(x))",
    "date_part(part, x) AS system.main.date_part(part, whole_microsecond(x))",
    """date_diff(part, x, y) AS
       system.main.date_diff(part, whole_microsecond(x), whole_microsecond(y))""",
    "hour(x) AS system.main.hour(whole_microsecond(x))",
    "dayofweek(x) AS system.main.dayofweek(whole_microsecond(x))",
    # duckdb-kql asks for the type by name, and knows but one of a datetime.
    "typeof(x) AS replace(system.main.typeof(x), 'TIMESTAMP_NS', 'TIMESTAMP')",
)


def exact(sql: str, *, now: int) -> str:
    """The SQL with every time in it exact to the tick, and ``now()`` the given instant."""
    return exact_literals(sql.replace(_NOW, time_literal(now)))


def exact_literals(sql: str) -> str:
    """The SQL with its datetime literals exact to the tick. Raises ``TranslationChanged``."""
    mended = _SHIFTED.sub(_shifted, _LITERAL.sub(_nanoseconds, sql))
    for emitted, wanted in _REPLACED:
        mended = mended.replace(emitted, wanted)
    if left := _UNKNOWN.search(mended):
        raise TranslationChanged(
            f"duckdb-kql {duckdb_kql.__version__} emits a time as {left.group()!r}; "
            f"teach pipelines/translation/exactness.py its form"
        )
    return mended


def _nanoseconds(match: re.Match[str]) -> str:
    try:
        return time_literal(held_instant(parse_instant(match["text"])))
    except ValueError:
        # Another zone or order of day and month: DuckDB reads it, to the microsecond.
        return match[0].replace(f"TRY_CAST('{match['text']}'", f"TRY_CAST(('{match['text']}')")


def _shifted(match: re.Match[str]) -> str:
    nanoseconds = f"epoch_ns({match['time']}) {match['sign']} epoch_us({match['span']}) * 1000"
    return f"make_timestamp_ns({nanoseconds})"

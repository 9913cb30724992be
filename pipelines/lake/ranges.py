"""A range of time of a hunt, as a function that is called what the hunt is called.

What belongs here: ``huntlake.instant``, and for each view of a hunt the function that asks it for a
range. What does not: the views (``views``).

    FROM device_logon_events('7 days')
    FROM device_logon_events('2026-11-01', '2026-11-08T05:00')

A range is half-open and in UTC, whatever the client's time zone. In DuckDB's own SQL it takes three
conditions and two casts: the lake's times have nanoseconds, which DuckDB doesn't compare with
``now()``, and a condition on the time alone opens the footer of every file.
"""

from collections.abc import Collection
from typing import Final

from pipelines.lake.cards import HuntCard
from pipelines.lake.entries import Entries, function, parameter, table_function
from pipelines.lake.sql import quoted, text
from pipelines.lake.tables import SCHEMA

_INSTANT: Final = f"{SCHEMA}.instant"
_ZONED: Final = r"[ T][0-9:.]+\s*[^0-9:.\s]"


def instant_function() -> Entries:
    """From a time, a date, either as text, or how long ago it was, to the instant."""
    as_text = "CAST(given AS VARCHAR)"
    return function(
        SCHEMA,
        "instant",
        # DuckDB's cast to a time without a zone passes over a zone in the text, and that to a time
        # with one takes a text without for the client's.
        f"(given) AS CASE WHEN TRY_CAST({as_text} AS TIMESTAMP_NS) IS NULL "
        f"THEN CAST(now() - CAST({as_text} AS INTERVAL) AS TIMESTAMPTZ_NS) "
        f"WHEN regexp_matches({as_text}, {text(_ZONED)}) THEN CAST({as_text} AS TIMESTAMPTZ_NS) "
        f"ELSE CAST(timezone('UTC', CAST({as_text} AS TIMESTAMP_NS)) AS TIMESTAMPTZ_NS) END",
        "The instant of a time, a date, or of how long ago it was ('7 days'), to compare times "
        "of the lake with. Without a zone it is UTC.",
    )


def range_function(
    schema: str, name: str, columns: Collection[str], card: HuntCard | None, *, hours: bool
) -> Entries:
    """The function of one view with these columns. ``card`` says how time is told, if it is known.

    Rows of a hunt without a time of their own are those of the partitions that overlap the range.
    """
    time = None if card is None else card.time_column
    start, end = parameter("since", columns), parameter("until", columns)
    since: list[str] = []
    until: list[str] = []
    if time is not None:
        since.append(f"{quoted(time)} >= {_INSTANT}({start})")
        until.append(f"{quoted(time)} < {_INSTANT}({end})")
    if card is None or time is None or card.within_window:
        since += _from(f"make_timestamp(epoch_ns({_INSTANT}({start})) // 1000)", hours=hours)
        until += _to(f"make_timestamp((epoch_ns({_INSTANT}({end})) - 1) // 1000)", hours=hours)
    selected = f"SELECT * FROM {quoted(schema)}.{quoted(name)} WHERE "
    told = f"rows by {time}" if time else "the rows of partitions that overlap the range"
    return table_function(
        schema,
        name,
        {
            start: selected + " AND ".join(since),
            f"{start}, {end}": selected + " AND ".join([*since, *until]),
        },
        f"A range of {name}, half-open and in UTC: {told}. Each end is a time, a date, or how long "
        f"ago it was, as in {name}('7 days') or {name}('2026-11-01', '2026-11-08').",
    )


def _from(first: str, *, hours: bool) -> list[str]:
    """The partitions that hold an instant, and those after.

    DuckDB looks at conditions before it opens files only where they can't fail: they compare the
    date and the hour as they are, and make no time of them.
    """
    day = f"CAST({first} AS DATE)"
    later = f"(date > {day} OR hour IS NULL OR hour >= datepart('hour', {first}))"
    return [f"date >= {day}", *([later] if hours else [])]


def _to(last: str, *, hours: bool) -> list[str]:
    """The partitions that hold an instant, and those before."""
    day = f"CAST({last} AS DATE)"
    earlier = f"(date < {day} OR hour IS NULL OR hour <= datepart('hour', {last}))"
    return [f"date <= {day}", *([earlier] if hours else [])]

"""Reading what the report says off the lake.

What belongs here: the questions to the lake's own tables. What does not: what should be there
(``expected``), or the rule of a day's state (``calendar``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import duckdb

from pipelines.lake import LakeLayout, connect
from pipelines.lake.sql import text
from pipelines.report.calendar import Landed, hunt_days
from pipelines.report.expected import Expected
from pipelines.report.facts import (
    DayOfHunt,
    Facts,
    Failure,
    HuntCost,
    HuntDays,
    LateHunt,
    SchemaChange,
    Spent,
)

_KEY = tuple[str, str]
_MOST_CHANGES: Final = 100
_MOST_FAILURES: Final = 50


def gather(  # noqa: PLR0913 - what the report is of, each by name
    layout: LakeLayout,
    *,
    now: datetime,
    days: int,
    expected: Sequence[Expected] | None,
    limits: Mapping[str, float | None],
    data_age_days: int = 30,
    tenant: str | None = None,
    notes: Iterable[str] = (),
) -> Facts:
    """The facts of the last ``days`` days, today among them; of one tenant or all.

    ``expected`` is what the hunt files ask for; ``None``: nobody knows, and what landed is all that
    is expected. ``limits`` has each tenant's running time a day, in seconds. Raises
    ``HuntlakeError`` where there is no lake.
    """
    first_day = now.date() - timedelta(days=days - 1)
    with connect(layout) as lake:
        ask = _Questions(lake, first_day, tenant)
        landed = ask.landed()
        wanted = _wanted(expected, ask.hunts(), landed, tenant)
        hunts = [
            hunt_days(
                each,
                landed.get((each.tenant, each.hunt), {}),
                first_day=first_day,
                now=now,
                data_age_days=data_age_days,
            )
            for each in wanted
        ]
        partitions, rows, stored, kept_aside = ask.totals()
        return Facts(
            now=now,
            first_day=first_day,
            lake=str(layout.root),
            hunts=tuple(_within(hunts, landed)),
            rows=ask.by_day("sum(rows)"),
            stored=ask.by_day("sum(bytes)"),
            spent=ask.spent(limits),
            costs=ask.costs(),
            late=ask.late(),
            late_by_day=ask.late_by_day(),
            changes=ask.changes(),
            failures=ask.failures(),
            partitions=partitions,
            total_rows=rows,
            total_bytes=stored,
            kept_aside=kept_aside,
            notes=tuple(notes),
        )


def _wanted(
    expected: Sequence[Expected] | None,
    hunts: Mapping[str, tuple[str, str]],
    landed: Mapping[_KEY, Mapping[date, Landed]],
    tenant: str | None,
) -> list[Expected]:
    """What the files ask for, and what landed though none does any more."""
    asked = [each for each in expected or () if tenant in (None, each.tenant)]
    known = {(each.tenant, each.hunt) for each in asked}
    others = [
        _as_landed(its_tenant, hunt, hunts.get(hunt, ("", "daily")), landed[its_tenant, hunt])
        for its_tenant, hunt in landed
        if (its_tenant, hunt) not in known
    ]
    return sorted([*asked, *others], key=lambda each: (each.tenant, each.hunt))


def _as_landed(
    tenant: str, hunt: str, told: tuple[str, str], landed: Mapping[date, Landed]
) -> Expected:
    title, kind = told
    partitions: Any = kind if kind in {"hourly", "snapshot"} else "daily"
    return Expected(tenant, hunt, title, partitions, start=min(landed))


def _within(
    hunts: Iterable[HuntDays], landed: Mapping[_KEY, Mapping[date, Landed]]
) -> Iterable[HuntDays]:
    """Hunts of which the report's days have anything to say."""
    for each in hunts:
        if any(day.due or day.landed for day in each.days) or (each.tenant, each.hunt) in landed:
            yield each


class _Questions:
    """Questions to one lake, of the days from ``first_day`` on."""

    def __init__(
        self, lake: duckdb.DuckDBPyConnection, first_day: date, tenant: str | None
    ) -> None:
        self._lake = lake
        self._since = f"TIMESTAMPTZ '{first_day:%Y-%m-%d} 00:00:00Z'"
        self._of_tenant = "true" if tenant is None else f"tenant = {text(tenant)}"

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        # The driver's own datetimes want a library that gives zones.
        return self._lake.sql(sql).fetchall()

    def hunts(self) -> Mapping[str, tuple[str, str]]:
        """Title, and kind of partitions, of each hunt that has a card."""
        rows = self._ask("SELECT hunt, title, partitions FROM huntlake.hunts")
        return {hunt: (title or "", kind or "") for hunt, title, kind in rows}

    def landed(self) -> Mapping[_KEY, Mapping[date, Landed]]:
        """Every day that landed, also those before the report's."""
        found: dict[_KEY, dict[date, Landed]] = defaultdict(dict)
        for tenant, hunt, day, *figures in self._ask(f"""
            SELECT tenant, hunt, {_day("window_start")}, count(*)::BIGINT,
                count_if(status = 'provisional')::BIGINT, sum(rows)::BIGINT
            FROM huntlake.partitions WHERE {self._of_tenant} GROUP BY ALL ORDER BY ALL
        """):
            found[tenant, hunt][day] = Landed(*figures)
        return found

    def totals(self) -> tuple[int, int, int, int]:
        """Partitions, rows, bytes and values kept aside of the whole lake."""
        [row] = self._ask(f"""
            SELECT count(*)::BIGINT, coalesce(sum(rows), 0)::BIGINT,
                coalesce(sum(bytes), 0)::BIGINT, coalesce(sum(kept_aside), 0)::BIGINT
            FROM huntlake.partitions WHERE {self._of_tenant}
        """)
        partitions, rows, stored, kept_aside = row
        return partitions, rows, stored, kept_aside

    def by_day(self, amount: str) -> tuple[DayOfHunt, ...]:
        """An amount of partitions, by their day and hunt."""
        rows = self._ask(f"""
            SELECT {_day("window_start")} AS day, hunt, ({amount})::DOUBLE
            FROM huntlake.partitions
            WHERE {self._of_tenant} AND window_start >= {self._since}
            GROUP BY day, hunt ORDER BY ALL
        """)
        return tuple(DayOfHunt(*row) for row in rows)

    def spent(self, limits: Mapping[str, float | None]) -> tuple[Spent, ...]:
        """Running time by tenant, day and hunt, of exports and recounts; the most used first."""
        found: dict[str, list[DayOfHunt]] = defaultdict(list)
        for tenant, day, hunt, seconds in self._ask(f"""
            SELECT tenant, day, hunt, sum(seconds)::DOUBLE FROM (
                SELECT tenant, hunt, {_day("ended_at")} AS day, running_seconds AS seconds
                FROM huntlake.exports WHERE ended_at >= {self._since}
                UNION ALL
                SELECT tenant, hunt, {_day("counted_at")}, running_seconds
                FROM huntlake.recounts WHERE counted_at >= {self._since}
            ) WHERE {self._of_tenant} GROUP BY ALL HAVING sum(seconds) > 0 ORDER BY ALL
        """):
            found[tenant].append(DayOfHunt(day, hunt, seconds))
        spent = [Spent(name, tuple(days), limits.get(name)) for name, days in found.items()]
        return tuple(sorted(spent, key=lambda each: -sum(day.amount for day in each.days)))

    def costs(self) -> tuple[HuntCost, ...]:
        """What hunts took, the one with the most running time first."""
        rows = self._ask(f"""
            SELECT hunt, sum(calls)::BIGINT, sum(seconds)::DOUBLE AS seconds, sum(waits)::DOUBLE,
                sum(wasted)::BIGINT, sum(rows)::BIGINT, sum(failed)::BIGINT
            FROM (
                SELECT tenant, hunt, calls, running_seconds AS seconds, wait_seconds AS waits,
                    wasted_calls AS wasted, coalesce(rows, 0) AS rows,
                    CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END AS failed
                FROM huntlake.exports WHERE ended_at >= {self._since}
                UNION ALL
                SELECT tenant, hunt, calls, running_seconds, 0, 0, late_rows, 0
                FROM huntlake.recounts WHERE counted_at >= {self._since}
            ) WHERE {self._of_tenant} GROUP BY hunt ORDER BY seconds DESC, hunt
        """)
        return tuple(HuntCost(*row) for row in rows)

    def late(self) -> tuple[LateHunt, ...]:
        """Hunts with late rows, or of which some may come."""
        rows = self._ask(f"""
            SELECT tenant, hunt, coalesce(sum(late_rows), 0)::BIGINT AS late,
                count_if(status = 'provisional')::BIGINT AS provisional,
                epoch_us(max(last_counted))
            FROM huntlake.partitions WHERE {self._of_tenant} GROUP BY ALL
            HAVING late > 0 OR provisional > 0 ORDER BY late DESC, tenant, hunt
        """)
        return tuple(
            LateHunt(tenant, hunt, late, provisional, _instant(counted))
            for tenant, hunt, late, provisional, counted in rows
        )

    def late_by_day(self) -> Mapping[int, int]:
        """Late rows by whole days after their partition's end."""
        rows = self._ask(f"""
            SELECT greatest(0, epoch_us(counted_at) - epoch_us(window_end)) // 86400000000 AS days,
                sum(late_rows)::BIGINT
            FROM huntlake.recounts
            WHERE {self._of_tenant} AND counted_at >= {self._since} AND late_rows > 0
            GROUP BY days ORDER BY days
        """)
        return dict(rows)

    def changes(self) -> tuple[SchemaChange, ...]:
        """Columns that came, or went, the newest first."""
        rows = self._ask(f"""
            WITH ends AS (
                SELECT tenant, hunt, min("partition") AS oldest, max("partition") AS newest
                FROM huntlake.partitions GROUP BY ALL
            )
            SELECT c.tenant, c.hunt, c."column", c.first_partition, c.last_partition,
                c.first_partition > e.oldest, c.last_partition < e.newest
            FROM huntlake.columns AS c JOIN ends AS e USING (tenant, hunt)
            WHERE {self._of_tenant} AND c.partitions < c.of_partitions
                AND (c.first_partition > e.oldest OR c.last_partition < e.newest)
            ORDER BY greatest(c.first_partition, c.last_partition) DESC,
                c.tenant, c.hunt, c."column" LIMIT {_MOST_CHANGES}
        """)
        return tuple(SchemaChange(*row) for row in rows)

    def failures(self) -> tuple[Failure, ...]:
        """Partitions that failed and have not landed since, the newest first."""
        rows = self._ask(f"""
            SELECT x.tenant, x.hunt, x."partition", epoch_us(x.ended_at), x.error FROM (
                SELECT tenant, hunt, "partition", max(ended_at) AS ended_at,
                    arg_max(error, ended_at) AS error
                FROM huntlake.exports WHERE outcome = 'failed' AND {self._of_tenant} GROUP BY ALL
            ) AS x LEFT JOIN huntlake.partitions AS p
                ON p.tenant = x.tenant AND p.hunt = x.hunt AND p."partition" = x."partition"
                AND p.committed_at >= x.ended_at
            WHERE p.hunt IS NULL AND x.ended_at >= {self._since}
            ORDER BY x.ended_at DESC, x.tenant, x.hunt, x."partition" LIMIT {_MOST_FAILURES}
        """)
        return tuple(
            Failure(tenant, hunt, key, _instant(at) or datetime.min, error or "")  # noqa: DTZ901
            for tenant, hunt, key, at, error in rows
        )


def _day(column: str) -> str:
    return f"CAST({column} AT TIME ZONE 'UTC' AS DATE)"


def _instant(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)

"""``huntlake.hunts`` and ``huntlake.columns``.

What belongs here: their SQL. What does not: what their columns are and mean (``tables``).

Hunts stand in the catalogue itself, which is written anew when one changes. Columns are counted in
the index, where each partition's stand: a commit changes the counts, and needn't change the
catalogue.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from pipelines.lake.cards import HuntCard
from pipelines.lake.entries import Entries, view
from pipelines.lake.meanings import OTHER_MEANING, TYPE_MEANINGS
from pipelines.lake.sql import quoted, shown, sql_type, text
from pipelines.lake.tables import HUNTS, SCHEMA, SHAPE
from pipelines.landing import arrow_type

# Of two types that fit together within a tenant, the later one holds the earlier.
_NARROW_TO_WIDE: Final = ("Int32", "Int64", "Double", "SqlDecimal")


def hunts_entry(hunts: Iterable[str], cards: Mapping[str, HuntCard]) -> Entries:
    """The view of these hunts: those without a card too, by their names alone."""
    rows = [_hunt(hunt, cards.get(hunt)) for hunt in sorted({*hunts})]
    names = ", ".join(quoted(each.name) for each in HUNTS.columns)
    typed = ", ".join(
        f"CAST({quoted(each.name)} AS {sql_type(each.type)}) AS {quoted(each.name)}"
        for each in HUNTS.columns
    )
    nothing = f"({', '.join('NULL' for _ in HUNTS.columns)})"
    given = f"(VALUES {', '.join([nothing, *rows])}) AS given({names})"
    query = f"SELECT {typed} FROM {given} WHERE hunt IS NOT NULL"
    return view(SCHEMA, HUNTS.name, query, HUNTS.meaning, HUNTS.told)


def columns_query(index: str) -> str:
    """The query of ``huntlake.columns`` over the index.

    Partitions with the same columns are counted before these are taken apart, of which a lake has
    few.
    """
    ranks = ", ".join(f"{text(name)}: {at}" for at, name in enumerate(_NARROW_TO_WIDE))
    numbers = ", ".join(map(text, _NARROW_TO_WIDE))
    return f"""
WITH shapes AS (
    SELECT tenant, hunt, {SHAPE}, count(*) AS partitions,
        min("partition") AS first_partition, max("partition") AS last_partition
    FROM {index} GROUP BY ALL
), totals AS (
    SELECT tenant, hunt, sum(partitions)::BIGINT AS of_partitions FROM shapes GROUP BY ALL
), each AS (
    SELECT tenant, hunt, partitions, first_partition, last_partition,
        unnest(CAST({SHAPE} AS VARCHAR[][])) AS told
    FROM shapes
), typed AS (
    SELECT *, told[3] AS wire_type,
        coalesce({_by_type({name: sql_type(arrow_type(name)) for name in TYPE_MEANINGS})}[told[3]],
            'VARCHAR') AS type,
        CASE WHEN wire_type IN ({numbers}) THEN 'number' WHEN wire_type = 'Object' THEN 'JSON'
            ELSE type END AS alike
    FROM each
)
SELECT tenant, hunt, told[1] AS "column",
    CASE WHEN count(DISTINCT alike) > 1 OR count(DISTINCT told[2]) > 1
        OR (bool_or(wire_type = 'Double') AND bool_or(wire_type IN ('Int64', 'SqlDecimal')))
        THEN NULL
    ELSE arg_max(type, coalesce(MAP {{{ranks}}}[wire_type], 0)) END AS type,
    string_agg(DISTINCT told[2], ', ' ORDER BY told[2]) AS service_name,
    string_agg(DISTINCT wire_type, ', ' ORDER BY wire_type) AS service_type,
    coalesce({_by_type(TYPE_MEANINGS)}[arg_max(wire_type, last_partition)], {text(OTHER_MEANING)})
        AS meaning,
    sum(partitions)::BIGINT AS partitions, any_value(of_partitions) AS of_partitions,
    min(first_partition) AS first_partition, max(last_partition) AS last_partition
FROM typed JOIN totals USING (tenant, hunt) GROUP BY tenant, hunt, told[1]
""".strip()


def _by_type(values: Mapping[str, str]) -> str:
    return f"MAP {{{', '.join(f'{text(name)}: {text(value)}' for name, value in values.items())}}}"


def _hunt(hunt: str, card: HuntCard | None) -> str:
    known = card or HuntCard(hunt, "")
    values: dict[str, object] = {
        each.name: getattr(known, each.name, None) if card else None for each in HUNTS.columns
    }
    values |= {"hunt": hunt, "service_table": known.table}
    return f"({', '.join(_literal(values[each.name], each.type) for each in HUNTS.columns)})"


def _literal(value: object, kind: pa.DataType) -> str:
    if value is None or value == "":
        return "NULL"
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]::{sql_type(kind)}"
    return str(value) if isinstance(value, bool) else shown(str(value))

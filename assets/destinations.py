"""An example of an asset downstream of a hunt: a table that DuckDB makes from what landed.

Of several tenants each that has the hunt has a table of its own.

What belongs here: this one example, to be copied. What does not: anything that calls the service.
"""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import TenantHunts
from pipelines.lake import connect

_HUNT = "device_network_events"

_SAYS = "Every remote name that devices spoke to, rarest first."
_SQL = """
SELECT
    RemoteUrl,
    count(*) AS connections,
    count(DISTINCT DeviceId) AS devices,
    min(Timestamp) AS first_seen,
    max(Timestamp) AS last_seen
FROM device_network_events
WHERE RemoteUrl <> ''{of_tenant}
GROUP BY RemoteUrl
ORDER BY devices, connections, RemoteUrl
"""


def remote_destinations(hunts: TenantHunts) -> Iterator[dg.AssetsDefinition]:
    """Every remote name that devices spoke to, rarest first; nothing of a tenant without the hunt.

    The only tenant has it in any case, as the example that it is.
    """
    if hunts.of_many and _HUNT not in hunts.catalogue.hunts:
        return
    tenant = hunts.tenant.replace("'", "''")
    sql = _SQL.format(of_tenant=f" AND tenant = '{tenant}'" if hunts.of_many else "")
    folder = hunts.layout.root / "derived"
    target = (folder / hunts.tenant if hunts.of_many else folder) / "remote_destinations.parquet"

    @dg.asset(
        key=hunts.key("remote_destinations"),
        deps=[hunts.key(_HUNT)],
        group_name=hunts.group("derived"),
        kinds={"duckdb", "parquet"},
        description=f"{_SAYS}\n\n```sql{sql}```",
    )
    def destinations() -> dg.MaterializeResult[None]:
        target.parent.mkdir(parents=True, exist_ok=True)
        with connect(hunts.layout) as connection:
            rows = connection.sql(sql).to_arrow_table()
            connection.sql(sql).write_parquet(str(target), compression="zstd")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows.num_rows,
                "dagster/uri": dg.MetadataValue.path(str(target)),
                "rarest": dg.MetadataValue.md(
                    "\n".join(f"- `{name}`" for name in rows.column("RemoteUrl").to_pylist()[:10])
                ),
            }
        )

    yield destinations
